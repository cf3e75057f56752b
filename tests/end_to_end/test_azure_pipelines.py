"""azure-pipelines.yml, its very lines, for each trigger, until the new revision serves.

The agent, Azure and `az` are fakes; the module, its runner, git, the registry and the containers are real.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from end_to_end.conftest import Call
from end_to_end.test_plan import git
from fakes.azure_agent import Agent, Group, Run, Trigger
from fakes.registry import PASSWORD, Registry, registry
from fakes.resource_manager import App, Manager, resource_manager

from prodgy_ci.catalog.builtin import VARIABLES

HOSTILE = "refs/heads/x$(touch${IFS}owned)\";touch${IFS}owned;'`touch${IFS}owned`"
TOML = """
root = "examples/prodgy"
builtin = false
[services.service]
kind = "node"
dockerfile = "apps/service/Dockerfile"
port = 3002
needs = ["redis"]
[rules.node-workspace]
paths = ["packages/", "pnpm-lock.yaml", "turbo.json", "package.json", "pnpm-workspace.yaml", ".npmrc", ".dockerignore"]
kinds = ["node"]
[checks]
deadline = 20
interval = 20
"""
DAGGER = """#!/bin/bash
# What no real agent needs: where Azure and its registry are, since both run on this machine.
case "$1 $2" in
  "version ") echo "dagger v0.21.8"; exit ;;
  "call environment") set -- call environment --arm-service tcp://{azure} --registry-service tcp://{registry} "${{@:3}}" ;;
  "call ci") set -- call ci --registry-service tcp://{registry} "${{@:3}}" ;;
esac
exec {runner} "$@"
"""
AZ = """#!/bin/bash
case "$1 $2" in
  "account get-access-token") echo "{token}" ;;
  "acr login") echo "{password}" ;;
  *) exit 1 ;;
esac
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "registry", login=True) as started:
        yield started


@pytest.fixture
def azure(held: Registry) -> Iterator[Manager]:
    with resource_manager([App("service-app", service="service", registry=held.host)]) as manager:
        yield manager


class Project:
    """A repository, and an agent that runs its pipeline."""

    def __init__(self, repository: Path, runner: str, held: Registry, azure: Manager) -> None:
        self.repository, self.work = repository, repository.parent / "work"
        self.programs = repository.parent / "bin"
        self.programs.mkdir()
        places = {"azure": azure.url.removeprefix("http://"), "registry": held.host, "runner": runner}
        for name, text in (
            ("dagger", DAGGER.format(**places)),
            ("az", AZ.format(token=azure.token, password=PASSWORD)),
        ):
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)
        known = {
            "resourceGroup": azure.group,
            "registryLoginServer": held.host,
            "serviceContainerAppName": "service-app",
        }
        self.values = {name: known.get(name, f"{name}-of-prodgy") for name in VARIABLES}

    def run(self, ref: str, reason: str = "IndividualCI", **pull_request: str) -> Run:
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        group = Group(self.values, frozenset({"AZURE_STATIC_WEB_APP_API_TOKEN", "VM_PASSWORD"}))
        groups = {f"prodgy-{name}": group for name in ("development", "staging", "production")}
        agent = Agent(self.repository, self.work, path, groups)
        trigger = Trigger(ref, reason, commit=git(self.repository, "rev-parse", "HEAD"), **pull_request)
        return agent.run(self.repository / "azure-pipelines.yml", trigger)

    def out(self, name: str) -> Any:
        """A file of what `ci` gave."""
        return json.loads((self.work / "artifacts/out" / name).read_text())


@pytest.fixture
def project(repository: Path, runner: str, held: Registry, azure: Manager) -> Project:
    (repository / "prodgy-ci.toml").write_text(TOML)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "first")
    return Project(repository, runner, held, azure)


def said(run: Run) -> str:
    return "".join(step.output for step in run.steps)


