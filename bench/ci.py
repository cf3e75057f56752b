"""A whole run: `python -m bench.ci`. Stand-ins and images are made before; integration tests really run each time.

`assistant` is left out: its SDK's image is not to be had everywhere.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from bench.podman import ENVIRONMENT, PROGRAM, copy
from bench.timing import ratio, run, side_by_side, timed

SERVICES = ("api", "web", "service", "studio", "gateway", "agentic", "engine", "docs")
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

    def one_service_commit(self) -> None:
        """A change of one service, compared with what is deployed: the commit before."""
        served = {"commit": self.git("rev-parse", "HEAD")}
        deployed = self.folder.parent / "deployed.json"
        services = dict.fromkeys((*SERVICES, "assistant"), served)
        deployed.write_text(json.dumps({"schema_version": 1, "environment": "development", "services": services}))
        with (self.folder / f"examples/prodgy/apps/{CHANGED}/src/main.js").open("a") as file:
            file.write("// changed\n")
        self.commit("changed")
        out = self.ci("--deployed", str(deployed))
        built = [one["service"] for one in json.loads((out / "builds.json").read_text())["builds"]]
        if built != [CHANGED]:
            raise RuntimeError(f"built {built}")

    def everything(self) -> None:
        self.ci("--services", ",".join(SERVICES))


def main() -> None:
    clone = Clone()
    clone.everything()
    contenders = {"one service's commit": clone.one_service_commit, "everything": clone.everything}
    medians = side_by_side("`ci`, from the command to its report", contenders, ROUNDS)
    ratio(medians, "one service's commit", "everything")

    alone = {name: timed(lambda name=name: clone.ci("--services", name)) for name in SERVICES}  # type: ignore[misc]
    slowest = max(alone, key=lambda name: alone[name])
    print(f"\n`ci` of everything: {medians['everything']:.1f} s")
    print(
        f"its services one after the other: {sum(alone.values()):.1f} s; the slowest, {slowest}: {alone[slowest]:.1f} s"
    )
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in alone.items()))


if __name__ == "__main__":
    main()
