"""Counts and shows the error lines in a service's log."""

import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

import anyio

from ..catalog.checklists import Logs
from ..errors import ProdgyError
from .model import Check, Finding, Status

Source = Callable[[str], AsyncIterator[str]]
"""From a service's name to its log since the deployment, in pieces of any length; a log may go on without end."""

SHOWN, LONGEST_LINE, LARGEST = 5, 2000, 16_000_000


@dataclass
class Tally:
    """What a log holds."""

    lines: int = 0
    errors: int = 0
    shown: list[str] = field(default_factory=list)
    """The last error lines."""

    def add(self, lines: Iterable[str], error: re.Pattern[str]) -> None:
        """Counts more lines."""
        for line in lines:
            self.lines += bool(line.strip())
            if error.search(line[:LONGEST_LINE]):
                self.errors += 1
                self.shown = [*self.shown, line.strip()][-SHOWN:]


def check(service: str, source: Source, logs: Logs) -> Check:
    """`logs of SERVICE`. One that cannot be read fails only where its errors could."""

    async def look() -> Finding:
        try:
            return judge(service, await _read(source(service), logs), logs)
        except ProdgyError as error:
            status: Status = "warning" if logs.most_errors is None else "failed"
            return Finding(status, f"could not be read: {error}", f"read the log of {service} by hand")

    return Check(f"logs of {service}", look, retries=True)


def judge(service: str, tally: Tally, logs: Logs) -> Finding:
    """Errors are shown; they fail where the settings say how many are too many."""
    if not tally.lines:
        return Finding("warning", "no line was read", f"see whether {service} writes its log to standard output")
    if not tally.errors:
        return Finding("passed", f"{tally.lines} lines, no error")
    evidence = "\n".join((f"{tally.errors} error lines of {tally.lines}, the last:", *tally.shown))
    too_many = logs.most_errors is not None and tally.errors > logs.most_errors
    return Finding("failed" if too_many else "warning", evidence, f"read the log of {service}")


async def _read(pieces: AsyncIterator[str], logs: Logs) -> Tally:
    tally, error, rest, size = Tally(), re.compile(logs.error, re.MULTILINE), "", 0
    with anyio.move_on_after(logs.seconds) as scope:
        async for piece in pieces:
            size += len(piece)
            *whole, rest = (rest + piece).split("\n")
            tally.add(whole, error)
            if size > LARGEST:
                break
    tally.add([rest], error)
    if close := getattr(pieces, "aclose", None):  # a generator that was not read to its end
        await close()
    if scope.cancelled_caught and logs.most_errors is not None:
        raise ProdgyError(f"it was not read to its end in {logs.seconds:g} s")
    return tally
