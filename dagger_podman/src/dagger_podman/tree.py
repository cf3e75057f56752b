"""A directory as a value: every path with its mode, owner and content's digest.

All of Dagger's directory operations are plain functions here; nothing touches a disk.
"""

from __future__ import annotations

import dataclasses
import functools
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from .errors import DaggerPodmanError, MissingPathError
from .patterns import regex, selected, split_glob
from .store import digest_of

Kind = Literal["file", "directory", "symlink"]


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One path: `content` is a file's digest or a symlink's target."""

    kind: Kind
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    content: str = ""
    size: int = 0

    def owned(self, owner: tuple[int, int] | None) -> Entry:
        return dataclasses.replace(self, uid=owner[0], gid=owner[1]) if owner else self


ROOT = Entry("directory")


@dataclasses.dataclass(frozen=True)
class Tree:
    """Paths without a leading slash; the folder itself is `""`; every parent is there."""

    entries: Mapping[str, Entry] = dataclasses.field(default_factory=lambda: {"": ROOT})

    @functools.cached_property
    def digest(self) -> str:
        return digest_of(self.to_json())

    def to_json(self) -> list[list[Any]]:
        return [[path, e.kind, e.mode, e.uid, e.gid, e.content, e.size] for path, e in sorted(self.entries.items())]

    @staticmethod
    def from_json(rows: list[list[Any]]) -> Tree:
        return Tree({path: Entry(*rest) for path, *rest in rows})


def relative(path: str) -> str:
    """`/a/./b/` → `a/b`; what climbs out of the folder is an error."""
    cleaned = posixpath.normpath("./" + path.lstrip("/"))
    if cleaned == ".." or cleaned.startswith("../"):
        raise DaggerPodmanError(f"path {path!r} leaves its directory")
    return "" if cleaned == "." else cleaned


def follow(path: str, link: Callable[[str], str | None], last: bool = True) -> str:
    """A path with its symlinks followed, never above the root; with `last=False` a final symlink stays.

    `link` gives the target of the symlink at a path, and None where there is none.
    """
    done, rest, hops = "", path.strip("/").split("/"), 0
    while rest:
        part = rest.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            done = posixpath.dirname(done)
            continue
        here = posixpath.join(done, part)
        target = link(here) if rest or last else None
        if target is None:
            done = here
            continue
        if (hops := hops + 1) > 40:
            raise DaggerPodmanError(f"too many symlinks in {path!r}")
        done = "" if target.startswith("/") else done
        rest = target.split("/") + rest
    return done


def resolve(tree: Tree, path: str, last: bool = True) -> str:
    def link(at: str) -> str | None:
        entry = tree.entries.get(at)
        return entry.content if entry and entry.kind == "symlink" else None

    return follow(relative(path), link, last)


def lookup(tree: Tree, path: str, last: bool = True) -> tuple[str, Entry]:
    """The resolved path and its entry, or the engine's message that there is none."""
    resolved = resolve(tree, path, last)
    if entry := tree.entries.get(resolved):
        return resolved, entry
    raise MissingPathError(path)


def subtree(tree: Tree, path: str) -> Tree:
    found, entry = lookup(tree, path)
    if entry.kind != "directory":
        raise DaggerPodmanError(f"path {path!r} is a file, not a directory")
    if not found:
        return tree
    prefix = found + "/"
    below = {p[len(prefix) :]: e for p, e in tree.entries.items() if p.startswith(prefix)}
    return Tree({"": entry, **below})


def _with_parents(entries: dict[str, Entry], path: str, mode: int = 0o755) -> None:
    while path := posixpath.dirname(path):
        if path in entries and entries[path].kind == "directory":
            return
        entries[path] = Entry("directory", mode)


def with_entry(tree: Tree, path: str, entry: Entry, mode_of_parents: int = 0o755) -> Tree:
    path = resolve(tree, path, last=entry.kind == "directory")
    if not path:
        raise DaggerPodmanError("a file needs a name")
    entries = {p: e for p, e in tree.entries.items() if not p.startswith(path + "/") or entry.kind == "directory"}
    _with_parents(entries, path, mode_of_parents)
    entries[path] = entry
    return Tree(entries)


