"""Container: its configuration and its mounts, which run nothing; and cache volumes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..fields import computed, field
from ..host import own_platform
from ..session import Session
from ..state import CacheVolume, Change, Container, Edited, Mount, Port, Scratch
from ..tree import Tree

C = "Container"

computed(
    C,
    defaultArgs=lambda c: list(c.args),
    entrypoint=lambda c: list(c.entrypoint),
    envVariable=lambda c, name: dict(c.env).get(name),
    envVariables=lambda c: list(c.env),
    exposedPorts=lambda c: list(c.ports),
    label=lambda c, name: dict(c.labels).get(name),
    labels=lambda c: list(c.labels),
    mounts=lambda c: [m.path for m in c.mounts],
    platform=lambda c: c.platform or own_platform(),
    user=lambda c: c.user,
    workdir=lambda c: c.workdir,
)
computed("EnvVariable", name=lambda pair: pair[0], value=lambda pair: pair[1])
computed("Label", name=lambda pair: pair[0], value=lambda pair: pair[1])
computed(
    "Port",
    description=lambda p: p.description,
    experimentalSkipHealthcheck=lambda p: p.skip_health_check,
    port=lambda p: p.number,
    protocol=lambda p: p.protocol,
)


def _without_port(c: Container, port: int, protocol: str = "TCP") -> Container:
    return replace(c, ports=tuple(p for p in c.ports if (p.number, p.protocol) != (port, protocol)))


@field(C)
async def with_exposed_port(
    _: Session,
    c: Container,
    port: int,
    protocol: str = "TCP",
    description: str | None = None,
    experimental_skip_healthcheck: bool = False,
) -> Container:
    added = Port(port, protocol, description, experimental_skip_healthcheck)
    return replace(c, ports=(*_without_port(c, port, protocol).ports, added))


def _with_entrypoint(c: Container, args: tuple[str, ...], keep: bool) -> Container:
    return replace(c, entrypoint=args) if keep else replace(c, entrypoint=args, args=(), own_args=False)


def _without_mount(c: Container, path: str) -> Container:
    return replace(c, mounts=tuple(m for m in c.mounts if m.path != c.path(path)))


computed(
    C,
    lazy=True,
    withAnnotation=lambda c, name, value: c.having("annotations", name, value),
    withDefaultArgs=lambda c, args: replace(c, args=args, own_args=True),
    withDefaultTerminalCmd=lambda c, args: replace(c, terminal=args),
    withEntrypoint=lambda c, args, keep_default_args=False: _with_entrypoint(c, args, keep_default_args),
    withEnvVariable=lambda c, name, value: c.having("env", name, value),
    withLabel=lambda c, name, value: c.having("labels", name, value),
    withRegistryAuth=lambda c, address, username, secret: c.having("registry_auth", address, username, secret),
    withRootfs=lambda c, directory: replace(c, root=Edited(Scratch(), (Change("/", directory),))),
    withSecretVariable=lambda c, name, secret: c.having("secret_env", name, secret),
    withServiceBinding=lambda c, alias, service: c.having("bindings", alias, service),
    withUser=lambda c, name: replace(c, user=name),
    withVolatileVariable=lambda c, name, value: c.having("volatile", name, value),
    withWorkdir=lambda c, path: replace(c, workdir=c.path(path)),
    withoutAnnotation=lambda c, name: c.lacking("annotations", name),
    withoutDefaultArgs=lambda c: replace(c, args=(), own_args=False),
    withoutEntrypoint=lambda c, keep_default_args=False: _with_entrypoint(c, (), keep_default_args),
    withoutEnvVariable=lambda c, name: c.lacking("env", name),
    withoutExposedPort=_without_port,
    withoutLabel=lambda c, name: c.lacking("labels", name),
    withoutMount=_without_mount,
    withoutRegistryAuth=lambda c, address: c.lacking("registry_auth", address),
    withoutSecretVariable=lambda c, name: c.lacking("secret_env", name),
    withoutUnixSocket=_without_mount,
    withoutUser=lambda c: replace(c, user=""),
    withoutVolatileVariable=lambda c, name: c.lacking("volatile", name),
    withoutWorkdir=lambda c: replace(c, workdir=""),
)


# --- mounts -------------------------------------------------------------------------------------------
computed(
    C,
    lazy=True,
    withMountedTemp=lambda c, path, size=0: c.with_mount(Mount("temp", c.path(path), size=size)),
    withMountedSecret=lambda c, path, source, owner="", mode=0o400: c.with_mount(
        Mount("secret", c.path(path), source, owner, mode)
    ),
    withUnixSocket=lambda c, path, source: c.with_mount(Mount("socket", c.path(path), source)),
)
computed(
    C,
    note="for an ordinary user what is mounted belongs to root, whatever `owner` says",
    lazy=True,
    withMountedDirectory=lambda c, path, source, owner="", read_only=False: c.with_mount(
        Mount("directory", c.path(path), source, owner, read_only=read_only)
    ),
    withMountedFile=lambda c, path, source, owner="": c.with_mount(Mount("file", c.path(path), source, owner)),
)


@field(C)
async def with_mounted_cache(
    _: Session,
    c: Container,
    path: str,
    cache: CacheVolume,
    source: Tree | None = None,
    sharing: str | None = None,
    owner: str | None = None,
) -> Container:
    given: dict[str, Any] = {"source": source, "sharing": sharing, "owner": owner}
    volume = replace(cache, **{name: value for name, value in given.items() if value is not None})
    return c.with_mount(Mount("cache", c.path(path), owner=volume.owner, volume=volume))


@field("Query")
async def cache_volume(
    _: Session, key: str, source: Tree | None = None, sharing: str = "SHARED", owner: str = ""
) -> CacheVolume:
    return CacheVolume(key, source, sharing, owner)
