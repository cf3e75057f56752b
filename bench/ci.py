"""A whole run: `python -m bench.ci`. Stand-ins and images are made before; integration tests really run each time.

`assistant` is left out: its SDK's image is not to be had everywhere.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

from bench.podman import ENVIRONMENT, PROGRAM, copy
from bench.timing import ratio, run, side_by_side, timed

NODE = ("api", "web", "service", "studio", "gateway", "agentic", "docs")
SOURCES = {name: f"apps/{name}/src/main.js" for name in NODE} | {"engine": "apps/engine/engine/__main__.py"}
CHANGED = "service"
ROUNDS = 3


class Clone:
    """A copy of this repository, all of it deployed."""

    def __init__(self) -> None:
        self.folder = copy()
        self.commit("first")

    def git(self, *arguments: str) -> str:
        author = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
        command = ["git", *author, *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "--quiet", "--message", message)

    def ci(self, *arguments: str) -> Path:
        """Runs it; raises unless all is well."""
        out = Path(tempfile.mkdtemp(prefix="prodgy-bench-")) / "out"
        command = [PROGRAM, "call", "--silent", "ci", "--ref", "refs/heads/main", *arguments, "-o", str(out)]
        run(command, self.folder, ENVIRONMENT)
        verdict = json.loads((out / "verdict.json").read_text())
        if not verdict["passed"]:
            raise RuntimeError(f"ci {' '.join(arguments)}: {json.dumps(verdict, indent=2)[:4000]}")
        return out

    def commit_of(self, *services: str) -> None:
        """A change of these services, compared with what is deployed: the commit before."""
        served = {"commit": self.git("rev-parse", "HEAD")}
        deployed = self.folder.parent / "deployed.json"
        all_served = dict.fromkeys((*SOURCES, "assistant"), served)
        deployed.write_text(json.dumps({"schema_version": 1, "environment": "development", "services": all_served}))
        for service in services:
            path = self.folder / "examples/prodgy" / SOURCES[service]
            mark = "#" if path.suffix == ".py" else "//"
            path.write_text(f"{path.read_text()}{mark} {time.time_ns()}\n")
        self.commit("changed")
        out = self.ci("--deployed", str(deployed))
        built = {one["service"] for one in json.loads((out / "builds.json").read_text())["builds"]}
        if built != set(services):
            raise RuntimeError(f"built {built}")

    def again(self, *services: str) -> None:
        """The same source once more: all images are there."""
        self.ci("--services", ",".join(services))


def main() -> None:
    clone = Clone()
    clone.again(*SOURCES)
    commits = {
        "a commit of one service": lambda: clone.commit_of(CHANGED),
        "a commit of every service": lambda: clone.commit_of(*SOURCES),
    }
    medians = side_by_side("`ci`, from the command to its report", commits, ROUNDS)
    ratio(medians, *commits)

    reruns = {"one service again": lambda: clone.again(CHANGED), "every service again": lambda: clone.again(*SOURCES)}
    medians = side_by_side("`ci` with nothing to build", reruns, ROUNDS)
    ratio(medians, *reruns)

    alone = {name: timed(lambda name=name: clone.again(name)) for name in SOURCES}  # type: ignore[misc]
    slowest = max(alone, key=lambda name: alone[name])
    print(f"\n`ci` of every service again: {medians['every service again']:.1f} s")
    print(
        f"its services one after the other: {sum(alone.values()):.1f} s; the slowest, {slowest}: {alone[slowest]:.1f} s"
    )
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in alone.items()))


if __name__ == "__main__":
    main()
