"""Runs an Azure pipeline's own lines on this machine, as the service and its agent would.

What it knows is what the pipelines here use; anything else is an error, so that nothing is passed over unseen.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .azure_expressions import Value, evaluate, expand

_MACRO = re.compile(r"\$\(([\w.]+)\)")
_COMMAND = re.compile(r"##vso\[([\w.]+)\s*([^\]]*)\](.*)")


@dataclass(frozen=True)
class Trigger:
    """What started a run."""

    ref: str
    reason: str = "IndividualCI"
    commit: str = "0" * 40
    source_commit: str = ""
    target: str = ""

    def variables(self) -> dict[str, str]:
        known = {
            "Build.Reason": self.reason,
            "Build.SourceBranch": self.ref,
            "Build.SourceBranchName": self.ref.rpartition("/")[2],
            "Build.SourceVersion": self.commit,
            "Build.BuildNumber": "20260102.1",
            "System.JobAttempt": "1",
            "TF_BUILD": "True",
        }
        if self.reason == "PullRequest":
            known["System.PullRequest.SourceCommitId"] = self.source_commit
            known["System.PullRequest.TargetBranch"] = self.target
        return known


@dataclass(frozen=True)
class Group:
    """A variable group. Secrets reach no step that does not map them."""

    values: Mapping[str, str]
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """A step that was run."""

    job: str
    name: str
    script: str | None
    environment: Mapping[str, str]
    passed: bool
    output: str
    connection: str | None = None


@dataclass
class Run:
    """What a run did."""

    steps: list[Step] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    """Of each stage and each job: Succeeded, Failed or Skipped."""
    environments: list[str] = field(default_factory=list)
    """The environments that were deployed to; each is where approvals would be asked for."""
    commands: list[tuple[str, str]] = field(default_factory=list)
    """What the agent was told by ##vso[NAME …]VALUE on the steps' output."""
    outputs: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return "Failed" not in self.results.values()


