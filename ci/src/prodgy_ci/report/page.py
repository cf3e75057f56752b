"""report.html: the whole run as one page that needs nothing else, no scripts either."""

from collections.abc import Iterator

from ..deploy.record import Served
from . import facts
from .markup import block, code, details, escape, section, state, table
from .picture import picture
from .run import Run
from .style import CSS
from .text import counted, duration, first_line, last_lines, size
from .verdict import Failure, Verdict

SHOWN_PATHS = 200


def page(run: Run, verdict: Verdict) -> str:
    """The content of report.html."""
    parts = (
        _head(run, verdict),
        _failures(verdict.failures),
        _unknown(verdict),
        section("What changed, and why", _services(run) + _changed(run)),
        section("Over time", picture(run.about.spans, run.about.seconds) if run.about and run.about.spans else ""),
        section("Tests", _tests(run)),
        section("Images", _images(run)),
        *_deployments(run),
        *_checks(run),
        section("Warnings", _list(verdict.warnings)),
        section("Notes", _list(verdict.notes)),
    )
    title = escape(f"{verdict.words}: {facts.place(run)}")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(filter(None, parts))
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(run: Run, verdict: Verdict) -> str:
    badge = f'<span class="badge {verdict.words}">{_VERDICTS[verdict.words]}</span>'
    if run.about is None:
        return f"<header>{badge}<h1>A run that cannot be told of</h1></header>"
    about, plan = run.about, run.plan
    told = {
        "commit": about.commit[:10],
        "for": about.environment or "no environment",
        "began": about.started.replace("T", " ").replace("+00:00", " UTC"),
        "took": duration(about.seconds),
    }
    if plan is not None:
        told["affected"] = f"{len(plan.affected)} of {counted(len(plan.services), 'service')}"
    facts_ = "".join(f"<li>{escape(key)} <b>{escape(value)}</b></li>" for key, value in told.items())
    return f'<header>{badge}<h1>{escape(about.ref)}</h1><ul class="facts">{facts_}</ul></header>'


_VERDICTS = {"passed": "✓ passed", "failed": "✗ failed", "incomplete": "? incomplete"}


def _failures(failures: tuple[Failure, ...]) -> str:
    """All of them in sight; the words of the first unfolded."""
    items = []
    for number, failure in enumerate(failures):
        log = block(failure.log) if failure.log != failure.why else ""
        summary = f'<b class="failed">✗ {escape(failure.title)}</b> {escape(failure.why)}'
        items.append(f"<li>{details(summary, log, opened=number == 0)}</li>")
    return (
        f'<section class="failure"><h2>What failed</h2><ul class="list">{"".join(items)}</ul></section>'
        if items
        else ""
    )


def _unknown(verdict: Verdict) -> str:
    if not verdict.incomplete:
        return ""
    title = "<h2>Could not be told, so it has not passed</h2>"
    return f'<section class="failure unknown">{title}{_list(verdict.incomplete)}</section>'


def _list(lines: tuple[str, ...]) -> str:
    return f'<ul class="list">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>' if lines else ""


def _services(run: Run) -> str:
    if run.plan is None:
        return ""
    stages = facts.stages(run)
    shown = [row for row in facts.rows(run) if row.action != "skip"]
    skipped = [row for row in facts.rows(run) if row.action == "skip"]
    bases = {row.compared for row in shown}
    rows = [
        (
            escape(row.name) + ("" if row.action == "build" else f' <span class="soft">{escape(row.action)}</span>'),
            escape(row.why) + (f"<br>{_compared(row.compared)}" if len(bases) > 1 else ""),
            *(_stage(row.cells.get(stage)) for stage in stages),
        )
        for row in shown
    ]
    head = f"<p>{_compared(bases.pop())}</p>" if len(bases) == 1 else ""
    head += table(["service", "why", *stages], rows) or "<p>Nothing is to be built: no service is affected.</p>"
    listed = table(["service", "why"], [(escape(row.name), escape(row.why)) for row in skipped])
    return head + (details(f"{counted(len(skipped), 'service')} not affected", listed) if skipped else "")


def _compared(base: str) -> str:
    return f'<span class="soft">compared with {escape(base)}</span>'


def _stage(cell: facts.Cell | None) -> str:
    return state(cell.state, cell.text) if cell else state("none", facts.SIGNS["none"])


