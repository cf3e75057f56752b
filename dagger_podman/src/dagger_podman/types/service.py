"""Service: start, stop, and the ways to reach it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .. import services
from ..fields import computed, field
from ..services import ServiceValue
from ..session import Session
from ..terminal import in_service

S = "Service"

computed(
    S,
    sync=lambda s: None,
    ports=lambda s: list(s.ports),
    withHostname=lambda s, hostname: dataclasses.replace(s, hostname=hostname),
)
for function in (services.endpoint, services.stop, services.up):
    field(S)(function)


@field(S)
async def start(session: Session, s: ServiceValue) -> None:
    await services.start(session, s)


@field(S)
async def terminal(session: Session, s: ServiceValue, cmd: Sequence[str] = ()) -> ServiceValue:
    await in_service(session, s, cmd)
    return s


@field(S)
async def hostname(session: Session, s: ServiceValue) -> str:
    return s.hostname or (await services.start(session, s)).name


@field("Query", "_hostService")
async def host_service(_: Session, host: str, port: int) -> ServiceValue:
    """Something that listens on the caller's machine."""
    return ServiceValue(target=(host, port))
