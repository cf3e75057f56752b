"""Takes turns between two commands, so that both meet the same machine, and prints all figures."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def run(command: Sequence[str], cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end; raises with its output where it fails."""
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


def side_by_side(
    title: str,
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    prepare: Callable[[], object] = lambda: None,
) -> dict[str, float]:
    """The medians of contenders that run in turn, after what prepares each round; every figure is printed."""
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        prepare()
        for name, work in contenders.items():
            figures[name].append(timed(work))
    print(f"\n{title}\n\n| | runs | min | median | max |\n|---|---|---|---|---|")
    for name, seconds in figures.items():
        row = (min(seconds), statistics.median(seconds), max(seconds))
        print(f"| {name} | {len(seconds)} | " + " | ".join(f"{s:.3f} s" for s in row) + " |", flush=True)
    return {name: statistics.median(seconds) for name, seconds in figures.items()}


def ratio(medians: Mapping[str, float], ours: str, theirs: str) -> None:
    print(f"\n{ours} / {theirs} = {medians[ours] / medians[theirs]:.2f}", flush=True)