def _changed(run: Run) -> str:
    parts = []
    for commit, changes in run.plan.changed.items() if run.plan else ():
        lines = [f"{letter} {path}" for path, letter in list(changes.paths.items())[:SHOWN_PATHS]]
        more = len(changes.paths) - len(lines)
        lines += [f"… and {more} more"] if more else []
        said = f"{counted(len(changes.paths), 'path')} changed since {commit[:10]}"
        parts.append(details(escape(said), block("\n".join(lines))))
    return "".join(parts)


def _tests(run: Run) -> str:
    rows = []
    for one in run.tests.tests if run.tests else ():
        log = last_lines("\n\n".join(one.failures) or run.texts.get(f"logs/{one.service}-{one.kind}.txt", ""))
        said = escape(first_line(one.reason or "")) or f"{one.tests} passed" + (
            f", {one.skipped} skipped" if one.skipped else ""
        )
        mark = state(one.verdict, f"{facts.SIGNS[one.verdict]} {one.verdict}")
        evidence = details(said, block(log))
        rows.append((escape(one.service), escape(one.kind), mark, evidence, escape(duration(one.seconds))))
    return table(["service", "kind", "result", "evidence", "time"], rows)


def _images(run: Run) -> str:
    rows = []
    for image in run.images.images.values() if run.images else ():
        mark = state("failed" if image.result == "failed" else "passed", image.result)
        digest = code(image.digest or "-")
        tags = ", ".join(tag for tag in image.tags if f":{tag}@" not in (image.reference or ""))
        about = escape(first_line(image.error or image.note or ""))
        if image.reference:
            name, _, _ = image.reference.partition("@")
            about = f"{code(name)}<br>{digest}" + (f'<br><span class="soft">{escape(tags)}</span>' if tags else "")
        rows.append((escape(image.service), mark, about, escape(size(image.size))))
    if rows:
        return table(["service", "result", "reference", "size"], rows)
    built = [
        (escape(b.service), code(b.image), escape(size(b.size)))
        for b in (run.builds.builds if run.builds else ())
        if b.error is None
    ]
    return table(["service", "built, not published", "size"], built)


def _deployments(run: Run) -> Iterator[str]:
    if run.deployments is None:
        return
    made = run.deployments
    rows = []
    for name, one in made.services.items():
        good = one.error is None and one.result in ("deployed", "unchanged", "would deploy")
        mark = state("passed" if good else "failed", f"{facts.SIGNS['passed' if good else 'failed']} {one.result}")
        steps = details(escape(counted(len(one.steps), "step")), block("\n".join(one.steps))) if one.steps else ""
        rows.append((escape(name), mark, _served(one.before), _served(one.after), escape(duration(one.seconds)), steps))
    yield section(
        f"{made.action.capitalize()} in {made.environment}",
        table(["service", "result", "before", "after", "time", "steps"], rows),
    )


def _served(one: Served | None) -> str:
    if one is None:
        return '<span class="soft">nothing</span>'
    further = [one.revision, (one.digest or "")[:19], f"since {one.since}" if one.since else ""]
    return code(one.commit[:10]) + f'<br><span class="soft">{"<br>".join(map(escape, filter(None, further)))}</span>'


def _checks(run: Run) -> Iterator[str]:
    """What did not pass in sight; the rest folded, by how it went."""
    for checks in run.checks:
        items = []
        for one in checks.results:
            if one.status in ("failed", "warning"):
                mark = state(one.status, f"{facts.SIGNS[one.status]} {one.status}")
                evidence = block("\n".join(filter(None, (one.evidence, one.mend))))
                summary = f'{escape(one.name)} {mark} <span class="soft">{escape(duration(one.seconds))}</span>'
                items.append(f"<li>{details(summary, evidence, opened=True)}</li>")
        for status in ("passed", "not applicable"):
            rows = [
                (escape(one.name), escape(one.evidence), escape(duration(one.seconds)) if status == "passed" else "")
                for one in checks.results
                if one.status == status
            ]
            if rows:
                mark = state(status, f"{facts.SIGNS[status]} {len(rows)} {status}")
                items.append(f"<li>{details(mark, table(['check', 'evidence', 'time'], rows))}</li>")
        yield section(
            f"{checks.list.capitalize()} of {checks.environment}",
            f'<ul class="list">{"".join(items)}</ul>' if items else "<p>Nothing was checked.</p>",
        )