class Agent:
    """Runs a pipeline on the files in `sources`; `path` is the PATH of its scripts, `machine` its own environment."""

    def __init__(
        self,
        sources: Path,
        work: Path,
        path: str,
        groups: Mapping[str, Group],
        machine: Mapping[str, str] | None = None,
    ) -> None:
        self._sources, self._work, self._groups = sources, work, groups
        engine = {n: v for n, v in os.environ.items() if n.startswith(("_EXPERIMENTAL_DAGGER_", "DOCKER_", "XDG_"))}
        self._machine = {**engine, "PATH": path, "HOME": os.environ["HOME"], **(machine or {})}

    def run(self, pipeline: Path, trigger: Trigger) -> Run:
        """Expands the pipeline for what started it, and runs its stages and jobs in their order."""
        text = yaml.load(pipeline.read_text(), Loader=yaml.BaseLoader)  # all scalars as texts
        self._variables, self._secrets = trigger.variables(), set[str]()
        for variable in expand(text["variables"], self._compile_time):
            if "group" in variable:
                group = self._groups[variable["group"]]
                self._variables |= group.values
                self._secrets |= group.secrets
            else:
                self._variables[variable["name"]] = variable["value"]
        run, failed = Run(), False
        for stage in expand(text["stages"], self._compile_time):
            if not failed:
                for job in stage["jobs"]:
                    self._jobs(job, run)
                failed = any(run.results[_name(job)] == "Failed" for job in stage["jobs"])
            run.results[stage["stage"]] = "Failed" if failed else "Succeeded"
        return run

    def _compile_time(self, parts: tuple[str, ...]) -> str:
        if parts[0] != "variables":
            raise ValueError(f"not known at compile time: {parts}")
        return self._macro(parts[1], "")

    def _jobs(self, job: dict[str, Any], run: Run) -> None:
        """Runs a job, or one for each leg of its matrix, if what it depends on allows."""
        name = _name(job)
        needed = job.get("dependsOn", [])
        needed = [needed] if isinstance(needed, str) else needed

        def lookup(parts: tuple[str, ...]) -> str:
            _, other, what, *rest = parts
            return run.results.get(other, "") if what == "result" else run.outputs.get((other, rest[0]), "")

        functions: dict[str, Any] = {
            "succeeded": lambda: all(run.results[other] == "Succeeded" for other in needed),
            "canceled": lambda: False,
        }
        if not evaluate(job.get("condition", "succeeded()"), lookup, functions):
            run.results[name] = "Skipped"
            return
        legs: dict[str, dict[str, str]] = {"": {}}
        if matrix := job.get("strategy", {}).get("matrix"):
            found: Value = evaluate(matrix.removeprefix("$[").removesuffix("]"), lookup)
            legs = yaml.safe_load(str(found))
        if "environment" in job:
            run.environments.append(job["environment"])
        passed = [self._job(job, f"{name}_{leg}".rstrip("_"), variables, run) for leg, variables in legs.items()]
        run.results[name] = "Succeeded" if all(passed) else "Failed"

    def _job(self, job: dict[str, Any], name: str, variables: Mapping[str, str], run: Run) -> bool:
        folder = self._work / name
        (folder / "s").mkdir(parents=True)
        before = self._variables
        self._variables = {**before, **variables, "Pipeline.Workspace": str(folder)}
        try:
            steps = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
            return all(self._step(step, name, folder, run) for step in steps)  # the first failure ends the job
        finally:
            self._variables = before

    def _step(self, step: dict[str, Any], job: str, folder: Path, run: Run) -> bool:
        here, artifacts = folder / "s", self._work / "artifacts"
        if set(step) & {"condition", "continueOnError"}:
            raise ValueError(f"not known: the conditions of {step}")
        if "checkout" in step:
            shutil.copytree(self._sources, here, dirs_exist_ok=True, symlinks=True)
            return True
        if "publish" in step:
            source, target = here / step["publish"], artifacts / self._replace(step["artifact"])
            if target.exists() or not source.exists():
                return False
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                target.mkdir(parents=True)
                shutil.copy(source, target)
            return True
        if "download" in step:
            shutil.copytree(artifacts / step["artifact"], folder / step["artifact"])
            return True
        if step.get("task") == "PublishTestResults@2":
            return True
        return self._script(step, job, here, run)

    def _script(self, step: dict[str, Any], job: str, here: Path, run: Run) -> bool:
        connection = None
        script = step.get("bash")
        if step.get("task") == "AzureCLI@2":
            script, connection = step["inputs"]["inlineScript"], self._replace(step["inputs"]["azureSubscription"])
            if "$(" in connection:
                raise ValueError(f"the service connection {connection} could not be found")
        if script is None:
            raise ValueError(f"not known: {step}")
        script = self._replace(script)  # as the agent does, which is the danger
        mapped = {name: self._replace(value) for name, value in step.get("env", {}).items()}
        automatic = {
            name.upper().replace(".", "_"): self._replace(value)
            for name, value in self._variables.items()
            if name not in self._secrets
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", script],
            cwd=here,
            env={**self._machine, **automatic, **mapped},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        self._obey(done.stdout, job, step.get("name", ""), run)
        passed = done.returncode == 0
        name = step.get("displayName", "")
        run.steps.append(Step(job, name, script, mapped, passed, done.stdout, connection))
        return passed

    def _obey(self, output: str, job: str, step: str, run: Run) -> None:
        for line in output.splitlines():
            if match := _COMMAND.search(line):
                run.commands.append((match[1], match[3]))
                options = dict(option.split("=") for option in match[2].split(";") if option)
                if match[1] == "task.setvariable" and options.get("isOutput") == "true":
                    run.outputs[job, f"{step}.{options['variable']}"] = match[3]

    def _macro(self, name: str, otherwise: str) -> str:
        known = {key.lower(): value for key, value in self._variables.items()}
        return known.get(name.lower(), otherwise)

    def _replace(self, text: str) -> str:
        """The text with its macros replaced, again and again; one that names no variable stays."""
        for _ in range(10):
            replaced = _MACRO.sub(lambda match: self._macro(match[1], match[0]), text)
            if replaced == text:
                break
            text = replaced
        return text


def _name(job: Mapping[str, Any]) -> str:
    return str(job.get("job") or job["deployment"])
