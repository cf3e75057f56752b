"""azure-pipelines.yml, its very lines, from a push to main until the new revision serves.

The agent, Azure and `az` are fakes; the module, its runner, git, the registry and the containers are real. Of the other
triggers tests/pipelines/test_azure_runs.py sees what the lines ask of `dagger`.
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
        values = {name: known.get(name, f"{name}-of-development") for name in VARIABLES}
        self.group = Group(values, frozenset({"AZURE_STATIC_WEB_APP_API_TOKEN", "VM_PASSWORD"}))

    def push(self) -> Run:
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        agent = Agent(self.repository, self.work, path, {"prodgy-development": self.group})
        trigger = Trigger("refs/heads/main", commit=git(self.repository, "rev-parse", "HEAD"))
        return agent.run(self.repository / "azure-pipelines.yml", trigger)


@pytest.fixture
def project(repository: Path, runner: str, held: Registry, azure: Manager) -> Project:
    (repository / "prodgy-ci.toml").write_text(TOML)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "first")
    return Project(repository, runner, held, azure)


def test_a_push_to_main_is_built_tested_published_deployed_and_verified(project: Project, azure: Manager) -> None:
    run = project.push()
    said = "".join(step.output for step in run.steps)
    assert run.passed, said[-6000:]
    out = project.work / "artifacts/out"
    images = json.loads((out / "images.json").read_text())
    assert images["commit"] == git(project.repository, "rev-parse", "HEAD")
    digest = images["images"]["service"]["digest"]
    (record,) = (project.work / "artifacts").glob("deployments-1/deployments.json")
    deployments = json.loads(record.read_text())
    assert deployments["services"]["service"]["after"]["digest"] == digest
    assert [checks["list"] for checks in deployments["checks"]] == ["preflight", "verify"]
    revision = deployments["services"]["service"]["after"]["revision"]
    assert azure.apps["service-app"].traffic()[revision] == 100
    assert not [secret for secret in (PASSWORD, azure.token) if secret in said]


def test_one_command_does_the_same_and_leaves_alone_what_serves(
    project: Project, azure: Manager, held: Registry, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARM", azure.token)
    monkeypatch.setenv("PUBLISHER", PASSWORD)
    (tmp_path / "vars.env").write_text("".join(f"{k}={v}\n" for k, v in project.group.values.items()))
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
