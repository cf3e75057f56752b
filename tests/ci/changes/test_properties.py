"""What must hold for any history: random ones, with merges, held to what `git rev-parse` says of each folder's tree."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.changes.repositories import NODE, SERVICES, Repository
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prodgy_ci.changes.rulebook import read
from prodgy_ci.changes.rules import Rules, selected

PATHS = (
    *(f"apps/{name}/{file}" for name in ("api", "engine", "docs", "web") for file in ("a", "b/ü x")),
    "packages/shared/a",
    "Dockerfile.engine",
    "README.md",
    "tools/x",
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
CHANGES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(["1", "2", None]), max_size=3)


@dataclass(frozen=True)
class Step:
    """One commit: which earlier ones it stands on, by number counted back, and the files it writes or deletes."""

    parents: tuple[int, ...]
    changes: dict[str, str | None]


STEPS = st.lists(
    st.builds(Step, st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True).map(tuple), CHANGES),
    min_size=1,
    max_size=7,
)


def make(folder: Path, steps: Sequence[Step]) -> tuple[Repository, list[str]]:
    """A bare repository with a first commit of all services and one for each step; main is the last one."""
    lines: list[str] = []
    first = Step((), {f"apps/{name}/main": name for name in SERVICES})
    for number, step in enumerate((first, *steps), start=1):
        lines += ["commit refs/heads/main", f"mark :{number}", f"committer x <x> {1_700_000_000 + number} +0000"]
        lines += ["data 1", "x"]
        parents = list(dict.fromkeys(max(1, number - back) for back in step.parents))
        lines += [f"{word} :{parent}" for word, parent in zip(("from", "merge"), parents, strict=False)]
        for path, content in step.changes.items():
            lines += [f'D "{path}"'] if content is None else [f'M 644 inline "{path}"', f"data {len(content)}", content]
    repository = Repository(folder, "--bare")
    marks = folder / "marks"
    stream = "\n".join([*lines, "", ""]).encode()
    repository.git("fast-import", "--quiet", "--force", f"--export-marks={marks}", stdin=stream)
    by_mark = dict(line.split() for line in marks.read_text().splitlines())
    return repository, [by_mark[f":{number}"] for number in range(1, len(steps) + 2)]


def trees(repository: Repository, commit: str) -> dict[str, str]:
    """The oracle: the id of each service's folder, and of the folder that all Node services share."""
    names = "".join(f"{commit}:{path}\n" for path in (*(f"apps/{name}" for name in SERVICES), "packages"))
    listed = repository.git("cat-file", "--batch-check=%(objectname)", stdin=names.encode()).splitlines()
    return dict(zip((*SERVICES, "packages"), ("" if " " in line else line for line in listed), strict=True))


@FEW
@given(STEPS, st.data())
def test_no_service_whose_folder_differs_is_left_out(steps: list[Step], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository, commits = make(Path(folder) / "r", steps)
        base = data.draw(st.sampled_from(commits))
        before, after = trees(repository, base), trees(repository, commits[-1])
        expected = {name for name in SERVICES if before[name] != after[name]}
        if before["packages"] != after["packages"]:
            expected |= set(NODE)
        plan = repository.plan(deployed=repository.record(base))
        assert expected <= set(plan.affected)


@FEW
@given(STEPS)
def test_equal_trees_give_an_empty_plan(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository, commits = make(Path(folder) / "r", steps)
        tree = repository.git("rev-parse", f"{commits[-1]}^{{tree}}")
        same = repository.git("commit-tree", tree, "-p", commits[0], "-m", "the same files by another way")
        plan = repository.plan(head=same, deployed=repository.record(commits[-1]))
        assert plan.affected == ()


@FEW
@given(STEPS, st.integers(1, 4), st.data())
def test_the_depth_of_the_clone_decides_nothing(steps: list[Step], depth: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository, commits = make(Path(folder) / "r", steps)
        shallow = repository.clone(Path(folder) / "s", f"--depth={depth}", "--bare")
        deployed = repository.record(data.draw(st.sampled_from(commits)))
        assert shallow.plan(deployed=deployed).json_bytes() == repository.plan(deployed=deployed).json_bytes()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from((*PATHS, "apps", "docs/x", "ci/x")), unique=True), st.randoms())
def test_the_order_of_the_paths_decides_nothing(changed: list[str], random: object) -> None:
    rules, services = Rules(read("")), list(read("").services.values())
    shuffled = sorted(changed, key=lambda _: random.random())  # type: ignore[attr-defined]
    assert rules.sort_out(changed) == rules.sort_out(shuffled)
    alone = {name for path in changed for name in selected(rules.sort_out([path]).hits, services)}
    assert set(selected(rules.sort_out(changed).hits, services)) == alone
