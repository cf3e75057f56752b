"""The pipelines' own lines, run as the agent runs them, with a `dagger` that records what it is asked and writes files.

What a real run of the module makes of these lines is seen in end_to_end/test_azure_pipelines.py.
"""

import json
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.azure_agent import Agent, Group, Run, Step, Trigger

REPOSITORY = Path(__file__).parents[2]
THIN = REPOSITORY / "azure-pipelines.yml"
FAN_OUT = REPOSITORY / "examples/pipelines/azure-fan-out.yml"
HOSTILE = "refs/heads/x$(touch${IFS}owned)\";touch${IFS}owned;'`touch${IFS}owned`"
SECRETS = {"AZURE_STATIC_WEB_APP_API_TOKEN": "canary-site", "VM_PASSWORD": "canary-machine"}
COMMAND = "##vso[task.setvariable variable=hostile]1"

DAGGER = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
given = sys.argv[1:]
with open(os.environ["RECORD"], "a") as record:
    print(json.dumps([given, dict(os.environ)]), file=record)
if given == ["version"]:
    sys.exit(print(os.environ.get("INSTALLED", "dagger v0.21.8 (a stub)")))
print("{COMMAND}")
print("{COMMAND}", file=sys.stderr)
if "verdict" in given and os.environ.get("VERDICT"):
    sys.exit("Error: tests of api failed")
if given[1] == os.environ.get("BROKEN"):
    sys.exit("Error: broken")
if "-o" in given:
    out = Path(given[given.index("-o") + 1])
    if out.suffix:
        out.write_text(os.environ.get("MATRIX", "{{}}") + "\\n")
    else:
        (out / "junit").mkdir(parents=True)
        for name in ("annotations.txt", "summary.md", "images.json"):
            (out / name).write_text("")
"""


@dataclass
class Call:
    """What `dagger` was asked, and with which environment."""

    arguments: list[str]
    environment: dict[str, str]

    def option(self, name: str) -> str:
        return self.arguments[self.arguments.index(f"--{name}") + 1]


class Machine:
    """An agent with the stub on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.record = folder, folder / "record"
        self.programs, self.sources = folder / "bin", folder / "sources"
        for made in (self.programs, self.sources):
            made.mkdir()
        (self.sources / "dagger.json").write_text((REPOSITORY / "dagger.json").read_text())
        self.environment = {"RECORD": str(self.record)}

    def program(self, name: str, text: str) -> None:
        file = self.programs / name
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def run(self, pipeline: Path, trigger: Trigger) -> Run:
        self.program("dagger", DAGGER)
        groups = {f"prodgy-{name}": group(name) for name in ("development", "staging", "production")}
        path = f"{self.programs}:/usr/bin:/bin"
        return Agent(self.sources, self.folder / "work", path, groups, self.environment).run(pipeline, trigger)

    def calls(self) -> list[Call]:
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        made = [Call(*json.loads(line)) for line in lines]
        return [call for call in made if call.arguments != ["version"]]


def group(environment: str) -> Group:
    from prodgy_ci.catalog.builtin import VARIABLES

    values = {name: f"{name}-of-{environment}" for name in VARIABLES}
    return Group(values | SECRETS, frozenset(SECRETS))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def words(run: Run) -> list[str]:
    return [step.name for step in run.steps if not step.name.startswith("Install")]


def outputs(steps: list[Step]) -> str:
    return "".join(step.output for step in steps)


@pytest.mark.parametrize(
    ("ref", "environment"),
    [
        ("refs/heads/main", "development"),
        ("refs/heads/staging", "staging"),
        ("refs/tags/v1.2.3", "production"),
    ],
)
def test_a_push_to_an_environment_reads_what_is_deployed_runs_and_deploys(
    machine: Machine, ref: str, environment: str
) -> None:
    run = machine.run(THIN, Trigger(ref))
    assert run.passed, outputs(run.steps)
    assert words(run) == [
        *("dagger call environment deployed", "dagger call ci", "dagger call verdict"),
        "dagger call environment deploy",
    ]
    assert run.environments == [f"prodgy-{environment}"]
    deployed, ci, verdict, deploy = machine.calls()
    assert deployed.arguments[:2] == deploy.arguments[:2] == ["call", "environment"]
    assert deployed.option("name") == deploy.option("name") == environment
    assert ci.option("ref") == ref and ci.option("registry") == f"registryLoginServer-of-{environment}"
    assert Path(ci.option("deployed")).read_text() == "{}\n"
    assert f"az acr login -n containerRegistry-of-{environment} " in ci.option("password")
    assert verdict.arguments == ["call", "verdict", "--report", "out"]
    assert Path(deploy.option("images")).exists()
    used = {step.connection for step in run.steps if step.connection}
    assert used == {f"azureServiceConnection-of-{environment}"}


def test_the_variables_of_the_group_arrive_and_its_secrets_only_by_name(machine: Machine) -> None:
    run = machine.run(THIN, Trigger("refs/heads/main"))
    written = (machine.folder / "work/deploy/s/vars.env").read_text()
    assert "apiContainerAppName=apiContainerAppName-of-development\n" in written
    assert not [secret for secret in SECRETS.values() if secret in written + outputs(run.steps)]
    deployed, ci, verdict, deploy = machine.calls()
    for secret in SECRETS.values():
        assert not [call for call in machine.calls() if secret in json.dumps(call.arguments)]
        assert secret not in json.dumps([ci.environment, verdict.environment])
    assert deploy.option("swa-token") == "env://AZURE_STATIC_WEB_APP_API_TOKEN"
    assert deploy.environment["VM_PASSWORD"] == deployed.environment["VM_PASSWORD"] == "canary-machine"


