"""Container: its configuration, which runs nothing."""

from __future__ import annotations

import dataclasses
import posixpath

from ..fields import field
from ..nodes import Node
from ..session import Session
from ..state import Container, Port, set_pair

C = "Container"


@field(C)
async def with_env_variable(_: Session, c: Container, name: str, value: str, expand: bool = False) -> Container:
    return dataclasses.replace(c, env=set_pair(c.env, name, c.expand(value, expand)))


@field(C)
async def without_env_variable(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, env=set_pair(c.env, name, None))


@field(C)
async def env_variable(_: Session, c: Container, name: str) -> str | None:
    return dict(c.env).get(name)


@field(C)
async def env_variables(_: Session, c: Container) -> list[tuple[str, str]]:
    return list(c.env)


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
async def label(_: Session, c: Container, name: str) -> str | None:
    return dict(c.labels).get(name)


@field(C)
async def labels(_: Session, c: Container) -> list[tuple[str, str]]:
    return list(c.labels)


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
async def workdir(_: Session, c: Container) -> str:
    return c.workdir


@field(C)
async def with_user(_: Session, c: Container, name: str) -> Container:
    return dataclasses.replace(c, user=name)


@field(C)
async def without_user(_: Session, c: Container) -> Container:
    return dataclasses.replace(c, user="")


@field(C)
async def user(_: Session, c: Container) -> str:
    return c.user


@field(C)
async def with_entrypoint(
    _: Session, c: Container, args: tuple[str, ...] = (), keep_default_args: bool = False
) -> Container:
    return dataclasses.replace(c, entrypoint=tuple(args), args=c.args if keep_default_args else ())


@field(C)
async def without_entrypoint(_: Session, c: Container, keep_default_args: bool = False) -> Container:
    return dataclasses.replace(c, entrypoint=(), args=c.args if keep_default_args else ())


@field(C)
async def entrypoint(_: Session, c: Container) -> list[str]:
    return list(c.entrypoint)


@field(C)
async def with_default_args(_: Session, c: Container, args: tuple[str, ...]) -> Container:
    return dataclasses.replace(c, args=tuple(args))


@field(C)
async def without_default_args(_: Session, c: Container) -> Container:
    return dataclasses.replace(c, args=())


@field(C)
async def default_args(_: Session, c: Container) -> list[str]:
    return list(c.args)


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
async def exposed_ports(_: Session, c: Container) -> list[Port]:
    return list(c.ports)


@field(C)
async def platform(_: Session, c: Container) -> str:
    from ..images import session_platform

    return c.platform or session_platform()


@field(C)
async def image_ref(_: Session, c: Container) -> str:
    return c.reference


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


@field("EnvVariable", "name")
@field("Label", "name")
async def pair_name(_: Session, pair: tuple[str, str]) -> str:
    return pair[0]


@field("EnvVariable", "value")
@field("Label", "value")
async def pair_value(_: Session, pair: tuple[str, str]) -> str:
    return pair[1]


@field("Port", "port")
async def port_number(_: Session, port: Port) -> int:
    return port.number


@field("Port", "protocol")
async def port_protocol(_: Session, port: Port) -> str:
    return port.protocol


@field("Port", "description")
async def port_description(_: Session, port: Port) -> str | None:
    return port.description


@field("Port", "experimentalSkipHealthcheck")
async def port_skip(_: Session, port: Port) -> bool:
    return port.skip_health_check
