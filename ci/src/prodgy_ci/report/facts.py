"""The facts of a run in the order and the words in which the summary and the page both show them."""

from dataclasses import dataclass
from typing import Literal

from ..changes import table
from .run import Run
from .text import duration

State = Literal["passed", "failed", "none"]

SIGNS: dict[str, str] = {"passed": "✓", "failed": "✗", "warning": "!", "none": "-", "not applicable": "-"}


@dataclass(frozen=True)
class Cell:
    """How a stage went for a service."""

    state: State = "none"
    seconds: float = 0
    said: str = ""
    """Further words: 12 tests, pushed."""

    @property
    def text(self) -> str:
        """With a sign, so that nothing depends on colour."""
        if self.state == "none":
            return SIGNS["none"]
        return f"{SIGNS[self.state]} {self.said + ', ' if self.said else ''}{duration(self.seconds)}"


@dataclass(frozen=True)
class Row:
    """A service of the plan."""

    name: str
    action: str
    compared: str
    why: str
    cells: dict[str, Cell]


def rows(run: Run) -> list[Row]:
    """One for each service of the plan: those to build first, in the plan's order."""
    if run.plan is None:
        return []
    cells = _cells(run)
    made = [
        Row(name, one.action, table._base(one.base), table._why(one, run.plan), cells.get(name, {}))
        for name, one in run.plan.services.items()
    ]
    return sorted(made, key=lambda row: ("build", "remove", "skip").index(row.action))


def stages(run: Run) -> list[str]:
    """The stages that the run has cells for, in their order."""
    return list(dict.fromkeys(stage for stage in _stages(run)))


def _stages(run: Run) -> list[str]:
    tests = [
        f"{kind} tests"
        for kind in ("unit", "integration")
        if run.tests and any(t.kind == kind for t in run.tests.tests)
    ]
    return [
        *(["build"] if run.builds and run.builds.builds else []),
        *tests,
        *(["publish"] if run.images and run.images.images else []),
        *([run.deployments.action] if run.deployments and run.deployments.services else []),
    ]


def _cells(run: Run) -> dict[str, dict[str, Cell]]:
    made: dict[str, dict[str, Cell]] = {}

    def put(service: str, stage: str, good: bool, seconds: float, said: str = "") -> None:
        made.setdefault(service, {})[stage] = Cell("passed" if good else "failed", seconds, said)

    for build in run.builds.builds if run.builds else ():
        put(build.service, "build", build.error is None, build.seconds)
    for one in run.tests.tests if run.tests else ():
        said = f"{one.failed} of {one.tests}" if one.failed else str(one.tests) if one.tests else ""
        put(one.service, f"{one.kind} tests", one.verdict == "passed", one.seconds, said)
    for image in run.images.images.values() if run.images else ():
        put(image.service, "publish", image.result != "failed", image.seconds, image.result)
    for name, done in run.deployments.services.items() if run.deployments else ():
        good = done.error is None and done.result in ("deployed", "unchanged", "would deploy")
        put(name, run.deployments.action if run.deployments else "deploy", good, done.seconds, done.result)
    return made


def place(run: Run) -> str:
    """`refs/heads/main at 1a2b3c4d5e, for development`."""
    if run.about is None:
        return "a run that cannot be told of"
    to = f"for {run.about.environment}" if run.about.environment else "for no environment"
    return f"{run.about.ref} at {run.about.commit[:10]}, {to}"
