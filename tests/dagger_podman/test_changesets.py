"""Changesets and patches, as the engine's own tests of them expect."""

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import dagger
import pytest
from dagger import DiffStatKind, dag

pytestmark = pytest.mark.anyio


def directory(**files: str) -> dagger.Directory:
    made = dag.directory()
    for name, text in files.items():
        made = made.with_new_file(name.replace("__", "/"), text)
    return made


@pytest.fixture
def base(session: None) -> dagger.Directory:
    return directory(a="a\n", b="b\n", c="c\n", d="d\n", e="e\n")


async def paths(changes: dagger.Changeset) -> tuple[list[str], list[str], list[str]]:
    return await changes.added_paths(), await changes.modified_paths(), await changes.removed_paths()


# --- patches ------------------------------------------------------------------------------------------
async def test_a_patch_changes_adds_and_removes(session: None) -> None:
    run = dag.directory().with_new_file("run", "#!/bin/sh\n", permissions=0o640)
    old = directory(change="one\ntwo\n", gone__x="x\n", same="s\n").with_directory("", run)
    new = directory(change="one\n2\n", same="s\n").with_file("run", run.file("run"), permissions=0o755)
    with_more = new.with_new_file("added", "no end").with_symlink("same", "sub/link")
    patch = with_more.changes(old).as_patch()
    assert await patch.name() == "diff.patch"
    text = await patch.contents()
    assert text.startswith("diff --git b/added b/added\nnew file mode 100644\n")
    for patched in (old.with_patch(text), old.with_patch_file(patch)):
        assert await patched.glob("**") == ["added", "change", "run", "same", "sub/", "sub/link"]
        assert await patched.file("change").contents() == "one\n2\n"
        assert await patched.stat("run").permissions() == 0o755


async def test_a_patch_moves_a_file(session: None) -> None:
    old, new = directory(d__moved="1\n2\n3\n"), directory(d2__moved="1\n2\n3\n")
    changes = new.changes(old)
    for moved in (old.with_patch_file(changes.as_patch()), old.with_changes(changes)):
        assert await moved.glob("**") == ["d2/", "d2/moved"]


async def test_what_a_patch_does_not_touch_keeps_its_permissions_and_repositories(session: None) -> None:
    old = (
        directory(a="1\n", sub__file="x")
        .with_new_file("secret", "s", permissions=0o600)
        .with_new_file(".git/config", "not one")
        .with_new_file("sub/.git", "gitdir: /nowhere")
    )
    patched = old.with_patch("--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n")
    assert await patched.stat("secret").permissions() == 0o600
    assert await paths(patched.changes(old)) == ([], ["a"], [])