def with_tree(tree: Tree, path: str, other: Tree, owner: tuple[int, int] | None = None) -> Tree:
    """`other` merged into `tree` below `path`; its files win."""
    at = resolve(tree, path)
    entries = dict(tree.entries)
    if at:
        _with_parents(entries, at)
    for p, e in other.entries.items():
        target = posixpath.join(at, p).rstrip("/")
        if not target:
            continue  # the root of all keeps its attributes
        if e.kind != "directory":
            for below in [q for q in entries if q.startswith(target + "/")]:
                del entries[below]
        entries[target] = e.owned(owner)
    return Tree(entries)


def with_mode(tree: Tree, mode: int | None) -> Tree:
    """With these permissions for the folder and all that is in it; None leaves them as they are."""
    if mode is None:
        return tree
    return Tree({p: e if e.kind == "symlink" else dataclasses.replace(e, mode=mode) for p, e in tree.entries.items()})


def without(tree: Tree, paths: Iterable[str]) -> Tree:
    """Without the paths and all below them; one with a `*` is a pattern of whole paths, in which `**` is `*`."""
    entries = dict(tree.entries)
    for path in paths:
        name = relative(path)
        expression = regex(re.sub(r"\*+", "*", name)) if "*" in path else re.compile(re.escape(name))
        for gone in [p for p in tree.entries if expression.fullmatch(p)]:
            for p in [p for p in entries if p and (not gone or p == gone or p.startswith(gone + "/"))]:
                del entries[p]
    return Tree(entries)


def filtered(tree: Tree, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Tree:
    if not include and not exclude:
        return tree
    kept = selected((p for p in tree.entries if p), include, exclude)
    return Tree({p: e for p, e in tree.entries.items() if not p or p in kept})


def _in_order(paths: Iterable[str]) -> list[str]:
    """As a walk through the folders comes by them."""
    return sorted(paths, key=lambda path: path.split("/"))


def _shown(tree: Tree, path: str) -> str:
    return path + "/" if tree.entries[path].kind == "directory" else path


def listing(tree: Tree, path: str = "") -> list[str]:
    folder = subtree(tree, path)
    return [_shown(folder, p) for p in _in_order(folder.entries) if p and "/" not in p]


def glob(tree: Tree, pattern: str) -> list[str]:
    expression = split_glob(relative(pattern))
    return [_shown(tree, p) for p in _in_order(tree.entries) if p and expression.match(p)]


def _same(a: Entry | None, b: Entry | None) -> bool:
    return a == b or (a is not None and b is not None and a.kind == b.kind == "directory")


def _content(entry: Entry) -> tuple[object, ...]:
    """What counts of a path as its content: of its permissions, whether it can be run."""
    return (entry.kind, entry.content, entry.kind == "file" and bool(entry.mode & 0o111))


def diff(old: Tree, new: Tree) -> Tree:
    """What `new` adds or changes, with the folders above it."""
    changed = [p for p, e in new.entries.items() if p and e != old.entries.get(p) and not _same(e, old.entries.get(p))]
    kept = selected(changed, (), ())
    return Tree({p: e for p, e in new.entries.items() if not p or p in kept})


def keeping(old: Tree, new: Tree) -> Tree:
    """`new`, in which what has the same content as in `old` has its owner and permissions too."""
    same = {p: e for p, e in old.entries.items() if p in new.entries and _content(e) == _content(new.entries[p])}
    return Tree({**new.entries, **same})


def missing(old: Tree, new: Tree) -> list[str]:
    """Every path that `new` no longer has. A folder and a file of one name are two paths."""
    return sorted({_shown(old, p) for p in old.entries} - {_shown(new, p) for p in new.entries})


def changes(old: Tree, new: Tree) -> tuple[list[str], list[str], list[str]]:
    """Added, modified and removed paths; of an added folder also what is in it, of a removed one itself alone."""
    both = ((p, e, old.entries[p]) for p, e in new.entries.items() if p in old.entries)
    modified = sorted(p for p, e, was in both if "directory" not in (e.kind, was.kind) and _content(e) != _content(was))
    gone = dict.fromkeys(missing(old, new))
    removed = [p for p in gone if f"{posixpath.dirname(p.rstrip('/'))}/" not in gone]
    return missing(new, old), modified, removed
