"""How long a plan takes: whole processes, ours beside turbo, nx and moon asked the same, and beside git's bare diff.

    python bench/plan.py [--monorepo https://github.com/karakeep-app/karakeep.git] [--runs 15]

The other tools are installed by npm into a scratch folder and started by their own binaries, without npm between; nx
has none, so node starts it, once with its daemon and once without. Each has run once before it is timed, as we have.
Then ours alone, with a synthetic catalog of 10,000 services and 100,000 changed paths.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[1]
MONOREPO = "https://github.com/karakeep-app/karakeep.git"
TOOLS = ("turbo@2.11.11", "nx@24.0.6", "@moonrepo/cli@2.5.5")
COMMITS = 5
"""How far the base lies back."""

SERVICES, PATHS = 10_000, 100_000
LIMIT = 2.0


@dataclass(frozen=True)
class Question:
    """A command that says what is affected."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def run(command: Sequence[str], folder: Path, **environment: str) -> bytes:
    done = subprocess.run(command, cwd=folder, capture_output=True, env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed: {done.stderr.decode(errors='replace')[-600:]}")
    return done.stdout


def seconds(question: Question) -> float:
    began = time.perf_counter()
    run(question.command, question.folder, **question.environment)
    return time.perf_counter() - began


def ours(scratch: Path, repository: Path, catalog: Path, base: str, name: str = "prodgy-ci") -> Question:
    command = [sys.executable, "-m", "prodgy_ci.changes", f"--repository={repository}", f"--catalog={catalog}"]
    environment = {
        "PYTHONPATH": str(PROJECT / "ci/src"),
        # As an installed package has it: compiled once.
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(scratch / "compiled"),
        "XDG_CACHE_HOME": str(scratch / "cache"),
    }
    return Question(name, [*command, "--ref=refs/heads/main", f"--base={base}"], repository, environment)


def clone(source: str, to: Path) -> Path:
    """A checkout without changes, also where the source lacks a few large files."""
    run(["git", "clone", "--quiet", "--no-checkout", source, str(to)], to.parent)
    subprocess.run(["git", "checkout", "--quiet", "HEAD"], cwd=to, capture_output=True)
    run(["git", "read-tree", "HEAD"], to)
    missing = run(["git", "ls-files", "-d", "-z"], to)
    subprocess.run(["git", "update-index", "-z", "--skip-worktree", "--stdin"], cwd=to, input=missing, check=True)
    return to


def questions(scratch: Path, source: str) -> Iterator[Question]:
    """Each tool has a checkout of its own, as each leaves files in it."""
    (scratch / "package.json").write_text('{"private": true}')
    run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *TOOLS], scratch)
    modules = scratch / "node_modules"
    for name in ("ours", "turbo", "moon", "nx"):
        clone(source, scratch / name)
    base = run(["git", "rev-parse", f"HEAD~{COMMITS}"], scratch / "ours").decode().strip()
    yield Question("git diff", ["git", "diff", "--no-renames", "--name-status", "-z", base, "HEAD"], scratch / "ours")
    yield ours(scratch, scratch / "ours", PROJECT / "bench/karakeep.toml", base)
    (turbo,) = modules.glob("@turbo/linux-*/bin/turbo")
    between = {"TURBO_SCM_BASE": base, "TURBO_SCM_HEAD": "HEAD", "TURBO_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"}
    yield Question("turbo", [str(turbo), "ls", "--affected", "--output=json"], scratch / "turbo", between)
    yield moon(modules, scratch / "moon", base)
    yield from nx(modules, scratch / "nx", base)


def moon(modules: Path, folder: Path, base: str) -> Question:
    patterns = [f"  - '{name}/*'\n" for name in ("apps", "packages", "tooling", "tools")]
    (folder / ".moon").mkdir(exist_ok=True)
    (folder / ".moon/workspace.yml").write_text(f"projects:\n{''.join(patterns)}  - 'docs'\ntelemetry: false\n")
    (program,) = modules.glob("@moonrepo/core-linux-*/moon")
    return Question(
        "moon", [str(program), "query", "projects", "--affected"], folder, {"MOON_BASE": base, "MOON_HEAD": "HEAD"}
    )


