"""What a run of tests came to, and the words for it. No Dagger."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from ..errors import ProdgyError
from ..records import Record, aligned
from . import junit

Kind = Literal["unit", "integration"]

DEADLINE_PASSED = 124
"""The exit code of `timeout`."""
KILLED = 137
LAST_LINES = 60


class Outcome(Record):
    """How the tests of one kind of one service went."""

    service: str
    kind: Kind
    verdict: Literal["passed", "failed"]
    reason: str | None = Field(default=None, description="Why it failed; null where it passed")
    tests: int = Field(description="Tests that ran")
    failed: int
    skipped: int
    seconds: float
    failures: tuple[str, ...] = Field(default=(), description="Each failing test's name and what it said")
    log: str = Field(default="", exclude=True)
    report: str | None = Field(default=None, exclude=True)
    began: float = Field(default=0, exclude=True)


class Outcomes(Record):
    """The file tests.json."""

    tests: tuple[Outcome, ...]


def judge(
    service: str, kind: Kind, exit_code: int, seconds: float, deadline: int, log: str, report: str | None
) -> Outcome:
    """The outcome of a test command that ended: it passed only where tests ran, none failed, and it said so itself."""
    results, reason = junit.Results(0, 0, ()), None
    if report is None:
        reason = f"it wrote no /reports/{kind}.xml"
    else:
        try:
            results = junit.read(report)
        except ProdgyError as error:
            reason = str(error)
    if exit_code == DEADLINE_PASSED:
        reason = f"it did not end within {deadline} s"
    elif exit_code == KILLED:
        reason = "it was killed (exit code 137); often the machine ran out of memory"
    elif results.failures:
        reason = f"{len(results.failures)} of {results.tests} tests failed"
    elif exit_code:
        reason = f"exit code {exit_code}" + (f"; {reason}" if reason else "")
    elif reason is None and results.tests == 0:
        reason = "no test was executed"
    return Outcome(
        service=service,
        kind=kind,
        verdict="failed" if reason else "passed",
        reason=reason,
        tests=results.tests,
        failed=len(results.failures),
        skipped=results.skipped,
        seconds=round(seconds, 1),
        failures=tuple(f"{f.name}\n{f.message}".strip() for f in results.failures),
        log=log,
        report=report,
    )


def broken(service: str, kind: Kind, seconds: float, reason: str) -> Outcome:
    """The outcome where the tests could not be run at all."""
    return Outcome(
        service=service,
        kind=kind,
        verdict="failed",
        reason=reason,
        tests=0,
        failed=0,
        skipped=0,
        seconds=round(seconds, 1),
    )


def table(outcomes: Iterable[Outcome]) -> str:
    """One line for each outcome."""
    rows = [("SERVICE", "KIND", "VERDICT", "TESTS", "SKIPPED", "SECONDS", "")]
    rows += [
        (
            o.service,
            o.kind,
            o.verdict,
            str(o.tests),
            str(o.skipped),
            f"{o.seconds:.1f}",
            (o.reason or "").partition("\n")[0],
        )
        for o in outcomes
    ]
    return aligned(rows)


def explain(outcomes: Iterable[Outcome]) -> str:
    """The table, and each failure with the failing tests' output or, without a report, the last lines of the log."""
    listed = list(outcomes)
    parts = [table(listed)]
    for outcome in listed:
        if outcome.verdict == "failed":
            said = "\n\n".join(outcome.failures) or "\n".join(outcome.log.splitlines()[-LAST_LINES:])
            parts.append(f"{outcome.service} ({outcome.kind}): {outcome.reason}\n{said}".rstrip() + "\n")
    return "\n".join(parts)
