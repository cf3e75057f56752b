"""Directories are values: every operation gives a new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagger_podman import tree
from dagger_podman.errors import DaggerPodmanError
from dagger_podman.tree import Entry, Tree


def file(content: str = "", mode: int = 0o644) -> Entry:
    return Entry("file", mode, content=content, size=len(content))


def made(**files: str) -> Tree:
    found = Tree()
    for path, content in files.items():
        found = tree.with_entry(found, path.replace("__", "/"), file(content))
    return found


def test_names_come_in_the_order_of_a_walk() -> None:
    folder = Tree({path: Entry("directory") for path in ("", "src", "src-tauri", "docs")} | {"docs.md": file()})
    assert tree.listing(folder) == ["docs/", "docs.md", "src/", "src-tauri/"]
    assert tree.glob(made(src__a="", **{"src-x": ""}), "**") == ["src/", "src/a", "src-x"]


def test_what_is_taken_out_is_a_name_unless_it_has_an_asterisk() -> None:
    pages = made(**{"pages__[id].tsx": "x", "pages__i.tsx": "y", "a__b.log": "z"})
    assert tree.glob(tree.without(pages, ["pages/[id].tsx"]), "**/*.tsx") == ["pages/i.tsx"]
    assert tree.glob(tree.without(pages, ["**.log"]), "**/*.log") == ["a/b.log"], "an asterisk stays within a name"
    assert tree.glob(tree.without(pages, ["*/*.log"]), "**/*.log") == []
    assert tree.without(pages, ["."]).entries.keys() == {""}


def test_a_folder_that_is_gone_is_told_once_and_a_mode_counts_where_it_lets_a_file_run() -> None:
    old, new = made(a__b="1", a__c="2", run="x"), tree.with_entry(made(keep="1"), "run", file("x", 0o600))
    assert tree.changes(old, new) == (["keep"], [], ["a/"])
    assert tree.changes(old, tree.with_entry(old, "run", file("x", 0o755)))[1] == ["run"]


def test_an_entry_brings_the_folders_above_it() -> None:
    assert tree.listing(made(a__b__c="x")) == ["a/"]
    assert tree.listing(made(a__b__c="x"), "a/b") == ["c"]


def test_equal_content_has_an_equal_digest_whatever_the_way() -> None:
    assert made(a="1").digest == tree.without(made(a="1", b="2"), ["b"]).digest
    assert made(a="1").digest != made(a="2").digest
    assert tree.with_entry(Tree(), "a", file("1", 0o600)).digest != made(a="1").digest


def test_a_file_replaces_a_folder_and_the_other_way_round() -> None:
    assert tree.glob(tree.with_entry(made(a__b="x"), "a", file()), "**") == ["a"]
    replaced = tree.with_tree(made(a="x"), "a", made(b="y"))
    assert tree.glob(replaced, "**") == ["a/", "a/b"]


def test_merging_keeps_what_the_other_does_not_have() -> None:
    merged = tree.with_tree(made(d__old="o", d__both="1"), "d", made(new="n", both="2"))
    assert tree.glob(merged, "d/*") == ["d/both", "d/new", "d/old"]
    assert merged.entries["d/both"].content == "2"


def test_an_owner_goes_to_everything_that_is_merged_in() -> None:
    owned = tree.with_tree(Tree(), "d", made(a__b="x"), (1000, 1001))
    assert {(e.uid, e.gid) for p, e in owned.entries.items() if p} == {(1000, 1001)}


def test_symlinks_are_followed_within_the_tree_only() -> None:
    linked = tree.with_entry(made(real__f="x"), "link", Entry("symlink", content="/real"))
    climbing = tree.with_entry(linked, "up", Entry("symlink", content="../../../real/f"))
    assert tree.lookup(linked, "link/f")[0] == "real/f"
    assert tree.lookup(climbing, "up")[0] == "real/f"


def test_a_circle_of_symlinks_is_an_error() -> None:
    circle = tree.with_entry(
        tree.with_entry(Tree(), "a", Entry("symlink", content="b")), "b", Entry("symlink", content="a")
    )
    with pytest.raises(DaggerPodmanError, match="too many symlinks"):
        tree.lookup(circle, "a")


@pytest.mark.parametrize("path", ["..", "../a", "a/../../b"])
def test_a_path_may_not_leave_its_directory(path: str) -> None:
    with pytest.raises(DaggerPodmanError, match="leaves its directory"):
        tree.subtree(Tree(), path)


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(DaggerPodmanError, match=r"stat missing\.txt: no such file or directory"):
        tree.lookup(Tree(), "missing.txt")


def test_changes_name_what_was_added_modified_and_removed() -> None:
    assert tree.changes(made(a="1", gone="x"), made(a="2", d__new="n")) == (["d/", "d/new"], ["a"], ["gone"])


def test_a_diff_holds_only_what_is_new() -> None:
    assert tree.glob(tree.diff(made(a="1", s__same="x"), made(a="2", s__same="x", s__new="n")), "**") == [
        "a",
        "s/",
        "s/new",
    ]


PATHS = st.lists(st.text("abc/.é ", min_size=1, max_size=8), max_size=8)


@given(PATHS, PATHS)
def test_a_diff_put_on_the_old_tree_gives_the_new_files(old: list[str], new: list[str]) -> None:
    trees = []
    for paths in (old, new):
        made_ = Tree()
        for path in paths:
            if tree.follow(path, lambda _: None) and ".." not in path.split("/"):
                made_ = tree.with_entry(made_, path, file(path + str(len(paths))))
        trees.append(made_)
    patched = tree.with_tree(trees[0], "", tree.diff(*trees))
    files = {p: e for p, e in trees[1].entries.items() if e.kind == "file"}
    assert all(patched.entries.get(p) == e for p, e in files.items())
    assert Tree.from_json(patched.to_json()).digest == patched.digest
