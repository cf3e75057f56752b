"""Prints the figures of the fault matrix at the end of a run."""

from collections import Counter
from pathlib import Path

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """For each target: how many faults it met, and how many of them left one whole version, a true record and a rerun."""
    met: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            if "fault_matrix" in report.keywords and report.when == "call":
                target = Path(report.nodeid.partition("::")[0]).parent.name
                met[target] += 1
                survived[target] += outcome == "passed"
    if met:
        terminalreporter.section("fault matrix")
        for target, cases in sorted(met.items()):
            terminalreporter.write_line(f"{target}: {survived[target]} of {cases} faults survived")
