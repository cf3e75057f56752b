"""Container: where it comes from, what runs in it, and where it goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from .. import images, services, stand_ins
from ..errors import DaggerPodmanError
from ..execution import Outcome, executed
from ..fields import field
from ..registry_auth import auth_file, through
from ..session import Session
from ..state import Container, Executed, Image
from ..terminal import in_container

C = "Container"


@field("Query")
async def container(_: Session, platform: str = "") -> Container:
    return Container(platform=platform)


@field(C)
async def from_(
    session: Session, c: Container, address: str, registry_service: services.ServiceValue | None = None
) -> Container:
    name, options = await through(session, address, registry_service)
    async with auth_file(session, c, address, name) as auth:
        pull = images.from_registry if registry_service else images.pulled
        image = await pull(session, name, c.platform, [*auth, *options])
    plain = await images.container_of(session, image, address)
    return dataclasses.replace(
        plain,
        env=tuple({**dict(c.env), **dict(plain.env)}.items()),
        volatile=c.volatile,
        labels=tuple({**dict(c.lacking("labels", images.STAND_IN_LABEL).labels), **dict(plain.labels)}.items()),
        own_args=c.own_args,
        ports=tuple({(p.number, p.protocol): p for p in (*plain.ports, *c.ports)}.values()),
        annotations=c.annotations,
        mounts=c.mounts,
        secret_env=c.secret_env,
        bindings=c.bindings,
        registry_auth=c.registry_auth,
        terminal=c.terminal,
    )


@field(C, note="of a stand-in the digest is its own")
async def image_ref(session: Session, c: Container) -> str:
    if c.reference and isinstance(c.root, Image):
        plain = await images.container_of(session, c.root.id, c.reference)
        kept = {name: getattr(plain, name) for name in ("platform", "registry_auth", "bindings", "terminal")}
        if dataclasses.replace(c, **kept) == plain:
            name = stand_ins.canonical(c.reference)
            return name if "@" in name else f"{name}@{(await images.inspect(session, c.root.id))['Digest']}"
    raise DaggerPodmanError(
        "Image reference can only be retrieved immediately after the 'Container.From' call. "
        "Error in fetching imageRef as the container image is changed"
    )


# --- commands -----------------------------------------------------------------------------------------
@field(C, ignores=("noInit",))
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
    insecure_root_capabilities: bool = False,
) -> Container:
    command = (c.entrypoint if use_entrypoint else ()) + (tuple(args) or c.args)
    if not command:
        raise DaggerPodmanError("no command has been set")
    redirects = (redirect_stdin, redirect_stdout, redirect_stderr)
    ex = Executed(c, command, stdin, *redirects, expect, insecure_root_capabilities)
    changed = tuple(
        dataclasses.replace(m, after=ex) if m.kind in ("directory", "file") and not m.read_only else m for m in c.mounts
    )
    return dataclasses.replace(c, root=ex, mounts=changed)


async def _last_outcome(session: Session, c: Container) -> Outcome:
    if ex := c.last_exec():
        return await executed(session, ex)
    raise DaggerPodmanError("no command has been executed in this container; use withExec first")


@field(C)
async def exit_code(session: Session, c: Container) -> int:
    return (await _last_outcome(session, c)).exit_code


def _output(name: str, stream: str) -> None:
    @field(C, name)
    async def output(session: Session, c: Container) -> str:
        blob = getattr(await _last_outcome(session, c), stream)
        return session.store.read_blob(blob).decode(errors="replace")


_output("stdout", "stdout")
_output("stderr", "stderr")
_output("combinedOutput", "combined")


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


@field(C)
async def terminal(
    session: Session, c: Container, cmd: Sequence[str] = (), insecure_root_capabilities: bool = False
) -> Container:
    await in_container(session, c, cmd, insecure_root_capabilities)
    return c


# --- services -----------------------------------------------------------------------------------------
@field(C, ignores=("noInit",))
async def as_service(
    _: Session,
    c: Container,
    args: Sequence[str] = (),
    use_entrypoint: bool = False,
    insecure_root_capabilities: bool = False,
) -> services.ServiceValue:
    entrypoint = use_entrypoint or not (args or c.own_args)
    command = (c.entrypoint if entrypoint else ()) + (tuple(args) or c.args)
    if not command:
        raise DaggerPodmanError("no service command has been set")
    return services.ServiceValue(c, command, privileged=insecure_root_capabilities)


@field(C, ignores=("noInit",))
async def up(
    session: Session,
    c: Container,
    random: bool = False,
    ports: Sequence[dict[str, Any]] = (),
    args: Sequence[str] = (),
    use_entrypoint: bool = False,
    insecure_root_capabilities: bool = False,
) -> None:
    value = await as_service(session, c, args, use_entrypoint, insecure_root_capabilities)
    await services.up(session, value, ports, random)