@pytest.mark.parametrize(
    ("ref", "reason", "environment", "tags"),
    [
        ("refs/heads/main", "IndividualCI", "development", 1),
        ("refs/heads/main", "Manual", "development", 1),
        ("refs/heads/staging", "IndividualCI", "staging", 1),
        ("refs/tags/v1.2.3", "IndividualCI", "production", 2),
    ],
    ids=["main", "manual", "staging", "release"],
)
def test_what_an_environment_gets_is_built_tested_published_deployed_and_verified(
    project: Project, azure: Manager, ref: str, reason: str, environment: str, tags: int
) -> None:
    git(project.repository, "branch", "staging")
    git(project.repository, "tag", "v1.2.3")
    run = project.run(ref, reason)
    assert run.passed, said(run)[-6000:]
    assert run.environments == [f"prodgy-{environment}"]
    images = project.out("images.json")
    assert images["commit"] == git(project.repository, "rev-parse", "HEAD")
    published = images["images"]["service"]
    assert published["result"] == "pushed" and len(published["tags"]) == tags
    (record,) = (project.work / "artifacts").glob("deployments-1/deployments.json")
    deployments = json.loads(record.read_text())
    assert deployments["environment"] == environment
    assert deployments["services"]["service"]["after"]["digest"] == published["digest"]
    assert [checks["list"] for checks in deployments["checks"]] == ["preflight", "verify"]
    revision = deployments["services"]["service"]["after"]["revision"]
    assert azure.apps["service-app"].traffic()[revision] == 100
    assert not [secret for secret in (PASSWORD, azure.token) if secret in said(run)]


def test_a_pull_request_from_a_branch_called_main_is_built_and_tested_alone(project: Project, azure: Manager) -> None:
    target = git(project.repository, "rev-parse", "HEAD")
    git(project.repository, "switch", "-q", "-c", "feature/main")
    source = project.repository / "examples/prodgy/apps/service/src/main.js"
    source.write_text(source.read_text() + "// proposed\n")
    git(project.repository, "commit", "-qam", "proposed")
    proposed = git(project.repository, "rev-parse", "HEAD")
    git(project.repository, "switch", "-q", "--detach", target)
    git(project.repository, "merge", "-q", "--no-ff", "-m", "merged", "feature/main")
    before = azure.apps["service-app"].traffic()
    run = project.run("refs/pull/7/merge", "PullRequest", source_commit=proposed, target="refs/heads/main")
    assert run.passed, said(run)[-6000:]
    assert not run.environments and azure.apps["service-app"].traffic() == before
    assert project.out("plan.json")["services"]["service"]["action"] == "build"
    assert project.out("verdict.json")["passed"] and not (project.work / "artifacts/out/images.json").exists()


def test_a_hostile_branch_is_built_and_its_name_is_only_a_name(project: Project, azure: Manager) -> None:
    before = azure.apps["service-app"].traffic()
    run = project.run(HOSTILE, "Manual")
    assert run.passed, said(run)[-6000:]
    assert project.out("plan.json")["ref"] == HOSTILE
    assert not run.environments and azure.apps["service-app"].traffic() == before
    assert not list(project.repository.parent.rglob("owned"))


def test_one_command_does_the_same_and_leaves_alone_what_serves(
    project: Project, azure: Manager, held: Registry, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARM", azure.token)
    monkeypatch.setenv("PUBLISHER", PASSWORD)
    (tmp_path / "vars.env").write_text("".join(f"{k}={v}\n" for k, v in project.values.items()))
    given = ["--ref=refs/heads/main", f"--variables={tmp_path}/vars.env", "--arm-token=env://ARM"]
    given += ["--registry-password=env://PUBLISHER", f"--registry-service=tcp://{held.host}"]
    given += [f"--arm-service=tcp://{azure.url.removeprefix('http://')}"]

    def run(out: Path) -> dict[str, Any]:
        done = call("pipeline", *given, "-o", str(out), repository=project.repository)
        assert done.returncode == 0, done.stderr[-6000:]
        return {file.name: file.read_text() for file in out.iterdir() if file.is_file()}

    files = run(tmp_path / "first")
    assert json.loads(files["verdict.json"])["passed"], files["summary.md"]
    before = azure.apps["service-app"].traffic()
    assert json.loads(files["deployments.json"])["services"]["service"]["after"]["revision"] in before
    assert "Deploy in development" in files["report.html"] and "Verify of development" in files["report.html"]

    files = run(tmp_path / "second")
    assert json.loads(files["verdict.json"])["passed"], files["summary.md"]
    assert json.loads(files["images.json"])["images"] == {}
    assert json.loads(files["deployments.json"])["result"] == "unchanged"
    assert azure.apps["service-app"].traffic() == before
