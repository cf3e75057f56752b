"""Container: where it comes from, what runs in it, and where it goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from .. import images, services
from ..errors import DaggerPodmanError
from ..execution import executed, output
from ..fields import field
from ..nodes import Node
from ..registry_auth import auth_file
from ..session import Session
from ..state import Container, Executed
from ..terminal import in_container

C = "Container"


@field("Query")
async def container(_: Session, platform: str = "") -> Container:
    return Container(platform=platform)


@field(C)
async def from_(session: Session, c: Container, address: str, registry_service: Node | None = None) -> Container:
    async with auth_file(session, c) as auth:
        if registry_service:
            host = await services.endpoint(session, await session.value(registry_service), None, "")
            name = address.replace(address.partition("/")[0], host, 1)
            image = await images.from_registry(session, name, c.platform, [*auth, "--tls-verify=false"])
        else:
            image = await images.pulled(session, address, c.platform, auth)
    plain = await images.container_of(session, image, address)
    return dataclasses.replace(
        plain, registry_auth=c.registry_auth, mounts=c.mounts, secret_env=c.secret_env, bindings=c.bindings
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
    expand: bool = False,
) -> Container:
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


@field(C)
async def terminal(
    session: Session, c: Container, cmd: Sequence[str] = (), insecure_root_capabilities: bool = False
) -> Container:
    await in_container(session, c, cmd, insecure_root_capabilities)
    return c


@field(C)
async def with_default_terminal_cmd(_: Session, c: Container, args: Sequence[str]) -> Container:
    return dataclasses.replace(c, terminal=tuple(args))


# --- services -----------------------------------------------------------------------------------------
@field(C, ignores=("noInit",))
async def as_service(
    _: Session,
    c: Container,
    args: Sequence[str] = (),
    use_entrypoint: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
) -> services.ServiceValue:
    command = tuple(c.expand(a, expand) for a in args) or c.args
    if use_entrypoint:
        command = c.entrypoint + command
    if not command and c.last_exec():
        command = c.last_exec().args  # type: ignore[union-attr]
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
    expand: bool = False,
) -> None:
    value = await as_service(session, c, args, use_entrypoint, insecure_root_capabilities, expand)
    await services.up(session, value, ports, random)
