"""Edits to an image's files, as the layer that makes them."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import posixpath
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .errors import DaggerPodmanError
from .files import MTIME, entry_of, kind_of
from .store import Store
from .tree import ROOT, Entry, Tree, follow


@dataclasses.dataclass(frozen=True)
class Edit:
    """One change to an image's files: `tree` merged in at `path`, or `entry` put there, or `path` removed."""

    path: str
    tree: Tree | None = None
    entry: Entry | None = None
    owner: str = ""
    name: str = ""
    """What a file is called in a folder that is there at `path`."""

    def key(self) -> list[Any]:
        entry = dataclasses.astuple(self.entry) if self.entry else None
        return [self.path, self.tree.digest if self.tree else None, entry, self.owner, self.name]


def layer_entries(root: Path, edits: Iterable[Edit]) -> dict[str, Entry | None]:
    """What a layer over the image mounted at `root` must hold to make the edits.

    Symlinks of the image are followed within it. `None` removes a path.
    """
    layer: dict[str, Entry | None] = {}

    def existing(path: str) -> Entry | None:
        if path in layer:
            return layer[path]
        if any(layer.get(parent, ROOT) is None for parent in _parents(path)):
            return None
        try:
            info = os.lstat(root / path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        entry = entry_of(info, kind_of(info), keep_owner=True)
        return dataclasses.replace(entry, content=os.readlink(root / path)) if entry.kind == "symlink" else entry

    def resolve(path: str, last: bool) -> str:
        def link(at: str) -> str | None:
            found = existing(at)
            return found.content if found and found.kind == "symlink" else None

        return follow(path, link, last)

    def put(path: str, entry: Entry) -> None:
        missing = []
        for parent in _parents(path):
            found = existing(parent)
            if found and found.kind == "directory":
                layer.setdefault(parent, found)  # a layer that names no attributes for it would reset them
            else:
                missing.append(parent)
        for parent in missing:
            layer[parent] = Entry("directory")
        layer[path] = entry

    for edit in edits:
        if edit.tree is None and edit.entry is None:
            target = resolve(edit.path, last=False)
            for below in [p for p in layer if p.startswith(target + "/")]:
                del layer[below]
            if target and existing(target):
                layer[target] = None
            continue
        owner = owner_ids(root, edit.owner) if edit.owner else None
        if edit.entry:
            there = existing(resolve(edit.path, last=True))
            into = edit.name and there is not None and there.kind == "directory"
            path = posixpath.join(edit.path, edit.name) if into else edit.path
            if target := resolve(path, last=edit.entry.kind == "directory"):
                put(target, edit.entry.owned(owner))
        for path, entry in sorted((edit.tree.entries if edit.tree else {}).items()):
            target = resolve(posixpath.join(edit.path, path), last=entry.kind == "directory")
            if target:
                put(target, entry.owned(owner))
    unseen = {path for path, entry in layer.items() if entry is None and not os.path.lexists(root / path)}
    return {path: entry for path, entry in layer.items() if path not in unseen}


def _parents(path: str) -> list[str]:
    found = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found[::-1]


def write_layer(store: Store, entries: dict[str, Entry | None], target: Path) -> None:
    """A layer as an uncompressed tar, the same bytes for the same entries."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path, entry in sorted(entries.items()):
            if entry is None:
                folder, name = posixpath.split(path)
                tar.addfile(_header(posixpath.join(folder, f".wh.{name}"), Entry("file", 0o644)), io.BytesIO())
                continue
            header = _header(path, entry)
            if entry.kind == "file":
                header.size = entry.size
                with store.blob(entry.content).open("rb") as content:
                    tar.addfile(header, content)
            else:
                header.type = tarfile.DIRTYPE if entry.kind == "directory" else tarfile.SYMTYPE
                header.linkname = entry.content if entry.kind == "symlink" else ""
                tar.addfile(header)


def _header(path: str, entry: Entry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.mode, header.uid, header.gid, header.mtime = entry.mode, entry.uid, entry.gid, MTIME
    return header


def owner_ids(root: Path, owner: str) -> tuple[int, int]:
    """`1000:1001`, `1000`, `node`, `node:node` → ids, names looked up in the image."""
    user, _, group = owner.partition(":")

    def number(text: str, database: str) -> int:
        if text.isdigit() or text == "root":
            return int(text) if text.isdigit() else 0
        with contextlib.suppress(OSError):
            for line in (root / "etc" / database).read_text().splitlines():
                fields = line.split(":")
                if fields[0] == text:
                    return int(fields[2])
        raise DaggerPodmanError(f"unable to find {'user' if database == 'passwd' else 'group'} {text!r} in the image")

    uid = number(user, "passwd")
    if group:
        return uid, number(group, "group")
    return uid, uid


def numeric_ids(owner: str) -> tuple[int, int] | None:
    """`1000:1001`, `1000` → ids; None for nothing."""
    return owner_ids(Path("/nonexistent"), owner) if owner else None


def within(root: Path, path: str, last: bool = True) -> Path:
    """A path inside a mounted image, its symlinks followed inside the image only."""
    found = follow(path, lambda at: os.readlink(root / at) if os.path.islink(root / at) else None, last)
    return root / found if found else root