@pytest.mark.parametrize("target", ["refs/heads/main", "main"], ids=["azure-repos", "github"])
def test_a_pull_request_meets_no_environment(machine: Machine, target: str) -> None:
    trigger = Trigger("refs/pull/7/merge", "PullRequest", source_commit="ab" * 20, target=target)
    run = machine.run(THIN, trigger)
    assert run.passed, outputs(run.steps)
    assert words(run) == ["dagger call ci", "dagger call verdict"]
    assert not run.environments and not [step for step in run.steps if step.connection]
    ci, _ = machine.calls()
    assert ci.option("pull-request-source") == "ab" * 20
    assert ci.option("pull-request-target") == "refs/heads/main"
    assert not {"--registry", "--password", "--deployed"} & set(ci.arguments)
    assert "-of-development" not in json.dumps(ci.environment)


@pytest.mark.parametrize("ref", ["refs/heads/feature/main", HOSTILE], ids=["feature/main", "hostile"])
@pytest.mark.parametrize("pipeline", [THIN, FAN_OUT], ids=lambda file: file.name)
def test_a_branch_of_no_environment_is_built_and_its_name_is_only_a_name(
    machine: Machine, ref: str, pipeline: Path
) -> None:
    machine.environment["MATRIX"] = '{"api": {"service": "api"}}'
    run = machine.run(pipeline, Trigger(ref, "Manual"))
    assert run.passed, outputs(run.steps)
    assert not run.environments and not [step for step in run.steps if step.connection]
    named = [call for call in machine.calls() if "verdict" not in call.arguments]
    assert named and {call.option("ref") for call in named} == {ref}
    assert not list(machine.folder.rglob("owned"))


def test_a_manual_run_of_main_is_as_a_push(machine: Machine) -> None:
    run = machine.run(THIN, Trigger("refs/heads/main", "Manual"))
    assert run.passed and run.environments == ["prodgy-development"]


def test_a_tag_that_is_no_release_meets_no_environment(machine: Machine) -> None:
    run = machine.run(THIN, Trigger("refs/tags/nightly", "Manual"))
    assert run.passed and not run.environments


def test_what_dagger_prints_commands_nothing(machine: Machine) -> None:
    run = machine.run(THIN, Trigger("refs/heads/main"))
    assert COMMAND not in outputs(run.steps) and "vso[task.setvariable" in outputs(run.steps)
    assert {name for name, _ in run.commands} == {"task.prependpath", "task.uploadsummary"}


def test_a_failed_verdict_deploys_nothing_and_leaves_the_reports(machine: Machine) -> None:
    machine.environment["VERDICT"] = "failed"
    run = machine.run(THIN, Trigger("refs/heads/main"))
    assert not run.passed and not run.environments
    assert "tests of api failed" in outputs(run.steps)
    assert (machine.folder / "work/artifacts/reports-1/summary.md").exists()
    assert not (machine.folder / "work/artifacts/out").exists()


def test_what_cannot_be_read_stops_the_run(machine: Machine) -> None:
    machine.environment["BROKEN"] = "environment"
    run = machine.run(THIN, Trigger("refs/heads/main"))
    assert not run.passed and words(run) == ["dagger call environment deployed"]


def test_another_version_of_dagger_is_replaced(machine: Machine) -> None:
    machine.environment["INSTALLED"] = "dagger v0.20.0"
    machine.program("curl", '#!/bin/sh\necho \'echo installs "$DAGGER_VERSION" into "$BIN_DIR"\'\n')
    run = machine.run(THIN, Trigger("refs/heads/main"))
    assert run.passed and "installs 0.21.8 into " in run.steps[0].output


def test_a_module_of_another_version_stops_the_run(machine: Machine) -> None:
    file = machine.sources / "dagger.json"
    file.write_text(file.read_text().replace("v0.21.8", "v0.22.0"))
    run = machine.run(THIN, Trigger("refs/heads/main"))
    assert not run.passed and not machine.calls()


def test_the_fan_out_builds_each_service_on_an_agent_of_its_own(machine: Machine) -> None:
    machine.environment["MATRIX"] = '{"api": {"service": "api"}, "docs": {"service": "docs"}}'
    run = machine.run(FAN_OUT, Trigger("refs/heads/main"))
    assert run.passed, outputs(run.steps)
    runs = [call for call in machine.calls() if call.arguments[:2] == ["call", "ci"]]
    assert [call.option("services") for call in runs] == ["api", "docs"]
    (publish,) = (call for call in machine.calls() if call.arguments[:2] == ["call", "publish"])
    assert Path(publish.option("plan")).exists()
    assert run.environments == ["prodgy-development"]


def test_the_fan_out_of_nothing_builds_nothing(machine: Machine) -> None:
    run = machine.run(FAN_OUT, Trigger("refs/heads/main"))
    assert run.passed and run.results["service"] == "Skipped"
    assert not [call for call in machine.calls() if "ci" in call.arguments]


def test_the_fan_out_deploys_nothing_where_a_service_failed(machine: Machine) -> None:
    machine.environment |= {"MATRIX": '{"api": {"service": "api"}}', "VERDICT": "failed"}
    run = machine.run(FAN_OUT, Trigger("refs/heads/main"))
    assert not run.passed and run.results["images"] == "Skipped" and not run.environments
