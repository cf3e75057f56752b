"""The edge cases that clones bring, by their numbers in docs/change-detection.md."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ci.changes.repositories import LOST, MAIN, Repository, chosen

from prodgy_ci.changes.plan import Plan
from prodgy_ci.errors import InputError, UndeterminedError


def test_case_1_a_shallow_clone_is_deepened_until_the_base_is_reached(
    repository: Repository, first: str, tmp_path: Path
) -> None:
    repository.commit({"apps/engine/main": "2"})
    repository.commit({"apps/api/main": "2"})
    shallow = repository.clone(tmp_path / "shallow", "--depth=1")
    options: dict[str, Any] = {"deployed": repository.record(first)}
    assert shallow.plan(**options).json_bytes() == repository.plan(**options).json_bytes()
    assert shallow.plan(**options).affected == ("api", "engine")


def test_case_1_a_shallow_clone_whose_remote_is_gone_names_the_line_to_change(
    repository: Repository, first: str, tmp_path: Path
) -> None:
    repository.commit({"apps/engine/main": "2"})
    shallow = repository.clone(tmp_path / "shallow", "--depth=1")
    shallow.git("remote", "set-url", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(UndeterminedError, match='fetchDepth: "0"'):
        shallow.since(first)


def test_case_1_a_commit_that_only_a_shallow_clone_has_is_no_obstacle(
    repository: Repository, first: str, tmp_path: Path
) -> None:
    repository.commit({"apps/engine/main": "2"})
    shallow = repository.clone(tmp_path / "shallow", "--depth=1")
    shallow.commit({"apps/web/main": "2"})
    assert shallow.since(first) == ("engine", "web")


def test_case_1_nothing_is_asked_of_the_remote_where_the_history_decides_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"apps/engine/main": "2"})
    shallow = repository.clone(tmp_path / "shallow", "--depth=1")
    assert chosen(shallow.plan()) == {"never-deployed"}
    assert (shallow.folder / ".git/shallow").exists()


@pytest.mark.parametrize("filter", ["blob:none", "tree:0"])
def test_case_1_a_partial_clone_gives_the_same_plan(
    repository: Repository, first: str, tmp_path: Path, filter: str
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repository.commit({"apps/engine/main": "2"})
    partial = repository.clone(tmp_path / "partial", "--no-checkout", f"--filter={filter}")
    options: dict[str, Any] = {"deployed": repository.record(first)}
    assert partial.plan(**options).json_bytes() == repository.plan(**options).json_bytes()


def test_case_2_a_full_clone_is_never_made_shallow(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"apps/engine/main": "2"})
    full = repository.clone(tmp_path / "full")
    assert chosen(full.plan(deployed=repository.record(LOST))) == {"base-lost"}
    assert full.git("rev-parse", "--is-shallow-repository") == "false"
    assert full.git("rev-list", "--count", "HEAD") == "2"


def test_case_3_a_release_needs_no_tags_in_the_clone(repository: Repository, first: str, tmp_path: Path) -> None:
    repository.commit({"apps/engine/main": "2"})
    repository.git("tag", "v1.0.0", first)
    repository.git("tag", "v1.1.0")
    clone = repository.clone(tmp_path / "clone", "--no-tags")
    plan = clone.plan("refs/tags/v1.1.0", deployed=repository.record(first, "production"))
    assert (plan.environment, plan.affected) == ("production", ("engine",))


def test_case_4_a_later_stage_needs_the_plan_alone(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    plan = repository.plan(deployed=repository.record(first))
    assert Plan.model_validate_json(plan.json_bytes()) == plan


@pytest.mark.parametrize("missing", ["tree", "blob of the catalog"])
def test_case_28_a_missing_object_is_no_answer(repository: Repository, first: str, missing: str) -> None:
    repository.commit({"prodgy-ci.toml": 'ignored = ["*.md"]\n'})
    name = "HEAD^{tree}" if missing == "tree" else "HEAD:prodgy-ci.toml"
    lost = repository.git("rev-parse", name)
    (repository.folder / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(UndeterminedError):
        repository.since(first)


def test_case_28_the_command_ends_with_3_and_prints_no_plan(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    lost = repository.git("rev-parse", "HEAD:apps")
    (repository.folder / ".git/objects" / lost[:2] / lost[2:]).unlink()
    done = run(repository, f"--base={first}")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"error: " in done.stderr


def test_case_30_the_git_folder_alone_gives_the_same_plan(repository: Repository, first: str, tmp_path: Path) -> None:
    repository.commit({"apps/engine/main": "2"})
    options: dict[str, Any] = {"deployed": repository.record(first)}
    expected = repository.plan(**options).json_bytes()
    (repository.folder / ".git").rename(tmp_path / "mounted")
    repository.folder = tmp_path / "mounted"
    assert repository.plan(**options).json_bytes() == expected


def test_case_30_a_folder_without_git_is_named(tmp_path: Path, repository: Repository) -> None:
    (repository.folder / "apps/api").rename(tmp_path / "api")
    repository.folder = tmp_path / "api"
    with pytest.raises(InputError, match="holds no git repository"):
        repository.plan()


def test_case_30_a_folder_inside_a_repository_is_not_taken_for_it(repository: Repository) -> None:
    repository.folder = repository.folder / "apps"
    with pytest.raises(InputError, match="holds no git repository"):
        repository.plan()


def test_case_30_a_worktree_is_read_where_its_repository_is_there(
    repository: Repository, first: str, tmp_path: Path
) -> None:
    repository.commit({"apps/engine/main": "2"})
    repository.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "worktree"))
    repository.folder = tmp_path / "worktree"
    assert repository.since(first) == ("engine",)


def test_case_30_a_worktree_without_its_repository_gives_a_clear_error(repository: Repository, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / ".git").write_text("gitdir: /nowhere/.git/worktrees/alone\n")
    repository.folder = alone
    with pytest.raises(InputError, match=r"\.git is a file, as worktrees .* give the \.git folder"):
        repository.plan()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_case_30_somebody_elses_repository_is_read(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    subprocess.run(["chown", "--recursive", "12345", str(repository.folder)], check=True)
    assert repository.since(first) == ("engine",)


def test_case_31_plans_at_the_same_time_agree_and_leave_nothing_behind(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    record = repository.record(first)
    before = sorted(str(path) for path in (repository.folder / ".git").rglob("*"))
    with ThreadPoolExecutor(4) as pool:
        plans = set(pool.map(lambda _: repository.plan(deployed=record).json_bytes(), range(8)))
    assert len(plans) == 1
    assert sorted(str(path) for path in (repository.folder / ".git").rglob("*")) == before


def test_a_sha256_repository_is_read(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "monorepo", "--object-format=sha256")
    base = repository.commit({"apps/api/main": "1", "apps/engine/main": "1"})
    repository.commit({"apps/engine/main": "2"})
    assert repository.since(base) == ("engine",)


def test_the_command_prints_the_plan_of_the_library(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    done = run(repository, f"--base={first}")
    assert done.stdout == repository.plan(base=first).json_bytes()
    assert json.loads(done.stdout)["services"]["engine"]["action"] == "build"
    assert done.returncode == 0


@pytest.mark.parametrize("wrong", [f"--base={LOST}", "--base=-x", "--services=enigne", "--head=main", "--format=xml"])
def test_bad_input_ends_with_2_and_prints_no_plan(repository: Repository, wrong: str) -> None:
    done = run(repository, wrong)
    assert (done.returncode, done.stdout) == (2, b"")
    assert len(done.stderr.splitlines()) < 12 and b"Traceback" not in done.stderr


def test_an_empty_plan_ends_with_0(repository: Repository, first: str) -> None:
    done = run(repository, f"--base={first}")
    assert done.returncode == 0
    assert Plan.model_validate_json(done.stdout).affected == ()


def run(repository: Repository, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "prodgy_ci.changes", f"--repository={repository.folder}", f"--ref={MAIN}"]
    return subprocess.run(
        [*command, *options], capture_output=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