def nx(modules: Path, folder: Path, base: str) -> Iterator[Question]:
    plugins = {"@nx/js": {"analyzeLockfile": False, "analyzeSourceFiles": False}}
    (folder / "nx.json").write_text(json.dumps({"neverConnectToCloud": True, "pluginsConfig": plugins}))
    (folder / "node_modules").symlink_to(modules)
    with (folder / ".git/info/exclude").open("a") as exclude:
        exclude.write("/node_modules\n.nx/\nnx.json\n")
    program = str(modules / "nx/dist/bin/nx.js")
    if not Path(program).exists():
        program = str((modules / ".bin/nx").resolve())
    command = ["node", program, "show", "projects", "--affected", f"--base={base}", "--head=HEAD", "--json"]
    for name, daemon in (("nx", "false"), ("nx, with its daemon", "true")):
        yield Question(name, command, folder, {"NX_DAEMON": daemon, "NX_NO_CLOUD": "true"})
    subprocess.run(["node", program, "daemon", "--stop"], cwd=folder, capture_output=True)


def compare(scratch: Path, source: str, runs: int) -> bool:
    """Prints each tool's median and best; whether ours is ahead of all but git."""
    medians = {}
    for question in questions(scratch, source):
        seconds(question)
        measured = [seconds(question) for _ in range(runs)]
        medians[question.name] = statistics.median(measured)
        print(f"{question.name:22} {medians[question.name] * 1000:7.0f} ms   best {min(measured) * 1000:5.0f} ms")
    others = [median for name, median in medians.items() if name not in ("git diff", "prodgy-ci")]
    return medians["prodgy-ci"] < min(others)


def synthetic(folder: Path, services: int, paths: int) -> tuple[Path, Path, str]:
    """A bare repository where so many paths change, a catalog of so many services, and the base."""
    folder.mkdir()
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main"], folder)
    stream = []
    for number in (1, 2):
        stream.append(f"commit refs/heads/main\nmark :{number}\ncommitter x <x> {number} +0000\ndata 1\nx\n")
        stream.append(f"from :{number - 1}\n" if number > 1 else "")
        for path in range(paths):
            stream.append(f"M 644 inline apps/s{path % services}/src/{path}\ndata 1\n{number}\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input="".join(stream).encode(), check=True)
    catalog = folder / "prodgy-ci.toml"
    entries = (f'[services.s{n}]\nkind = "node"\ndockerfile = "apps/s{n}/Dockerfile"\n' for n in range(services))
    catalog.write_text("builtin = false\n" + "".join(entries))
    return folder, catalog, run(["git", "rev-parse", "main~1"], folder).decode().strip()


def large(scratch: Path, runs: int) -> bool:
    """Prints how the time grows; whether the largest stays below the limit, also with a catalog not seen before."""
    slowest = 0.0
    for part in (4, 2, 1):
        services, paths = SERVICES // part, PATHS // part
        repository, catalog, base = synthetic(scratch / f"synthetic-{part}", services, paths)
        question = ours(scratch, repository, catalog, base)
        first = seconds(question)
        median = statistics.median(seconds(question) for _ in range(runs))
        slowest = max(first, median)
        print(f"{services:6} services, {paths:6} paths: {median:5.2f} s, {first:5.2f} s with a catalog not seen before")
    return slowest < LIMIT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--monorepo", default=MONOREPO, help="a URL or a folder that git can clone")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        held = large(Path(scratch), 3)
        ahead = compare(Path(scratch), options.monorepo, options.runs)
    print(f"10,000 services and 100,000 paths within {LIMIT:.0f} s: {'yes' if held else 'NO'}")
    print(f"ahead of turbo, nx and moon: {'yes' if ahead else 'NO'}")
    return 0 if held and ahead else 1


if __name__ == "__main__":
    sys.exit(main())
