"""Waits for a revision."""

import time
from dataclasses import dataclass

import anyio

from ...errors import ProdgyError
from ..waiting import awaited
from . import states
from .client import Client
from .transport import next_look
from .view import Json


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds."""

    appear: float = 120.0
    """For a revision that was made to be known."""
    healthy: float = 600.0
    """The service's own default probe gives a container 240 s to start."""
    visited: float = 180.0
    """For the public address of a healthy revision, or of the app after the switch."""
    interval: float = 3.0
    """Between two looks at something that takes long; at first they are closer."""
    failing: float = 15.0
    """For a revision that says it is broken to say otherwise."""


async def appears(client: Client, app: str, name: str, patience: Patience) -> bool:
    """Whether a revision becomes known; for one whose creation was taken."""
    start = time.monotonic()
    while await client.revision(app, name) is None:
        passed = time.monotonic() - start
        if passed > patience.appear:
            return False
        await anyio.sleep(next_look(passed, patience.interval))
    return True


async def healthy(client: Client, app: str, name: str, patience: Patience) -> tuple[Json, bool]:
    """The revision once it is healthy by its own state, and whether it is scaled to zero, which proves less.

    Raises ProdgyError with the reason and what its replicas tell.
    """
    start = well = time.monotonic()
    async with awaited(f"{name} to be healthy"):
        while True:
            found = await client.revision(app, name)
            verdict = states.revision(found) if found else states.Verdict("waiting", "it is not known")
            if found and verdict.kind in ("ready", "asleep"):
                return found, verdict.kind == "asleep"
            now = time.monotonic()
            passed, well = now - start, well if verdict.kind == "failing" else now
            late = passed > (patience.healthy if found else patience.appear)
            if late or verdict.kind == "failed" or now - well > patience.failing:
                details = await _details(client, app, name)
                raise ProdgyError(f"{name} is not healthy after {passed:.0f} s: {verdict.reason}{details}")
            await anyio.sleep(next_look(passed, patience.interval))


async def _details(client: Client, app: str, name: str) -> str:
    try:
        told = states.replicas(await client.replicas(app, name))
    except ProdgyError:  # the reason that is known matters more
        return ""
    return f"; {told}" if told else ""
