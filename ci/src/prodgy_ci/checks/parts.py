"""One look that several checks share: each check is a part of what it finds out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import anyio

from .model import Check, Finding

T = TypeVar("T")
Findings = Mapping[str, Finding]
"""By part. What a look did not come to, since an earlier part failed, is not there."""


def once(work: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """The same work for all who ask, done once, also where they ask at the same moment; an error goes to all."""
    lock = anyio.Lock()
    done: list[T | Exception] = []

    async def answer() -> T:
        async with lock:
            if not done:
                try:
                    done.append(await work())
                except Exception as error:  # raised below, for each who asks
                    done.append(error)
        if isinstance(done[0], Exception):
            raise done[0]
        return done[0]

    return answer


def split(subject: str, parts: Sequence[str], look: Callable[[], Awaitable[Findings]]) -> list[Check]:
    """A check `SUBJECT PART` for each part, in the order in which the look comes to them."""
    shared = once(look)

    async def part(name: str) -> Finding:
        found = await shared()
        if name in found:
            return found[name]
        stopped = next((part for part in parts if part in found and found[part].status == "failed"), parts[0])
        return Finding("not applicable", f"not looked at, since `{subject} {stopped}` failed")

    return [Check(f"{subject} {name}", partial(part, name)) for name in parts]
