"""The run over time: a lane for each service, and in it a bar for each thing that was done."""

from collections.abc import Iterable

from .markup import attribute, escape
from .run import Span
from .text import duration

BAR = 18
GAP = 3
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_TICKS = 6
NARROW = 6
"""Per cent of the width, in which no label fits."""


def picture(spans: Iterable[Span], seconds: float) -> str:
    """Scalable drawings in a grid; each bar says in its title what it is."""
    listed = list(spans)
    end = max([seconds, 1.0, *(span.start + span.seconds for span in listed)])
    lanes: dict[str | None, list[Span]] = {}
    for span in sorted(listed, key=lambda span: (span.service is not None, span.start)):
        lanes.setdefault(span.service, []).append(span)
    rows = [_lane(service, mine, end) for service, mine in lanes.items()]
    stages = dict.fromkeys(span.stage for span in listed)
    key = "".join(
        f'<span><svg class="bar {_class(s)}"><rect width="100%" height="100%" rx="3"/></svg>{escape(s)}</span>'
        for s in stages
    )
    return f'<div class="time">{"".join(rows)}{_axis(end)}</div><p class="key">{key}</p>'


def rows_of(spans: Iterable[Span]) -> list[list[Span]]:
    """The spans in as few rows as keep those that overlap apart."""
    rows: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: span.start):
        free = next((row for row in rows if row[-1].start + row[-1].seconds <= span.start), None)
        if free is None:
            rows.append([span])
        else:
            free.append(span)
    return rows


def _lane(service: str | None, spans: list[Span], end: float) -> str:
    rows = rows_of(spans)
    height = len(rows) * (BAR + GAP) - GAP
    bars = "".join(_bar(span, number, end) for number, row in enumerate(rows) for span in row)
    grid = "".join(f'<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y2="100%"/>' for _, x in _ticks(end))
    name = escape(service or "all")
    drawing = f'<svg height="{height}" role="img" aria-label="{attribute(_said(spans))}">{grid}{bars}</svg>'
    return f'<div class="lane">{name}</div><div>{drawing}</div>'


def _bar(span: Span, row: int, end: float) -> str:
    left = max(0.0, 100 * span.start / end)
    width = max(0.4, 100 * span.seconds / end)
    good = span.result == "passed"
    label = f"{'' if good else '✗ '}{span.stage}  {duration(span.seconds)}" if width >= NARROW else "" if good else "✗"
    return (
        f'<svg class="bar {_class(span.stage)}{"" if good else " broken"}" x="{min(left, 99.6):.2f}%" '
        f'y="{row * (BAR + GAP)}" width="{width:.2f}%" height="{BAR}"><title>{escape(_said([span]))}</title>'
        f'<rect width="100%" height="{BAR}" rx="4"/><text x="6" y="13">{escape(label)}</text></svg>'
    )


def _axis(end: float) -> str:
    texts = "".join(
        f'<text x="{x:.2f}%" y="12" text-anchor="{"start" if not at else "middle"}">{_short(at)}</text>'
        for at, x in _ticks(end)
        if x < 92
    )
    return f'<div></div><div><svg class="axis" height="16" aria-hidden="true">{texts}</svg></div>'


def _ticks(end: float) -> list[tuple[int, float]]:
    step = next(
        (tick for tick in TICKS if end / tick <= MOST_TICKS), TICKS[-1] * (1 + int(end / TICKS[-1] / MOST_TICKS))
    )
    return [(at, 100 * at / end) for at in range(0, int(end) + 1, step)]


def _short(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{seconds // 60}:{seconds % 60:02} min"


def _said(spans: Iterable[Span]) -> str:
    return "; ".join(
        f"{span.stage}{f' of {span.service}' if span.service else ''}: {span.result} in {duration(span.seconds)}, "
        f"from {duration(max(0, span.start))} on"
        for span in spans
    )


def _class(stage: str) -> str:
    return attribute(stage.replace(" ", "-"))
