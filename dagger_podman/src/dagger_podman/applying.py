"""What `dagger call` does with changes that a function returns: it shows them, asks, and applies them to this folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from . import tree
from .errors import UsageError
from .exporting import write
from .session import Session
from .values import Changeset


async def apply(session: Session, changes: Changeset, unasked: bool) -> None:
    lines = [f"{how} {path}" for how, paths in zip("AMD", tree.changes(*changes), strict=True) for path in paths]
    with session.progress.aside():
        print(session.scrubber.text("\n".join(lines) or "no changes to apply"), file=sys.stderr, flush=True)
        if lines and (unasked or await _agreed()):
            await write(session, changes, Path("."))


async def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise UsageError("these changes are applied on a yes: run this on a terminal, or with --auto-apply (-y)")
    print("Apply changes? [y/N] ", end="", file=sys.stderr, flush=True)
    typed, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin, typed.set)  # a thread that reads would keep an interrupted command from its end
    await typed.wait()
    loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
