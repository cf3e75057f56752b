"""The sample's release goes to a development environment and back; whatever fails, each target serves what it served."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from end_to_end.conftest import REPOSITORY, Call
from end_to_end.test_build import stand_in
from end_to_end.test_plan import git
from fakes.registry import PASSWORD, USER, Registry, registry
from fakes.resource_manager import App, Manager, resource_manager
from fakes.site import CLIENT, SECRET, Site, site
from fakes.winrm import Machine, windows_machine

APPS = ("api", "web", "service", "studio", "gateway", "agentic", "engine")
RELEASED = ("engine", "assistant", "docs")
"""One service of each target."""


def port(address: str) -> str:
    return address.rpartition(":")[2]


@dataclass
class World:
    """An environment: nothing of ours was ever deployed to it."""

    call: Call
    repository: Path
    folder: Path
    registry: Registry
    azure: Manager
    site: Site
    machine: Machine
    said: list[str] = field(default_factory=list)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self.call(*arguments, repository=self.repository)
        self.said += [done.stdout, done.stderr]
        return done

    def passed(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def json(self, name: str) -> dict[str, Any]:
        made: dict[str, Any] = json.loads((self.folder / name).read_text())
        return made

    def environment(self, *arguments: str) -> tuple[str, ...]:
        variables = {f"{name}ContainerAppName": f"{name}-dev" for name in APPS}
        variables |= {"resourceGroup": self.azure.group, "registryLoginServer": self.registry.host}
        variables |= {"VM_USER": self.machine.user, "azureServiceConnection": "prodgy", "containerRegistry": "prodgy"}
        (self.folder / "vars.env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        return (
            *("environment", "--name=development", f"--variables={self.folder / 'vars.env'}"),
            *("--arm-token=env://ARM_TOKEN", f"--arm-service=tcp://127.0.0.1:{port(self.azure.url)}"),
            *(f"--registry-username={USER}", "--registry-password=env://REGISTRY_PASSWORD"),
            *(f"--registry-service=tcp://{self.registry.host}", "--swa-token=env://SWA_TOKEN"),
            *(f"--swa-client={CLIENT}", f"--site-service=tcp://127.0.0.1:{self.site.port}"),
            *("--vm-password=env://VM_PASSWORD", f"--vm-service=tcp://127.0.0.1:{self.machine.port}", "--vm-http"),
            *arguments,
        )

    def release(self, text: str, *given: str) -> str:
        """Publishes a commit that changes all that is released; returns it."""
        for path in ("engine/engine/__init__.py", "docs/content/index.md", "assistant/Program.cs"):
            with (self.repository / "examples/prodgy/apps" / path).open("a") as changed:
                changed.write(f"\n{'//' if path.endswith('.cs') else '#'} {text}\n")
        git(self.repository, "add", "-A")
        git(self.repository, "commit", "--quiet", f"--message={text}")
        commit = git(self.repository, "rev-parse", "HEAD")
        plan, artifacts = self.folder / "plan.json", self.folder / text
        artifacts.mkdir()
        self.passed("plan", "--ref=refs/heads/main", *given, "json", "-o", str(plan))
        self.passed(
            *("publish", f"--plan={plan}", f"--services={','.join(RELEASED)}", f"--registry={self.registry.host}"),
            *(f"--username={USER}", "--password=env://REGISTRY_PASSWORD"),
            *(f"--registry-service=tcp://{self.registry.host}", "-o", str(self.folder / "images.json")),
            f"--artifacts={stand_in(artifacts, commit).parent}",
        )
        return commit

    def deploy(self, *given: str) -> subprocess.CompletedProcess[str]:
        arguments = ("deploy", f"--images={self.folder / 'images.json'}", "--without-checks", *given)
        return self.run(*self.environment(*arguments, "-o", str(self.folder / "deployments.json")))

    def deployed(self) -> dict[str, Any]:
        """By service: what the record of the run says serves."""
        services = self.json("deployments.json")["services"]
        return {name: one["after"]["commit"] for name, one in services.items()}

    def serves(self) -> dict[str, str | None]:
        """By service: the commit that users are served, and by that one alone."""
        engine = self.azure.apps["engine-dev"]
        (name,) = engine.traffic()
        assert engine.revisions[name].active
        version = self.site.files.get("version.json")
        return {
            "engine": engine.revisions[name].environment().get("PRODGY_REVISION"),
            "assistant": self.machine.service.serves,
            "docs": json.loads(version)["revision"] if version else None,
        }

    def writes(self) -> tuple[int, int, int]:
        """How often something was changed."""
        return len(self.azure.writes()), len(self.site.uploads), self.machine.service.starts


@pytest.fixture
def world(call: Call, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    apps = [App(f"{name}-dev", service=name, commit="") for name in APPS]
    folder = tmp_path / "files"
    folder.mkdir()
    with (
        registry(tmp_path / "registry", login=True) as images,
        resource_manager(apps) as azure,
        site({"index.html": b"<h1>Welcome</h1>"}) as docs,
        windows_machine(tmp_path / "machine", tls=False) as machine,
    ):
        machine.install()
        secrets = {"ARM_TOKEN": azure.token, "REGISTRY_PASSWORD": PASSWORD, "VM_PASSWORD": machine.password}
        secrets["SWA_TOKEN"] = docs.token_at(f"http://site:{docs.port}")
        for name, value in secrets.items():
            monkeypatch.setenv(name, value)
        yield World(call, repository, folder, images, azure, docs, machine)
        assert machine.errors == []


def test_a_release_goes_to_each_target_and_back(world: World) -> None:
    first = world.release("one")
    before = world.serves()

    done = world.deploy("--dry-run")
    assert done.returncode == 0, done.stderr[-3000:]
    assert world.json("deployments.json")["result"] == "would deploy" and world.serves() == before
    assert world.azure.writes() == [] and world.site.uploads == []
    assert not [line for line in world.machine.requests if "-File" in line and "-Mode Status" not in line]
    assert "PATCH engine-dev" in done.stderr and "-Mode Switch" in done.stderr

    done = world.deploy()
    assert done.returncode == 0, done.stderr[-3000:]
    assert world.serves() == world.deployed() == dict.fromkeys(RELEASED, first)

    changes = world.writes()
    done = world.deploy()
    assert done.returncode == 0 and world.json("deployments.json")["result"] == "unchanged"
    assert world.writes() == changes

    world.passed(*world.environment("deployed", "-o", str(world.folder / "deployed.json")))
    found = world.json("deployed.json")["services"]
    assert {name: one["commit"] for name, one in found.items() if one} == dict.fromkeys(RELEASED, first)

    second = world.release("two", f"--deployed={world.folder / 'deployed.json'}")
    planned = world.json("plan.json")["services"]
    assert planned["engine"]["base"] == {"chosen": "deployed", "commit": first, "recorded": None}
    assert planned["api"]["base"]["chosen"] == "never-deployed"

    images = world.json("images.json")["images"]
    world.azure.broken_digests.add(images["engine"]["digest"])
    done = world.deploy()
    assert done.returncode != 0 and '"result": "rolled back"' in done.stderr, done.stderr[-3000:]
    assert world.serves() == dict.fromkeys(RELEASED, first)

    world.azure.broken_digests.clear()
    done = world.deploy()
    assert done.returncode == 0, done.stderr[-3000:]
    assert world.serves() == world.deployed() == dict.fromkeys(RELEASED, second)

    status = world.passed(*world.environment("status"))
    line = next(line for line in status.splitlines() if line.startswith("engine"))
    assert line.split()[1] == second[:10] and line.split()[3].rstrip(",") == first[:10] and line.endswith("healthy")

    back = ("rollback", f"--services={','.join(RELEASED)}", "-o", str(world.folder / "deployments.json"))
    world.passed(*world.environment(*back))
    assert world.serves() == world.deployed() == dict.fromkeys(RELEASED, first)

    everything = "".join(world.said) + "".join(file.read_text() for file in world.folder.glob("*.json"))
    for secret in (world.azure.token, PASSWORD, SECRET, world.machine.password, "canary"):
        assert secret not in everything


def images(number: int) -> str:
    digest, commit = f"sha256:{number:064d}", f"{number:040d}"
    image = {"service": "engine", "form": "image", "result": "pushed", "digest": digest}
    image["reference"] = f"registry.test/prodgy-engine:{commit}@{digest}"
    whole = {"registry": "registry.test", "environment": "development", "commit": commit, "images": {"engine": image}}
    return json.dumps(whole)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_run_that_is_ended_leaves_the_traffic_and_the_next_one_cleans_up(
    how: signal.Signals, runner: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with resource_manager([App("engine")]) as azure:
        engine = azure.apps["engine"]
        engine.seconds = 3600
        monkeypatch.setenv("ARM_TOKEN", azure.token)
        variables = f"engineContainerAppName=engine\nresourceGroup={azure.group}\nregistryLoginServer=registry.test\n"
        (tmp_path / "vars.env").write_text(variables)

        def deploy(number: int) -> list[str]:
            (tmp_path / "images.json").write_text(images(number))
            return [
                *("environment", "--name=development", f"--variables={tmp_path}/vars.env"),
                *("--arm-token=env://ARM_TOKEN", f"--arm-service=tcp://127.0.0.1:{port(azure.url)}"),
                *("deploy", f"--images={tmp_path}/images.json", "--without-checks"),
                *("-o", str(tmp_path / "deployments.json")),
            ]

        before = engine.traffic()
        command = [runner, "call", "--progress=plain", *deploy(1)]
        with (
            (tmp_path / "progress").open("w") as progress,
            subprocess.Popen(command, cwd=REPOSITORY, stderr=progress, start_new_session=True) as run,
        ):
            until(lambda: len(engine.revisions) == 2 or run.poll() is not None, 120)
            os.killpg(run.pid, how)
            assert run.wait(60) != 0
        assert engine.traffic() == before
        engine.seconds = 0
        done = call(*deploy(2))
        assert done.returncode == 0, done.stderr[-3000:]
        (served,) = engine.traffic()
        assert engine.revisions[served].environment()["PRODGY_REVISION"] == f"{2:040d}"
        left = [name for name, one in engine.revisions.items() if one.environment()["PRODGY_REVISION"] == f"{1:040d}"]
        assert len(left) == 1 and not engine.revisions[left[0]].active
        record = json.loads((tmp_path / "deployments.json").read_text())
        assert record["services"]["engine"]["before"]["revision"] == "engine--first"


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
