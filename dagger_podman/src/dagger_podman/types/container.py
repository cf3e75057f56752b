"""Container: where it comes from, what runs in it, and where it goes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from .. import exporting, images, services, stand_ins
from ..errors import DaggerPodmanError, NotAvailableError, PodmanError
from ..execution import executed, output
from ..fields import field
from ..nodes import Node
from ..session import Session, runtime_folder
from ..state import Container, Executed
from ..tree import Entry
from ..values import FileValue

C = "Container"


@field("Query")
async def container(_: Session, platform: str = "") -> Container:
    return Container(platform=platform)


@field(C)
async def from_(session: Session, c: Container, address: str, registry_service: Node | None = None) -> Container:
    if registry_service:
        raise NotAvailableError("the argument 'registryService' of Container.from")
    async with _auth_file(session, c) as auth:
        image = await images.pulled(session, address, c.platform, auth)
    plain = await images.container_of(session, image, address)
    return dataclasses.replace(
        plain, registry_auth=c.registry_auth, mounts=c.mounts, secret_env=c.secret_env, bindings=c.bindings
    )


# --- commands -----------------------------------------------------------------------------------------
@field(C)
async def with_exec(
    _: Session,
    c: Container,
    args: Sequence[str],
    use_entrypoint: bool = False,
    stdin: str = "",
    redirect_stdin: str = "",
    redirect_stdout: str = "",
    redirect_stderr: str = "",
    expect: str = "SUCCESS",
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> Container:
    if experimental_privileged_nesting:
        raise NotAvailableError("the argument 'experimentalPrivilegedNesting' of Container.withExec")
    command = tuple(c.expand(a, expand) for a in args) or c.args
    if use_entrypoint:
        command = c.entrypoint + command
    if not command:
        raise DaggerPodmanError("no command has been set")
    stdin_path, stdout_path, stderr_path = (
        c.expand(p, expand) for p in (redirect_stdin, redirect_stdout, redirect_stderr)
    )
    ex = Executed(c, command, stdin, stdin_path, stdout_path, stderr_path, expect, insecure_root_capabilities)
    changed = tuple(
        dataclasses.replace(m, after=ex) if m.kind in ("directory", "file") and not m.read_only else m for m in c.mounts
    )
    return dataclasses.replace(c, root=ex, mounts=changed)


@field(C)
async def stdout(session: Session, c: Container) -> str:
    return await output(session, c.last_exec(), "stdout")


@field(C)
async def stderr(session: Session, c: Container) -> str:
    return await output(session, c.last_exec(), "stderr")


@field(C)
async def combined_output(session: Session, c: Container) -> str:
    return await output(session, c.last_exec(), "combined")


@field(C)
async def exit_code(session: Session, c: Container) -> int:
    ex = c.last_exec()
    if ex is None:
        raise DaggerPodmanError("no command has been executed in this container; use withExec first")
    return (await executed(session, ex)).exit_code


@field(C)
async def sync(session: Session, c: Container) -> None:
    if isinstance(c.root, Executed):
        await executed(session, c.root)
    elif c.root != Container().root:
        await images.image_of(session, c.root)


@field(C)
async def with_error(_: Session, c: Container, err: str) -> Container:
    if err:
        raise DaggerPodmanError(err)
    return c


# --- services -----------------------------------------------------------------------------------------
@field(C)
async def as_service(
    _: Session,
    c: Container,
    args: Sequence[str] = (),
    use_entrypoint: bool = False,
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> services.ServiceValue:
    if experimental_privileged_nesting:
        raise NotAvailableError("the argument 'experimentalPrivilegedNesting' of Container.asService")
    command = tuple(c.expand(a, expand) for a in args) or c.args
    if use_entrypoint:
        command = c.entrypoint + command
    if not command and c.last_exec():
        command = c.last_exec().args  # type: ignore[union-attr]
    return services.ServiceValue(c, command, privileged=insecure_root_capabilities)


@field(C)
async def up(
    session: Session,
    c: Container,
    random: bool = False,
    ports: Sequence[dict[str, Any]] = (),
    args: Sequence[str] = (),
    use_entrypoint: bool = False,
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> None:
    value = await as_service(session, c, args, use_entrypoint, False, insecure_root_capabilities, expand)
    await services.up(session, value, ports, random)


# --- in and out ---------------------------------------------------------------------------------------
@field(C)
async def as_tarball(
    session: Session,
    c: Container,
    platform_variants: Sequence[Node] = (),
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
) -> FileValue:
    _one_platform(platform_variants)
    with session.store.temporary_folder() as folder:
        await save(session, c, folder / "image.tar", media_types)
        with (folder / "image.tar").open("rb") as file:
            digest, size = await asyncio.to_thread(session.store.add_blob, file)
    return FileValue("image.tar", Entry("file", 0o644, content=digest, size=size))


async def save(session: Session, c: Container, target: Path, media_types: str = "OCIMediaTypes") -> None:
    """Write the image as a tarball that appears whole or not at all."""
    image = await images.assemble(session, c)
    kind = "docker-archive" if media_types == "DockerMediaTypes" else "oci-archive"
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        await session.podman("save", "-q", "--format", kind, "-o", str(part), image)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


@field(C)
async def import_(session: Session, c: Container, source: Node, tag: str = "") -> Container:
    value: FileValue = await session.value(source)
    with session.store.temporary_folder() as folder:
        (folder / "image.tar").symlink_to(session.store.blob(value.entry.content))
        loaded = await session.podman("load", "-q", "-i", str(folder / "image.tar"))
    name = loaded.splitlines()[-1].partition(": ")[2] or loaded
    image = await session.podman("image", "inspect", "--format", "{{.Id}}", name)
    return await images.container_of(session, image)


@field(C)
async def publish(
    session: Session,
    c: Container,
    address: str,
    platform_variants: Sequence[Node] = (),
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
    registry_service: Node | None = None,
) -> str:
    _one_platform(platform_variants)
    registry = stand_ins.registry_of(stand_ins.canonical(address))
    stand_in = await images.stand_in_below(session, c.labels)
    if stand_in and not images.is_loopback(registry) and registry_service is None:
        raise DaggerPodmanError(
            f"{address}: not published, because the image stands on a stand-in for {stand_in}; "
            "build it where the base image's registry can be reached"
        )
    image = await images.assemble(session, c)
    destination, options = address, []
    if registry_service:
        host = await services.endpoint(session, await session.value(registry_service), None, "")
        destination, options = address.replace(address.partition("/")[0], host, 1), ["--tls-verify=false"]
    elif images.is_loopback(registry):
        options = ["--tls-verify=false"]
    compression = {"Gzip": ["--compression-format", "gzip"], "Zstd": ["--compression-format", "zstd"]}
    kind = "v2s2" if media_types == "DockerMediaTypes" else "oci"
    # Images that share a base go one after the other: the second finds the base's layers there.
    base = next(iter((await images.inspect(session, image))["RootFS"].get("Layers") or ()), image)
    turn: asyncio.Lock = session.memory.setdefault(f"push to {destination.partition('/')[0]} on {base}", asyncio.Lock())
    async with (
        turn,
        _auth_file(session, c, destination) as auth,
        session.progress.step(f"publish {address}") as step,
    ):
        with session.store.temporary_folder() as folder:
            done = await session.podman.run(
                *("push", "--format", kind, "--digestfile", str(folder / "digest"), *options, *auth),
                *compression.get(forced_compression or "", []),
                *(image, f"docker://{destination}"),
                listener=step.output,
            )
            if done.exit_code:
                raise DaggerPodmanError(f"failed to publish {address}: {_last_error(done.stderr)}")
            digest = (folder / "digest").read_text().strip()
    return f"{address}@{digest}"


def _last_error(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.startswith("Error:")]
    return lines[-1].removeprefix("Error: ") if lines else stderr.decode(errors="replace").strip()[-500:]


@contextlib.asynccontextmanager
async def _auth_file(session: Session, c: Container, address: str = "") -> AsyncIterator[list[str]]:
    """Options that hand registry credentials to Podman in a file in memory that goes with the step."""
    if not c.registry_auth:
        yield []
        return
    folder = tempfile.mkdtemp(dir=runtime_folder(), prefix=f"{session.id}-")
    try:
        entries = {}
        for registry, username, secret in c.registry_auth:
            password = (await (await session.value(secret)).read()).rstrip(b"\r\n")
            encoded = base64.b64encode(username.encode() + b":" + password)
            session.scrubber.add(encoded)
            for name in {registry.partition("/")[0], address.partition("/")[0]} - {""}:
                entries[name] = {"auth": encoded.decode()}
        path = Path(folder) / "auth.json"
        path.write_text(json.dumps({"auths": entries}))
        path.chmod(0o600)
        yield ["--authfile", str(path)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@field(C)
async def export(
    session: Session,
    c: Container,
    path: str,
    platform_variants: Sequence[Node] = (),
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
    expand: bool = False,
) -> str:
    _one_platform(platform_variants)
    return await exporting.export(session, c, path)


@field(C)
async def export_image(
    session: Session,
    c: Container,
    name: str,
    platform_variants: Sequence[Node] = (),
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
) -> None:
    _one_platform(platform_variants)
    if not re.fullmatch(r"[a-z0-9]+[\w./:-]*", name):
        raise DaggerPodmanError(f"invalid image name {name!r}")
    image = await images.assemble(session, c)
    with contextlib.suppress(PodmanError):
        await session.podman("untag", f"localhost/{name}")
    await session.podman("tag", image, name)


def _one_platform(variants: Sequence[Node]) -> None:
    if variants:
        raise NotAvailableError("an image of several platforms")
