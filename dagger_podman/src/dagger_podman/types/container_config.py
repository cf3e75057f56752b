"""Container: its configuration, which runs nothing."""

from __future__ import annotations

import dataclasses
import posixpath
from operator import itemgetter

from ..fields import field, reads
from ..host import own_platform
from ..nodes import Node
from ..session import Session
from ..state import Container, Port, set_pair

C = "Container"


reads(
    C,
    defaultArgs=lambda c: list(c.args),
    entrypoint=lambda c: list(c.entrypoint),
    envVariables=lambda c: list(c.env),
    exposedPorts=lambda c: list(c.ports),
    imageRef=lambda c: c.reference,
    labels=lambda c: list(c.labels),
    platform=lambda c: c.platform or own_platform(),
    user=lambda c: c.user,
    workdir=lambda c: c.workdir,
)
reads("EnvVariable", name=itemgetter(0), value=itemgetter(1))
reads("Label", name=itemgetter(0), value=itemgetter(1))
reads(
    "Port",
    description=lambda p: p.description,
    experimentalSkipHealthcheck=lambda p: p.skip_health_check,
    port=lambda p: p.number,
    protocol=lambda p: p.protocol,
)


@field(C)
async def env_variable(_: Session, c: Container, name: str) -> str | None:
    return dict(c.env).get(name)


@field(C)
async def label(_: Session, c: Container, name: str) -> str | None:
    return dict(c.labels).get(name)


@field(C)
async def with_env_variable(_: Session, c: Container, name: str, value: str, expand: bool = False) -> Container:
    return dataclasses.replace(c, env=set_pair(c.env, name, c.expand(value, expand)))


@field(C)
async def without_env_variable(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, env=set_pair(c.env, name, None))


@field(C)
async def with_volatile_variable(_: Session, c: Container, name: str, value: str) -> Container:
    return dataclasses.replace(c, volatile=set_pair(c.volatile, name, value))


@field(C)
async def without_volatile_variable(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, volatile=set_pair(c.volatile, name, None))


@field(C)
async def with_env_file_variables(session: Session, c: Container, source: Node) -> Container:
    for name, value in await session.value(source):
        c = dataclasses.replace(c, env=set_pair(c.env, name, value))
    return c


@field(C)
async def with_secret_variable(_: Session, c: Container, name: str, secret: Node) -> Container:
    kept = tuple(pair for pair in c.secret_env if pair[0] != name)
    return dataclasses.replace(c, secret_env=(*kept, (name, secret)))


@field(C)
async def without_secret_variable(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, secret_env=tuple(pair for pair in c.secret_env if pair[0] != name))


@field(C)
async def with_label(_: Session, c: Container, name: str, value: str) -> Container:
    return dataclasses.replace(c, labels=set_pair(c.labels, name, value))


@field(C)
async def without_label(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, labels=set_pair(c.labels, name, None))


@field(C)
async def with_annotation(_: Session, c: Container, name: str, value: str) -> Container:
    return dataclasses.replace(c, annotations=set_pair(c.annotations, name, value))


@field(C)
async def without_annotation(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, annotations=set_pair(c.annotations, name, None))


@field(C)
async def with_workdir(_: Session, c: Container, path: str, expand: bool = False) -> Container:
    return dataclasses.replace(c, workdir=posixpath.normpath(c.path(c.expand(path, expand))))


@field(C)
async def without_workdir(_: Session, c: Container) -> Container:
    return dataclasses.replace(c, workdir="")


@field(C)
async def with_user(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, user=name)


@field(C)
async def without_user(_: Session, c: Container) -> Container:
    return dataclasses.replace(c, user="")


@field(C)
async def with_entrypoint(
    _: Session, c: Container, args: tuple[str, ...] = (), keep_default_args: bool = False
) -> Container:
    return dataclasses.replace(c, entrypoint=tuple(args), args=c.args if keep_default_args else ())


@field(C)
async def without_entrypoint(_: Session, c: Container, keep_default_args: bool = False) -> Container:
    return dataclasses.replace(c, entrypoint=(), args=c.args if keep_default_args else ())


@field(C)
async def with_default_args(_: Session, c: Container, args: tuple[str, ...]) -> Container:
    return dataclasses.replace(c, args=tuple(args))


@field(C)
async def without_default_args(_: Session, c: Container) -> Container:
    return dataclasses.replace(c, args=())


@field(C)
async def with_exposed_port(
    _: Session,
    c: Container,
    port: int,
    protocol: str = "TCP",
    description: str | None = None,
    experimental_skip_healthcheck: bool = False,
) -> Container:
    kept = tuple(p for p in c.ports if (p.number, p.protocol) != (port, protocol))
    added = Port(port, protocol, description, experimental_skip_healthcheck)
    return dataclasses.replace(c, ports=(*kept, added))


@field(C)
async def without_exposed_port(_: Session, c: Container, port: int, protocol: str = "TCP") -> Container:
    return dataclasses.replace(c, ports=tuple(p for p in c.ports if (p.number, p.protocol) != (port, protocol)))


@field(C)
async def with_registry_auth(_: Session, c: Container, address: str, username: str, secret: Node) -> Container:
    kept = tuple(a for a in c.registry_auth if a[0] != address)
    return dataclasses.replace(c, registry_auth=(*kept, (address, username, secret)))


@field(C)
async def without_registry_auth(_: Session, c: Container, address: str) -> Container:
    return dataclasses.replace(c, registry_auth=tuple(a for a in c.registry_auth if a[0] != address))


@field(C)
async def with_service_binding(_: Session, c: Container, alias: str, service: Node) -> Container:
    kept = tuple(b for b in c.bindings if b[0] != alias)
    return dataclasses.replace(c, bindings=(*kept, (alias, service)))
