"""A repository of its own that is published as often as wanted, and what is asked of it."""

import os
import subprocess
import tarfile
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import dagger
from dagger import dag
from fakes.registry import PASSWORD, USER, Proxy, Registry

from prodgy_ci.catalog import load
from prodgy_ci.changes.plan import Base, Plan, Reason, ServicePlan
from prodgy_ci.images import publish
from prodgy_ci.images.publish import Job
from prodgy_ci.images.record import Images
from prodgy_ci.images.registry import Registry as Reached
from prodgy_ci.images.registry import registry as registry_of

CATALOG = """
[services.hello]
kind = "text"
path = "hello"
dockerfile = "hello/Dockerfile"
[services.pages]
kind = "static"
target = "static-web-app"
path = "pages"
dockerfile = "pages/Dockerfile"
[services.files]
kind = "dotnet"
target = "windows-vm"
path = "files"
"""
NAMES = ("hello", "pages")
WITHIN = 900
"""Seconds in which images are published: nothing on the way to a registry has a limit of its own."""


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Publishing:
    """Publishes what a repository holds to a registry, as often as wanted."""

    def __init__(self, monorepo: Path, target: Registry) -> None:
        self.monorepo = monorepo
        self.registry = target
        self.catalog = load(CATALOG)

    async def job(
        self,
        through: Registry | Proxy | None = None,
        ref: str = "refs/heads/main",
        names: Sequence[str] = NAMES,
        **changed: object,
    ) -> Job:
        where = through or self.registry
        made = Plan(
            schema_version=1,
            ref=ref,
            event="push",
            environment="development",
            head=git(self.monorepo, "rev-parse", "HEAD"),
            working_tree=False,
            notes=(),
            services={name: _built() for name in names},
            changed={},
        )
        now = f"none-{uuid.uuid4().hex}"  # else the session gives what it read before
        source = dag.host().directory(str(self.monorepo), exclude=[".git", now])
        repository = dag.host().directory(str(self.monorepo / ".git"), exclude=[now])
        target = await reach(where.host, PASSWORD)
        return replace(Job(source, repository, self.catalog, made, target), **changed)  # type: ignore[arg-type]

    async def run(self, **changed: object) -> Images:
        with anyio.fail_after(WITHIN):
            return await publish.publish(await self.job(**changed), None)  # type: ignore[arg-type]

    def commit(self, text: str) -> None:
        (self.monorepo / "hello" / "text").write_text(text)
        git(self.monorepo, "commit", "--quiet", "--all", "--message=more")

    def commit_large(self) -> None:
        """Images that no buffer on their way takes whole, however compressed."""
        for name in NAMES:
            (self.monorepo / name / "text").write_bytes(os.urandom(16 << 20))
        git(self.monorepo, "commit", "--quiet", "--all", "--message=large")


def _built() -> ServicePlan:
    return ServicePlan(action="build", base=Base(chosen="never-deployed"), reasons=(Reason(code="never-deployed"),))


async def reach(host: str, password: str, option: str = "--registry") -> Reached:
    port = int(host.rpartition(":")[2])
    service = dag.host().service([dagger.PortForward(backend=port, frontend=port)], host="127.0.0.1")
    secret = dag.set_secret(f"password-{host}", password + "\n")
    return await registry_of(f"{host}/team", option, USER, secret, service=service)


def results(images: Images) -> dict[str, str]:
    return {name: image.result for name, image in images.images.items()}


def digests(images: Images) -> list[str | None]:
    return [image.digest for image in images.images.values()]


async def files_of(images: Images, name: str, folder: Path) -> dict[str, bytes]:
    """The files of all layers of an image."""
    copy = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"--src-creds={USER}:{PASSWORD}"]
    reference = str(images.images[name].reference).replace(f":{images.commit}@", "@")
    await anyio.run_process([*copy, f"docker://{reference}", f"docker-archive:{folder / name}.tar"])
    found: dict[str, bytes] = {}
    with tarfile.open(folder / f"{name}.tar") as outer:
        for layer in (member for member in outer if member.name.endswith(".tar") and member.isfile()):
            with tarfile.open(fileobj=outer.extractfile(layer)) as inner:
                found |= {m.name: inner.extractfile(m).read() for m in inner if m.isfile()}  # type: ignore[union-attr]
    return found
