"""Runs the checks of a list: all at once, each with a deadline of its own."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

import anyio
from pydantic import SecretStr

from ..deploy.waiting import awaited
from ..errors import ProdgyError
from ..together import task_group
from .model import Check, Checks, Finding, List, Result
from .scrub import Scrubber

AT_ONCE = 100
"""Many only wait for a look that they share."""
LONGEST = 2000
"""Characters of evidence that are kept."""

AGAIN = "do what the message says, then check again"
BUG = "this is a fault of the check itself: report it with this line"


async def run(
    checks: Sequence[Check],
    *,
    list_name: List,
    environment: str,
    commit: str | None = None,
    secrets: Iterable[SecretStr | None] = (),
    skips: Callable[[str], bool] = lambda name: False,
    offline: bool = False,
    deadline: float = 120,
    interval: float = 2,
    at_once: int = AT_ONCE,
) -> Checks:
    """Looks at everything and raises nothing: what a check raises is its failure.

    secrets: what must stand in no evidence, in any of its usual spellings. skips: whether the settings leave a check
    out. offline: what needs a network is told as not applicable. deadline: seconds that each check has, from its start,
    with its retries. No checks at all do not pass.
    """
    clean = Scrubber(secrets)
    limit = anyio.Semaphore(at_once)
    ended = {check.name: anyio.Event() for check in checks}
    found: dict[str, Result] = {}

    async def settle(check: Check) -> tuple[Finding, float]:
        if skips(check.name):
            return Finding("not applicable", "left out by checks.skip in prodgy-ci.toml"), 0
        if offline and check.needs_network:
            return Finding("not applicable", "needs the network, and --offline was given"), 0
        if check.after in ended:
            await ended[check.after].wait()
            if found[check.after].status in ("failed", "not applicable"):
                state = "failed" if found[check.after].status == "failed" else "was not looked at"
                return Finding("not applicable", f"not looked at, since `{check.after}` {state}"), 0
        return await _observe(check, limit, deadline, interval)

    async def one(check: Check) -> None:
        finding, seconds = await settle(check)
        found[check.name] = Result(
            name=check.name,
            status=finding.status,
            evidence=_cut(clean(finding.evidence)),
            mend=_cut(clean(finding.mend)) if finding.mend else None,
            seconds=round(seconds, 3),
        )
        ended[check.name].set()

    waiting: AbstractAsyncContextManager[None] = awaited(f"{len(checks)} checks") if checks else nullcontext()
    async with waiting, task_group() as group:
        for check in checks:
            group.start_soon(one, check)
    results = tuple(found[check.name] for check in checks)
    return Checks(list=list_name, environment=environment, commit=commit, results=results)


async def _observe(check: Check, limit: anyio.Semaphore, deadline: float, interval: float) -> tuple[Finding, float]:
    """The first finding that is no failure, else the last one before the deadline; and the seconds it took.

    Between two looks its place is free for others.
    """
    start: float | None = None
    last: Finding | None = None
    looks = 0
    while True:
        async with limit:
            start = time.monotonic() if start is None else start
            with anyio.move_on_after(start + deadline - time.monotonic()):
                last = await _look(check)
                looks += 1
        passed = time.monotonic() - start
        if last and (last.status != "failed" or last.final or not check.retries):
            return last, passed
        if last is None or passed + interval > deadline:
            return _given_up(last, looks, passed), passed
        await anyio.sleep(interval)


def _given_up(last: Finding | None, looks: int, seconds: float) -> Finding:
    if last is None:
        mend = "see whether what it asks is up and reachable"
        return Finding("failed", f"did not end within {seconds:.0f} s", mend)
    times = f" (looked at {looks} times in {seconds:.0f} s)" if looks > 1 else ""
    return Finding(last.status, f"{last.evidence}{times}", last.mend)


async def _look(check: Check) -> Finding:
    try:
        return await check.look()
    except ProdgyError as error:
        return Finding("failed", str(error), getattr(error, "mend", None) or AGAIN)
    except Exception as error:  # a check that breaks must not take the others with it
        return Finding("failed", f"{type(error).__name__}: {error}", BUG)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
