"""Repositories, as the engine's own tests of them expect."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import dagger
import pytest
from dagger import dag

pytestmark = pytest.mark.anyio
IDENTITY = {f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
NEUTRAL = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


class Clone:
    """A repository on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.folder, env=NEUTRAL, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        self("add", "-A")
        self("commit", "-m", text)
        return self("rev-parse", "HEAD")

    @property
    def directory(self) -> dagger.Directory:
        """As it is now: a session reads a folder of the host once."""
        copy = tempfile.mkdtemp(dir=self.folder.parent)
        shutil.copytree(self.folder, copy, symlinks=True, dirs_exist_ok=True)
        return dag.host().directory(copy)


@pytest.fixture
def clone(session: None, tmp_path: Path) -> Clone:
    """main: first (v2.0), second (v1.0, annotated), third (sub/v10.0.0, v2.0.0-rc.10); side: off first."""
    made = Clone(tmp_path / "clone")
    made.folder.mkdir()
    made("init", "-b", "main")
    made.commit("file", "first")
    made("tag", "v2.0")
    made("checkout", "-b", "side")
    made.commit("side", "side")
    made("checkout", "main")
    made.commit("file", "second")
    made("tag", "-a", "-m", "annotated", "v1.0")
    made.commit("file", "third")
    for tag in ("sub/v10.0.0", "v2.0.0-rc.10", "v2.0.0-rc.9", "v9.x", "other"):
        made("tag", tag)
    return made


async def named(ref: dagger.GitRef) -> tuple[str, str]:
    return await ref.ref(), await ref.commit()


async def test_names_stand_for_commits(clone: Clone) -> None:
    first, second, third = (clone("rev-parse", name) for name in ("v2.0", "main~1", "main"))
    for directory in (clone.directory, clone.directory.directory(".git")):
        repository = directory.as_git()
        for ref in (repository.head(), repository.ref("main"), repository.branch("refs/heads/main")):
            assert await named(ref) == ("refs/heads/main", third)
        for ref in (repository.tag("v1.0"), repository.ref("v1.0"), repository.ref("refs/tags/v1.0")):
            assert await named(ref) == ("refs/tags/v1.0", second)
        assert await named(repository.latest_version()) == ("refs/tags/v2.0", first)
        assert await named(repository.commit(first)) == (first, first)
        assert await repository.url() is None


async def test_a_name_that_is_not_there_is_an_error(clone: Clone) -> None:
    repository = clone.directory.as_git()
    for ref, said in (
        (repository.tag("main"), 'repository does not contain ref "refs/tags/main"'),
        (repository.branch("v1.0"), 'repository does not contain ref "refs/heads/v1.0"'),
        (repository.commit("main"), 'invalid commit SHA: "main"'),
        (dag.directory().as_git().head(), "not a git repository"),
    ):
        with pytest.raises(dagger.QueryError, match=said):
            await ref.commit()


async def test_patterns_are_of_the_end_of_a_name(clone: Clone) -> None:
    repository = clone.directory.as_git()
    versions = ["v1.0", "v2.0", "v2.0.0-rc.10", "v2.0.0-rc.9", "v9.x"]
    assert await repository.tags() == ["other", "sub/v10.0.0", *versions]
    assert await repository.tags(patterns=["v*"]) == ["sub/v10.0.0", *versions]
    assert await repository.tags(patterns=["refs/tags/v*"]) == versions
    assert await repository.tags(patterns=["sub/v*", "oth?r"]) == ["other", "sub/v10.0.0"]
    assert await repository.branches() == ["main", "side"]
    assert await repository.branches(patterns=["ma*"]) == ["main"]


async def test_a_release_candidate_is_lower_than_its_release_and_counts_by_number(clone: Clone) -> None:
    clone("tag", "-d", "v2.0", "v1.0")
    assert await clone.directory.as_git().latest_version().ref() == "refs/tags/v2.0.0-rc.10"
    clone("tag", "v2")
    assert await clone.directory.as_git().latest_version().ref() == "refs/tags/v2"


