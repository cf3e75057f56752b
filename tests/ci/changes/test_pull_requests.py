"""Pull requests: the edge cases by their numbers in docs/change-detection.md."""

from pathlib import Path
from typing import Any

import pytest
from ci.changes.repositories import LOST, MAIN, SERVICES, Repository, chosen

from prodgy_ci.errors import InputError, UndeterminedError

REF = "refs/pull/7/merge"


@pytest.fixture
def source(repository: Repository, first: str) -> str:
    """A branch `feature` that changes engine, while main has gone on with api; main is checked out."""
    repository.git("switch", "--quiet", "--create", "feature")
    source = repository.commit({"apps/engine/main": "2"})
    repository.git("switch", "--quiet", "main")
    repository.commit({"apps/api/main": "2"})
    return source


def server_merge(repository: Repository) -> str:
    """What the server checks out: the source merged into the target, detached."""
    repository.git("switch", "--quiet", "--detach", "main")
    return repository.merge("feature")


def test_case_19_the_servers_merge_is_compared_with_its_first_parent(repository: Repository, source: str) -> None:
    target = repository.git("rev-parse", "main")
    server_merge(repository)
    plan = repository.plan(REF, pull_request_source=source)
    assert (plan.event, plan.environment) == ("pull-request", None)
    assert (plan.affected, chosen(plan), set(plan.changed)) == (("engine",), {"first-parent"}, {target})


def test_case_19_a_target_that_moved_on_since_brings_nothing_in(repository: Repository, source: str) -> None:
    merge = server_merge(repository)
    repository.git("switch", "--quiet", "main")
    repository.commit({"apps/web/main": "2"})
    plan = repository.plan(REF, head=merge, pull_request_source=source, pull_request_target=MAIN)
    assert plan.affected == ("engine",)


def test_case_19_without_the_servers_merge_the_merge_base_counts(repository: Repository, source: str) -> None:
    plan = repository.plan(REF, head=source, pull_request_source=source, pull_request_target=MAIN)
    assert (plan.affected, chosen(plan)) == (("engine",), {"merge-base"})


def test_case_19_a_merge_of_another_commit_is_not_the_servers(repository: Repository, source: str) -> None:
    merge = server_merge(repository)
    repository.git("switch", "--quiet", "feature")
    newer = repository.commit({"apps/docs/main": "2"})
    plan = repository.plan(REF, head=merge, pull_request_source=newer, pull_request_target=MAIN)
    assert chosen(plan) == {"merge-base"}
    assert "engine" in plan.affected


def test_case_19_a_shallow_checkout_of_the_servers_merge_is_deepened(
    repository: Repository, source: str, tmp_path: Path
) -> None:
    server_merge(repository)
    repository.git("branch", "merged")
    shallow = repository.clone(tmp_path / "shallow", "--depth=1", "--branch=merged")
    options: dict[str, Any] = {"pull_request_source": source, "pull_request_target": MAIN}
    assert shallow.plan(REF, **options).json_bytes() == repository.plan(REF, **options).json_bytes()


def test_case_20_several_merge_bases_are_told(repository: Repository, source: str) -> None:
    target = repository.git("rev-parse", "main")
    repository.merge("feature")
    repository.git("switch", "--quiet", "feature")
    repository.merge(target)
    plan = repository.plan(REF, pull_request_target=MAIN)
    assert chosen(plan) == {"merge-base"}
    assert set(plan.changed) < {source, target}
    (note,) = plan.notes
    assert note.startswith("several merge bases: took ")


def test_case_21_the_remotes_branch_counts_before_a_stale_local_one(
    repository: Repository, source: str, tmp_path: Path
) -> None:
    clone = repository.clone(tmp_path / "clone")
    clone.git("switch", "--quiet", "feature")
    clone.git("branch", "--force", "main", "origin/main~1")
    merged = clone.merge("origin/main")
    plan = clone.plan(REF, head=merged, pull_request_target=MAIN)
    assert plan.affected == ("engine",)


def test_case_21_a_target_that_the_clone_lacks_is_asked_of_the_remote(
    repository: Repository, source: str, tmp_path: Path
) -> None:
    clone = repository.clone(tmp_path / "clone", "--single-branch", "--branch=feature")
    plan = clone.plan(REF, pull_request_target=MAIN)
    assert (plan.affected, chosen(plan)) == (("engine",), {"merge-base"})
    assert clone.git("for-each-ref", "--format=%(refname)") == "refs/heads/feature\nrefs/remotes/origin/feature"


def test_a_target_that_is_nowhere_is_no_answer(repository: Repository, source: str) -> None:
    with pytest.raises(UndeterminedError, match="the clone has no refs/heads/release"):
        repository.plan(REF, pull_request_target="refs/heads/release")


def test_a_source_that_is_nowhere_is_no_answer(repository: Repository, source: str) -> None:
    with pytest.raises(UndeterminedError, match=f"--pull-request-source: the commit {LOST}"):
        repository.plan(REF, pull_request_source=LOST, pull_request_target=MAIN)


def test_a_pull_request_without_a_target_is_refused(repository: Repository) -> None:
    with pytest.raises(InputError, match="--pull-request-target: missing"):
        repository.plan(REF)


def test_a_pull_request_of_an_unrelated_history_builds_all(repository: Repository, source: str) -> None:
    repository.git("switch", "--quiet", "--orphan", "other")
    repository.git("checkout", "main", "--", ".")
    repository.commit()
    plan = repository.plan(REF, pull_request_target=MAIN)
    assert (plan.affected, chosen(plan)) == (SERVICES, {"no-merge-base"})


def test_a_pull_request_stands_for_no_environment_whatever_its_ref(repository: Repository, source: str) -> None:
    plan = repository.plan(MAIN, head=source, pull_request_target=MAIN)
    assert (plan.event, plan.environment) == ("pull-request", None)
