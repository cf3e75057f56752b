"""Service: start, stop, and the ways to reach it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from .. import services
from ..fields import field, reads
from ..services import ServiceValue
from ..session import Session
from ..terminal import in_service

S = "Service"


reads(S, ports=lambda s: list(s.ports))


@field(S, "start", "sync")
async def start(session: Session, s: ServiceValue) -> None:
    await services.start(session, s)


@field(S)
async def stop(session: Session, s: ServiceValue, kill: bool = False) -> None:
    await services.stop(session, s, kill)


@field(S)
async def up(session: Session, s: ServiceValue, ports: Sequence[dict[str, Any]] = (), random: bool = False) -> None:
    await services.up(session, s, ports, random)


@field(S)
async def terminal(session: Session, s: ServiceValue, cmd: Sequence[str] = ()) -> ServiceValue:
    await in_service(session, s, cmd)
    return s


@field(S)
async def endpoint(session: Session, s: ServiceValue, port: int | None = None, scheme: str = "") -> str:
    return await services.endpoint(session, s, port, scheme)


@field(S)
async def hostname(session: Session, s: ServiceValue) -> str:
    return s.hostname or (await services.start(session, s)).name


@field(S)
async def with_hostname(_: Session, s: ServiceValue, hostname: str) -> ServiceValue:
    return dataclasses.replace(s, hostname=hostname)


@field("Query", "_hostService")
async def host_service(_: Session, host: str, port: int) -> ServiceValue:
    """Something that listens on the caller's machine."""
    return ServiceValue(target=(host, port))