async def test_a_tree_is_a_checkout_of_its_own(clone: Clone, tmp_path: Path) -> None:
    (clone.folder / "file").write_text("changed")
    clone("remote", "add", "origin", "https://example.com/x")
    repository = clone.directory.as_git()
    log = ("log", "--format=%s")
    for name, ref, depth, head, commits in (
        ("branch", repository.branch("main"), 1, "ref: refs/heads/main", ["third"]),
        ("deep", repository.branch("main"), 2, "ref: refs/heads/main", ["third", "second"]),
        ("side", repository.branch("side"), -1, "ref: refs/heads/side", ["side", "first"]),
        ("tag", repository.tag("v1.0"), 1, clone("rev-parse", "main~1"), ["second"]),
        ("commit", repository.commit(clone("rev-parse", "v2.0")), 1, clone("rev-parse", "v2.0"), ["first"]),
    ):
        await ref.tree(depth=depth).export(str(tmp_path / name))
        made = Clone(tmp_path / name)
        assert (made.folder / ".git/HEAD").read_text().strip() == head
        assert made(*log).splitlines() == commits
        assert made("status", "--porcelain") == made("remote") == made("for-each-ref", "refs/dagger.tmp") == ""
        assert (made.folder / "file").read_text() == commits[-1 if name == "side" else 0]
    assert await repository.head().tree(discard_git_dir=True).entries() == ["file"]


async def test_the_best_common_ancestor(clone: Clone) -> None:
    repository, first = clone.directory.as_git(), clone("rev-parse", "v2.0")
    assert await named(repository.branch("main").common_ancestor(repository.branch("side"))) == (first, first)
    clone("checkout", "side")
    clone.commit("side", "more")
    elsewhere = clone.directory.as_git()
    assert await elsewhere.head().common_ancestor(repository.branch("main")).commit() == first
    clone("checkout", "--orphan", "unrelated")
    clone.commit("side", "unrelated")
    with pytest.raises(dagger.QueryError, match="git merge-base: exit code 1"):
        await clone.directory.as_git().head().common_ancestor(repository.head()).commit()


async def test_what_is_not_committed(clone: Clone) -> None:
    clone.commit(".gitignore", "ignored")
    clone.commit("removed", "x")
    assert await clone.directory.as_git().uncommitted().is_empty()
    for name in ("ignored", "new", "file"):
        (clone.folder / name).write_text(name)
    (clone.folder / "removed").unlink()
    inner = Clone(clone.folder / "inner")
    inner.folder.mkdir()
    inner("init")
    inner.commit("of-its-own", "x")
    for _ in ("in the folder", "in the index"):
        changes = clone.directory.as_git().uncommitted()
        assert await changes.added_paths() == ["new"]
        assert await changes.modified_paths() == ["file"]
        assert await changes.removed_paths() == ["removed"]
        assert await changes.before().file("file").contents() == "third"
        clone("add", "--all", ":!inner")
    assert await clone.directory.directory(".git").as_git().uncommitted().is_empty()


async def test_settings_hooks_and_links_of_a_repository_do_nothing_on_the_host(clone: Clone, tmp_path: Path) -> None:
    program = f"touch {tmp_path}/ran; cat"
    for setting in ("core.fsmonitor", "filter.x.clean", "filter.x.smudge", "uploadpack.packObjectsHook", "core.pager"):
        clone("config", setting, program)
    (clone.folder / ".gitattributes").write_text("* filter=x\n")
    hook = clone.folder / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{program}\n")
    hook.chmod(0o755)
    repository = clone.directory.as_git()
    assert await repository.uncommitted().added_paths() == [".gitattributes"]
    assert await repository.head().tree().file("file").contents() == "third"
    assert not (tmp_path / "ran").exists()
    linked = dag.directory().with_symlink(str(clone.folder / ".git"), ".git")
    with pytest.raises(dagger.QueryError, match="not a git repository"):
        await linked.as_git().head().commit()


async def test_a_repository_with_submodules_has_no_tree(clone: Clone) -> None:
    inner = Clone(clone.folder / "inner")
    inner.folder.mkdir()
    inner("init")
    commit = inner.commit("file", "x")
    (clone.folder / ".gitmodules").write_text(f'[submodule "inner"]\n\tpath = inner\n\turl = {inner.folder}\n')
    clone("update-index", "--add", "--cacheinfo", f"160000,{commit},inner")
    clone.commit("file", "with a submodule")
    with pytest.raises(dagger.QueryError, match="repository with submodules is not available"):
        await clone.directory.as_git().head().tree().sync()


async def test_a_branch_s_name_is_no_option_of_git(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary-4f1a\n")
    name = f"--pathspec-from-file={tmp_path}/secret"
    commit = clone("rev-parse", "HEAD")
    directory = clone.directory.with_new_file(".git/packed-refs", f"{commit} refs/heads/{name}\n")
    tree = directory.as_git().branch(name).tree()
    assert await tree.file("file").contents() == "third"
    assert await tree.file(".git/HEAD").contents() == f"ref: refs/heads/{name}\n"
