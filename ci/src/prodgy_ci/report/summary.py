"""The run in short: as Markdown for Azure's summary tab, and as text for a terminal."""

import re
from collections.abc import Iterator, Sequence

from ..deploy.record import Served
from ..records import aligned
from . import facts
from .annotations import neutralise
from .run import Run
from .text import clean, duration, first_line, last_lines, size
from .verdict import Failure, Verdict

SHOWN_LINES = 20
"""Of each failure; the page has more."""

_MARKS = re.compile(r"[&<>|`*_\[\]#~\\@!]|:(?=//)")


def markdown(run: Run, verdict: Verdict) -> str:
    """The content of summary.md."""
    parts = [
        f"# prodgy-ci: {verdict.words}",
        _inline(facts.place(run)) + (f", {duration(run.about.seconds)}" if run.about else ""),
        *(_failed(failure) for failure in verdict.failures),
        _list("Could not be told", verdict.incomplete),
        _list("Warnings", verdict.warnings),
        *_services(run),
        *_images(run),
        *_deployments(run),
        *_checks(run),
        _list("Notes", verdict.notes),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def plain(run: Run, verdict: Verdict) -> str:
    """The same for a terminal: what failed stands last, where a reader is left."""
    stages = facts.stages(run)
    rows = facts.rows(run)
    lines = [f"{facts.place(run)}: {verdict.words}"]
    built = [row for row in rows if row.action != "skip"]
    if built:
        table = [("SERVICE", *(stage.upper() for stage in stages), "WHY")]
        table += [(row.name, *(row.cells.get(s, facts.Cell()).text for s in stages), row.why) for row in built]
        lines += ["", aligned(table).rstrip("\n")]
    lines += ["", *(f"note: {note}" for note in verdict.notes)] if verdict.notes else []
    lines += [f"warning: {warning}" for warning in verdict.warnings]
    for failure in verdict.failures:
        log = "".join(f"    {line}\n" for line in last_lines(failure.log, SHOWN_LINES).splitlines())
        lines += ["", f"{failure.title} failed: {failure.why}", log.rstrip("\n")]
    lines += [f"could not tell: {line}" for line in verdict.incomplete]
    return neutralise(clean("\n".join(lines).rstrip() + "\n"))


def _inline(text: str) -> str:
    """Anybody's words inside a line of Markdown, of which nothing is markup."""
    return _MARKS.sub(lambda match: f"&#{ord(match[0])};", " ".join(clean(text).split()))


def _fenced(text: str) -> str:
    """Anybody's lines in a block of code whose fence is longer than any run of the same sign in it."""
    runs = [len(run) for run in re.findall("`+", text)]
    fence = "`" * max(3, *(length + 1 for length in (*runs, 0)))
    return f"{fence}text\n{neutralise(text)}\n{fence}"


def _failed(failure: Failure) -> str:
    head = f"### ✗ {_inline(failure.title)}\n\n{_inline(failure.why)}"
    log = last_lines(failure.log, SHOWN_LINES)
    return f"{head}\n\n{_fenced(log)}" if log and log != failure.why else head


def _list(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {_inline(line)}" for line in lines) if lines else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_inline(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _services(run: Run) -> Iterator[str]:
    if run.plan is None:
        return
    rows = facts.rows(run)
    stages = facts.stages(run)
    shown = [row for row in rows if row.action != "skip"]
    skipped = [row.name for row in rows if row.action == "skip"]
    yield "## What changed, and why"
    if shown:
        cells = [[row.name, *(row.cells.get(s, facts.Cell()).text for s in stages), row.why] for row in shown]
        yield _table(["service", *stages, "why"], cells)
    if skipped:
        yield f"Not affected: {_inline(', '.join(skipped))}"


def _images(run: Run) -> Iterator[str]:
    if run.images is None or not run.images.images:
        return
    rows = [
        (image.service, image.result, image.reference or first_line(image.error or "none"), size(image.size))
        for image in run.images.images.values()
    ]
    yield "## Images"
    yield _table(["service", "result", "reference", "size"], rows)


def _deployments(run: Run) -> Iterator[str]:
    if run.deployments is None:
        return
    rows = [
        (name, one.result, commit(one.before), commit(one.after), duration(one.seconds))
        for name, one in run.deployments.services.items()
    ]
    yield f"## {_inline(run.deployments.action.capitalize())} in {_inline(run.deployments.environment)}"
    yield _table(["service", "result", "before", "after", "time"], rows)


def _checks(run: Run) -> Iterator[str]:
    for checks in run.checks:
        yield f"## {_inline(checks.list.capitalize())} of {_inline(checks.environment)}"
        rows = [(facts.SIGNS[one.status], one.name, first_line(one.evidence)) for one in checks.results]
        yield _table(["", "check", "evidence"], rows)


def commit(served: Served | None) -> str:
    """The commit that a service serves, short."""
    return served.commit[:10] if served else "nothing"
