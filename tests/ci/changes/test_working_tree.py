"""Plans of a work tree with its uncommitted files: edge case 33 in docs/change-detection.md."""

import os

import pytest
from ci.changes.repositories import Repository, paths

from prodgy_ci.changes.table import table
from prodgy_ci.errors import InputError


def test_case_33_uncommitted_files_count_only_where_asked(repository: Repository, first: str) -> None:
    repository.commit({"apps/docs/main": "2"})
    repository.write({"apps/engine/main": "changed", "apps/api/new": "untracked"})
    repository.git("rm", "--quiet", "apps/web/main")
    repository.write({"apps/web/other": "1"})
    assert repository.plan(base=first).affected == ("docs",)
    plan = repository.plan(base=first, working_tree=True)
    assert plan.affected == ("api", "docs", "engine", "web")
    assert paths(plan) == {
        "apps/api/new": "A",
        "apps/docs/main": "M",
        "apps/engine/main": "M",
        "apps/web/main": "D",
        "apps/web/other": "A",
    }
    assert plan.working_tree and "with uncommitted and untracked files" in table(plan)


def test_case_33_a_file_that_was_only_touched_is_no_change(repository: Repository, first: str) -> None:
    file = repository.folder / "apps/engine/main"
    file.write_text(file.read_text())
    os.utime(file, (1, 1))
    assert repository.plan(base=first, working_tree=True).affected == ()


def test_case_33_what_is_put_back_is_no_change(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    repository.write({"apps/engine/main": "engine"})
    assert repository.plan(base=first, working_tree=True).affected == ()


def test_case_33_an_ignored_file_is_no_change(repository: Repository) -> None:
    repository.commit({"apps/engine/.gitignore": "build/\n"})
    repository.write({"apps/engine/build/x": "1"})
    assert repository.plan(base="HEAD", working_tree=True).affected == ()


def test_case_33_a_file_that_git_forgot_but_is_there_counts(repository: Repository) -> None:
    repository.git("rm", "--cached", "--quiet", "apps/engine/main")
    plan = repository.plan(base="HEAD", working_tree=True)
    assert (plan.affected, paths(plan)) == (("engine",), {"apps/engine/main": "M"})


def test_case_33_the_catalog_of_the_work_tree_counts(repository: Repository) -> None:
    repository.write({"prodgy-ci.toml": "[services.docs]\nremove = true\n"})
    assert "docs" not in repository.plan(base="HEAD", working_tree=True).services


def test_case_33_a_folder_that_is_gone_from_the_work_tree_is_removed(repository: Repository) -> None:
    repository.git("rm", "-r", "--quiet", "apps/docs")
    assert repository.plan(base="HEAD", working_tree=True).services["docs"].action == "remove"


def test_case_33_any_name_is_taken_whole(repository: Repository) -> None:
    repository.write({'apps/engine/a\nb\t"c"': "1", "apps/engine/-x ü": "1"})
    plan = repository.plan(base="HEAD", working_tree=True)
    assert set(paths(plan)) == {'apps/engine/a\nb\t"c"', "apps/engine/-x ü"}


def test_case_33_another_head_is_refused(repository: Repository) -> None:
    with pytest.raises(InputError, match="--head: has no place beside --working-tree"):
        repository.plan(head="HEAD", working_tree=True)


def test_case_33_a_git_folder_alone_has_no_work_tree(repository: Repository) -> None:
    repository.folder = repository.folder / ".git"
    with pytest.raises(InputError, match="has no work tree"):
        repository.plan(working_tree=True)
