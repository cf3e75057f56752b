"""Refs, tags and environments: the edge cases by their numbers in docs/change-detection.md."""

from pathlib import Path

import pytest
from ci.changes.repositories import Repository

from prodgy_ci.changes import refs
from prodgy_ci.errors import InputError, UndeterminedError


@pytest.mark.parametrize(
    ("ref", "environment"),
    [
        ("refs/heads/main", "development"),
        ("refs/heads/staging", "staging"),
        ("refs/tags/v1.2.3", "production"),
        ("refs/tags/v1.2.3-rc.1+build.5", "production"),
        ("refs/heads/feature/main", None),
        ("refs/heads/main2", None),
        ("refs/heads/v1.2.3", None),
        ("refs/remotes/origin/main", None),
    ],
)
def test_case_22_only_the_full_ref_stands_for_an_environment(
    repository: Repository, ref: str, environment: str | None
) -> None:
    plan = repository.plan(ref)
    assert plan.environment == environment
    assert plan.event == ("tag" if ref.startswith("refs/tags/") else "push")


def test_a_tag_of_another_commit_is_refused(repository: Repository, first: str) -> None:
    repository.git("tag", "v1.0.0")
    head = repository.commit({"apps/api/main": "2"})
    with pytest.raises(InputError, match=rf"v1\.0\.0 is the commit {first[:10]}, and {head[:10]} is to be built"):
        repository.plan("refs/tags/v1.0.0")
    assert repository.plan("refs/tags/v1.0.0", head=first).environment == "production"


@pytest.mark.parametrize(
    "tag",
    ["v1", "v1.2", "v1.2.3.4", "v01.2.3", "v1.2.3-", "v1.2.3-01", "vnext", "1.2.3", "release", "v1.2.3/x", "V1.2.3",
     "v\u0661.2.3", "x/v1.2.3"],
)  # fmt: skip
def test_case_23_a_tag_that_is_no_semantic_version_is_refused(repository: Repository, tag: str) -> None:
    with pytest.raises(InputError, match="is not 'v' and a semantic version, such as v1"):
        repository.plan(f"refs/tags/{tag}")


def test_case_23_other_tags_stand_for_what_the_catalog_says(repository: Repository) -> None:
    repository.commit(
        {
            "prodgy-ci.toml": '[environments.live]\nref = "refs/tags/live"\nvariable_group = "live"\n'
            '[environments.trial]\nref = "refs/tags/trial-*"\nvariable_group = "trial"\n'
        }
    )
    assert repository.plan("refs/tags/live").environment == "live"
    assert repository.plan("refs/tags/trial-1.0.0").environment == "trial"
    with pytest.raises(InputError, match="is not 'trial-' and a semantic version"):
        repository.plan("refs/tags/trial-one")


def test_case_23_a_tag_is_compared_with_production_not_with_the_tag_before(repository: Repository, first: str) -> None:
    repository.git("tag", "v1.0.0", first)
    second = repository.commit({"apps/engine/main": "2"})
    repository.git("tag", "v1.1.0")
    repository.commit({"apps/api/main": "2"})
    repository.git("tag", "v1.2.0")
    repository.git("tag", "v1.2.1")
    record = repository.record(first, "production")
    for tag in ("v1.2.0", "v1.2.1"):
        assert repository.plan(f"refs/tags/{tag}", deployed=record).affected == ("api", "engine")
    assert repository.plan("refs/tags/v1.1.0", head=second, deployed=record).affected == ("engine",)
    again = repository.record(second, "production")
    assert repository.plan("refs/tags/v1.1.0", head=second, deployed=again).affected == ()


def test_case_23_a_tag_on_an_unmerged_commit_is_refused(repository: Repository) -> None:
    repository.git("branch", "staging")
    repository.git("switch", "--quiet", "--create", "feature")
    repository.commit({"apps/engine/main": "2"})
    with pytest.raises(InputError, match="is on none of the branches main, staging; tag a merged commit"):
        repository.plan("refs/tags/v1.0.0")


def test_case_23_without_the_branches_it_cannot_be_told_whether_a_tag_is_merged(repository: Repository) -> None:
    repository.git("branch", "--move", "main", "trunk")
    with pytest.raises(UndeterminedError, match=r"could not tell whether .* is on one of the branches"):
        repository.plan("refs/tags/v1.0.0")


def test_case_23_a_shallow_clone_of_a_tag_asks_the_remote_for_the_branch(
    repository: Repository, first: str, tmp_path: Path
) -> None:
    repository.git("tag", "v1.0.0")
    repository.commit({"apps/engine/main": "2"})
    shallow = repository.clone(tmp_path / "shallow", "--depth=1", "--branch=v1.0.0")
    assert shallow.plan("refs/tags/v1.0.0").environment == "production"


@pytest.mark.parametrize(
    "ref",
    ["main", "", "-x", "--upload-pack=touch x", "HEAD", "refs", "refs/", "refs/heads", "refs/heads/", "refs/heads/a b",
     "refs/heads/a..b", "refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a\nb", "refs/heads/.a",
     "refs/heads/a.lock", "refs/heads/a.lock/b", "refs/heads/a//b", "refs/heads/a@{1}", "refs/heads/a*", "refs/heads/a?",
     "refs/heads/[a", "refs/heads/a\\b", "refs/heads/a.", "refs/heads/a\x7f", "refs/heads/\udcff", "refs/heads/a\n"],
)  # fmt: skip
def test_what_is_no_ref_is_refused_before_git_sees_it(ref: str) -> None:
    with pytest.raises(InputError, match="--ref: "):
        refs.full_ref(ref, "--ref")


@pytest.mark.parametrize("ref", ["refs/heads/a", "refs/heads/feature/ü-1", "refs/tags/v1.0.0+x", "refs/pull/7/merge"])
def test_what_git_takes_for_a_ref_is_taken(ref: str) -> None:
    assert refs.full_ref(ref, "--ref") == ref


@pytest.mark.parametrize(
    "name", ["-x", "main", "abc", "ABCDEF1", "abcdef1\n", "HEAD^{/x}", "HEAD~", "HEAD:x", "a" * 65]
)
def test_what_is_no_commit_is_refused_before_git_sees_it(name: str) -> None:
    with pytest.raises(InputError, match=r"--head: .* is not a commit id"):
        refs.commit_name(name, "--head")