async def test_a_patch_may_be_of_bytes_or_empty(session: None, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(bytes(range(256)))
    old, new = directory(a="a"), directory(a="a").with_file("bytes", dag.host().file(str(tmp_path / "bytes")))
    patched = old.with_patch_file(new.changes(old).as_patch())
    assert await patched.digest() == await new.digest()
    assert [await s.added_lines() for s in await new.changes(old).diff_stats()] == [0]
    assert await old.changes(old).as_patch().size() == 0
    assert await old.with_patch("").digest() == await old.digest()


async def test_a_patch_that_does_not_fit_is_an_error_that_says_where(session: None) -> None:
    for name, text in (("a", "other\n"), ("../a", "1\n"), (".git/config", "1\n")):
        with pytest.raises(dagger.QueryError, match="git apply: error: "):
            await directory(a=text).with_patch(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-1\n+2\n").sync()


# --- what a changeset says ---------------------------------------------------------------------------------
async def test_lines_of_each_path_that_changed(session: None) -> None:
    old = directory(mod="one\nold\n", dir__one="1\n2\n", dir__sub__two="3", name="same\ncontent\n")
    new = directory(mod="one\nnew\n", add="hello\n", named="same\ncontent\n").with_new_directory("empty")
    found = {
        await s.path(): (await s.kind(), await s.added_lines(), await s.removed_lines(), await s.old_path())
        for s in await new.changes(old).diff_stats()
    }
    assert list(found) == sorted(found)
    assert found == {
        "add": (DiffStatKind.ADDED, 1, 0, None),
        "dir/": (DiffStatKind.REMOVED, 0, 0, None),
        "dir/one": (DiffStatKind.REMOVED, 0, 2, None),
        "dir/sub/": (DiffStatKind.REMOVED, 0, 0, None),
        "dir/sub/two": (DiffStatKind.REMOVED, 0, 1, None),
        "empty/": (DiffStatKind.ADDED, 0, 0, None),
        "mod": (DiffStatKind.MODIFIED, 1, 1, None),
        "named": (DiffStatKind.RENAMED, 0, 0, "name"),
    }
    assert await paths(new.changes(old)) == (["add", "empty/", "named"], ["mod"], ["dir/", "name"])


async def test_only_files_make_a_changeset_that_is_not_empty(base: dagger.Directory) -> None:
    assert await base.changes(base).is_empty()
    assert await base.with_new_directory("empty").changes(base).is_empty()
    assert await base.with_new_file("a", "a\n").changes(base).is_empty()
    assert not await base.without_file("a").changes(base).is_empty()


async def test_a_file_and_a_folder_of_one_name_take_each_others_place(session: None) -> None:
    folder, file = directory(node__old="old"), directory(node="now file")
    assert await paths(file.changes(folder)) == (["node"], [], ["node/"])
    assert await paths(folder.changes(file)) == (["node/", "node/old"], [], ["node"])
    assert await folder.with_changes(file.changes(folder)).file("node").contents() == "now file"
    assert await file.with_changes(folder.changes(file)).glob("**") == ["node/", "node/old"]


async def test_a_changed_name_is_no_pattern(session: None) -> None:
    old = dag.directory().with_new_file("*", "1").with_new_file("kept", "2")
    assert await old.with_changes(directory(kept="2").changes(old)).entries() == ["kept"]


async def test_an_export_removes_and_writes_what_changed_and_nothing_else(
    base: dagger.Directory, tmp_path: Path
) -> None:
    old = base.with_new_file("gone/deep/file", "x")
    await old.export(str(tmp_path / "out"))
    (tmp_path / "out/mine").write_text("mine")
    (tmp_path / "out/b").write_text("b, changed here")
    new = base.with_new_file("a", "new").without_file("c")
    assert await new.changes(old).export(str(tmp_path / "out")) == str(tmp_path / "out")
    found = {str(p.relative_to(tmp_path / "out")): p.read_text() for p in (tmp_path / "out").rglob("*")}
    assert found == {"a": "new", "b": "b, changed here", "d": "d\n", "e": "e\n", "mine": "mine"}


async def test_an_export_touches_nothing_that_is_not_shown(session: None, tmp_path: Path) -> None:
    (tmp_path / "same").write_text("same")
    tmp_path.chmod(0o2770)
    before = dag.directory().with_new_file("same", "same")
    after = before.chown("same", "1000:1000").with_new_file("new", "new")
    time_of = (tmp_path / "same").stat().st_mtime_ns
    await after.changes(before).export(str(tmp_path))
    assert (tmp_path / "new").read_text() == "new"
    assert (tmp_path / "same").stat().st_mtime_ns == time_of
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o2770


async def test_an_export_removes_nothing_behind_a_link(session: None, tmp_path: Path) -> None:
    for name in ("out", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "elsewhere/file").write_text("kept")
    (tmp_path / "out/d").symlink_to(tmp_path / "elsewhere")
    old = directory(d__file="x", d__other="y")
    await old.without_file("d/file").changes(old).export(str(tmp_path / "out"))
    assert (tmp_path / "elsewhere/file").read_text() == "kept"


# --- `call` that ends in changes ------------------------------------------------------------------------
PROBE = Path(__file__).parents[1] / "golden/probe"


def called(folder: Path, *words: str, typed: str | None = None) -> tuple[int, str, str]:
    """`call directory changes --from old`: a.txt and d/b.txt are added, what is in old/ is removed."""
    leader, follower = pty.openpty()
    os.write(leader, f"{typed}\n".encode())
    done = subprocess.run(
        (Path(sys.executable).with_name("dagger-podman"), "call", "-s", "-m", PROBE, "directory", *words),
        cwd=folder,
        stdin=follower if typed is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    os.close(leader)
    os.close(follower)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for place in (tmp_path / "old/gone", tmp_path / "gone"):
        place.mkdir(parents=True)
        (place / "file").write_text("1\n2\n")
    return tmp_path


CHANGES = ("changes", "--from", "old")
SUMMARY = "A a.txt\nA d/\nA d/b.txt\nD gone/\n"


def test_changes_are_shown_and_applied_on_a_yes(folder: Path) -> None:
    assert called(folder, *CHANGES, typed="") == (0, "", SUMMARY + "Apply changes? [y/N] ")
    code, _, said = called(folder, *CHANGES)
    assert code == 1 and said.startswith(SUMMARY) and "--auto-apply (-y)" in said
    assert sorted(os.listdir(folder)) == ["gone", "old"]
    assert called(folder, *CHANGES, typed="y")[0] == 0
    assert sorted(os.listdir(folder)) == ["a.txt", "d", "old"]


def test_changes_are_applied_unasked_or_written_elsewhere(folder: Path) -> None:
    assert called(folder, *CHANGES, "-y") == (0, "", SUMMARY)
    assert sorted(os.listdir(folder)) == ["a.txt", "d", "old"]
    for words in ((*CHANGES, "-o", "old"), (*CHANGES, "export", "--path", "old")):
        assert called(folder, *words)[0] == 0
        assert sorted(os.listdir(folder / "old")) == ["a.txt", "d"]
    assert called(folder, *CHANGES) == (0, "", "no changes to apply\n")
