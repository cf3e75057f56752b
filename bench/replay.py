"""Plans the steps of a real monorepo's history and holds them to git's own ids of the folders that each service uses.

    python bench/replay.py --monorepo https://github.com/karakeep-app/karakeep.git --catalog bench/karakeep.toml

What a service uses is read from the package.json files of each commit, without the catalog: its own folder and the
workspace packages that it depends on, directly or not.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "ci/src"))

from prodgy_ci.catalog import Catalog, load
from prodgy_ci.changes.git import Git, locate
from prodgy_ci.changes.objects import Commit, Objects
from prodgy_ci.changes.options import Options
from prodgy_ci.changes.plan import Plan
from prodgy_ci.changes.planner import make_plan

COMMON = ("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ".nvmrc", "turbo.json", "patches")
"""Files of the root that every service of a pnpm workspace depends on."""


class Oracle:
    """What each service is made of at a commit, as ids that git gives."""

    def __init__(self, git: Git, objects: Objects, catalog: Catalog) -> None:
        self._git = git
        self._objects = objects
        self._catalog = catalog

    @cache  # noqa: B019 - one oracle lives as long as the program
    def inputs(self, commit: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        """By service: the ids of its folder and of the packages it uses; and those with the root's common files."""
        entries = self._entries(commit)
        packages = self._packages(entries)
        common = frozenset(f"{path} {entries[path]}" for path in COMMON if path in entries)
        found = {}
        for service in self._catalog.services.values():
            folders = [service.path, *self._used(service.path, packages)]
            ids = frozenset(f"{folder} {entries[folder]}" for folder in folders if folder in entries)
            docker = service.dockerfile or ""
            around = frozenset(f"{path} {entries[path]}" for path in (docker, docker.split("/")[0]) if path in entries)
            found[service.name] = (ids, ids | common | (around if docker.startswith("docker/") else frozenset()))
        return found

    def _entries(self, commit: str) -> dict[str, str]:
        """The ids of the files of the root and of the folders two levels down."""
        listed = self._git.run("ls-tree", "-r", "-t", "-z", commit).decode(errors="surrogateescape").split("\0")
        pairs = (line.partition("\t") for line in listed if line)
        wanted = ((meta.split(" ")[2], path) for meta, _, path in pairs if path.count("/") < 3)
        return {path: id for id, path in wanted}

    def _packages(self, entries: Mapping[str, str]) -> dict[str, tuple[str, tuple[str, ...]]]:
        """By name: folder, and names of what it asks for."""
        found = {}
        for path, id in entries.items():
            if path.endswith("/package.json"):
                name, uses = self._manifest(id)
                found[name] = (path.removesuffix("/package.json"), uses)
        return found

    @cache  # noqa: B019
    def _manifest(self, id: str) -> tuple[str, tuple[str, ...]]:
        manifest = json.loads(self._git.run("cat-file", "blob", id))
        tables = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
        return manifest.get("name", id), tuple(name for table in tables for name in manifest.get(table) or {})

    @staticmethod
    def _used(folder: str, packages: Mapping[str, tuple[str, tuple[str, ...]]]) -> list[str]:
        waiting = [name for name, (at, _) in packages.items() if at == folder or at.startswith(f"{folder}/")]
        for name in waiting:
            waiting += [used for used in packages[name][1] if used in packages and used not in waiting]
        return [packages[name][0] for name in waiting]


def pairs(commits: Sequence[str], strides: Sequence[int]) -> Iterator[tuple[str, str]]:
    for stride in strides:
        yield from zip(commits[:-stride:stride], commits[stride::stride], strict=False)


def compare(plan: Plan, before: Mapping[str, tuple[frozenset[str], ...]], after: Mapping[str, tuple[frozenset[str], ...]],
            there: set[str]) -> Counter[str]:  # fmt: skip
    """Counts of one pair: services asked about, changed, planned, missed, and planned though nothing of it differs."""
    counts: Counter[str] = Counter(pairs=1)
    for name in there:
        planned = plan.services[name].action == "build"
        changed = before[name][0] != after[name][0]
        counts["decisions"] += 1
        counts["changed"] += changed
        counts["planned"] += planned
        counts["missed"] += changed and not planned
        counts["over"] += planned and before[name][1] == after[name][1]
        counts["unmapped"] += planned and all(reason.code == "unmapped" for reason in plan.services[name].reasons)
        counts["pipeline"] += planned and all(reason.code == "pipeline" for reason in plan.services[name].reasons)
    counts["empty plans"] += not plan.affected
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--monorepo", required=True, help="a URL or a folder that git can clone")
    parser.add_argument("--catalog", type=Path, required=True)
    parser.add_argument("--last", type=int, default=600, help="how many commits of the main line")
    parser.add_argument("--strides", default="1,7,50", help="how far apart base and head are")
    options = parser.parse_args()
    catalog = load(options.catalog.read_text(), str(options.catalog))
    with tempfile.TemporaryDirectory() as scratch:
        repository = Path(scratch) / "monorepo.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", options.monorepo, repository], check=True)
        git = locate(repository)
        listed = git.run("rev-list", "--first-parent", f"--max-count={options.last}", "HEAD").decode().split()[::-1]
        totals: Counter[str] = Counter()
        with Objects(git) as objects:
            oracle = Oracle(git, objects, catalog)
            for base, head in pairs(listed, [int(s) for s in options.strides.split(",")]):
                totals += one(repository, oracle, objects, catalog, options.catalog, base, head)
    report(totals)
    return 1 if totals["missed"] else 0


def one(
    repository: Path, oracle: Oracle, objects: Objects, catalog: Catalog, file: Path, base: str, head: str
) -> Counter[str]:
    options = Options(ref="refs/heads/main", repository=repository, catalog=file, base=base, head=head)
    plan = Plan.model_validate_json(make_plan(options).json_bytes())
    tip = objects.commit(head)
    there = {s.name for s in catalog.services.values() if isinstance(tip, Commit) and objects.has_folder(tip, s.path)}
    counts = compare(plan, oracle.inputs(base), oracle.inputs(head), there)
    if counts["missed"]:
        print(f"missed between {base} and {head}: planned {plan.affected}")
    return counts


def report(totals: Counter[str]) -> None:
    for name in ("pairs", "empty plans", "decisions", "changed", "planned", "missed", "over", "unmapped", "pipeline"):
        print(f"{name:12} {totals[name]:7}")
    print(f"over-selected: {totals['over'] / max(1, totals['decisions']):.1%} of the decisions")


if __name__ == "__main__":
    sys.exit(main())
