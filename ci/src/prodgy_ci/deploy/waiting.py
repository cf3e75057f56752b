"""Waits for something outside, and says every so often what is awaited."""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from ..errors import ProdgyError
from ..together import task_group

EVERY = 15.0
"""Seconds between two lines of a long wait."""

T = TypeVar("T")


def say(text: str) -> None:
    """A line for whoever watches."""
    print(text, file=sys.stderr, flush=True)


@asynccontextmanager
async def awaited(what: str, every: float = EVERY) -> AsyncIterator[None]:
    """Says `waiting for WHAT (N s)` every so often while the block runs."""
    start = time.monotonic()

    async def remind() -> None:
        while True:
            await anyio.sleep(every)
            say(f"waiting for {what} ({time.monotonic() - start:.0f} s)")

    async with task_group() as group:
        group.start_soon(remind)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


async def until(what: str, probe: Callable[[], Awaitable[T | None]], deadline: float, interval: float = 1.0) -> T:
    """The first answer of `probe` that is not None; raises ProdgyError once `deadline` seconds have passed."""
    end = time.monotonic() + deadline
    async with awaited(what):
        while True:
            if (answer := await probe()) is not None:
                return answer
            if time.monotonic() + interval > end:
                raise ProdgyError(f"waited {deadline:.0f} s for {what}")
            await anyio.sleep(interval)
