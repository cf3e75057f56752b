"""Between a disk and a `Tree`: reading folders in, writing them out, and the layers of an image."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import posixpath
import shutil
import stat
import subprocess
import tarfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .errors import DaggerPodmanError
from .patterns import Patterns
from .store import Store, digest_of
from .tree import ROOT, Entry, Tree, filtered, follow

MTIME = 946684800
"""Every file that we write has this time, so that equal content gives equal layers."""


def ingest(
    store: Store, folder: Path, include: Sequence[str] = (), exclude: Sequence[str] = (), keep_owner: bool = False
) -> Tree:
    """The tree of a folder on disk. Files that have not changed since they were last read are not read again."""
    unwanted = Patterns(exclude)
    memory = {} if keep_owner else (store.read("stat", digest_of(str(folder))) or {})
    seen: dict[str, list[Any]] = {}
    entries = {"": _entry(folder.stat(), "directory", keep_owner)}
    now = time.time_ns()

    def file(path: str, full: str, info: os.stat_result) -> tuple[str, int]:
        mark = [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino]
        known = memory.get(path)
        if known and known[:4] == mark and store.blob(known[4]).exists():
            digest, size = known[4], info.st_size
        else:
            with open(full, "rb") as source:
                digest, size = store.add_blob(source)
        if now - max(info.st_mtime_ns, info.st_ctime_ns) > 2_000_000_000:  # a younger file may yet change unseen
            seen[path] = [*mark, digest]
        return digest, size

    def walk(at: str) -> None:
        with os.scandir(folder / at) as found:
            children = sorted(found, key=lambda c: c.name)
        for child in children:
            path = posixpath.join(at, child.name)
            ignored = bool(unwanted) and unwanted.match(path)
            info = child.stat(follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                if not ignored or unwanted.has_negation:
                    entries[path] = _entry(info, "directory", keep_owner)
                    walk(path)
            elif ignored:
                continue
            elif stat.S_ISLNK(info.st_mode):
                entries[path] = dataclasses.replace(
                    _entry(info, "symlink", keep_owner), mode=0o777, content=os.readlink(child.path)
                )
            elif stat.S_ISREG(info.st_mode):
                digest, size = file(path, child.path, info)
                entries[path] = dataclasses.replace(_entry(info, "file", keep_owner), content=digest, size=size)

    walk("")
    if seen != memory and not keep_owner:
        store.write("stat", digest_of(str(folder)), seen)
    return filtered(Tree(entries), include, exclude)


def _entry(info: os.stat_result, kind: Any, keep_owner: bool) -> Entry:
    uid, gid = (info.st_uid, info.st_gid) if keep_owner else (0, 0)
    return Entry(kind, stat.S_IMODE(info.st_mode), uid, gid)


def git_ignored(folder: Path) -> list[str]:
    """What git ignores below a folder, as patterns; nothing where there is no git or no repository."""
    command = ["git", "-C", str(folder), "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    names = (os.fsdecode(name).rstrip("/") for name in done.stdout.split(b"\0") if name)
    return ["".join("\\" + c if c in "*?[\\" else c for c in name) for name in names]


def write_out(store: Store, tree: Tree, folder: Path, keep_owner: bool = False) -> None:
    """Write a tree into a folder, over what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    directories = []
    for path, entry in sorted(tree.entries.items()):
        target = folder / path if path else folder
        if entry.kind == "directory":
            if target.is_symlink() or target.is_file():
                target.unlink()
            target.mkdir(exist_ok=True)
            directories.append((target, entry))
            continue
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        if entry.kind == "symlink":
            target.symlink_to(entry.content)
        else:
            copy_blob(store, entry.content, target)
            os.chmod(target, entry.mode)
        if keep_owner:
            os.chown(target, entry.uid, entry.gid, follow_symlinks=False)
        os.utime(target, (MTIME, MTIME), follow_symlinks=False)
    for target, entry in reversed(directories):
        os.chmod(target, entry.mode)
        if keep_owner:
            os.chown(target, entry.uid, entry.gid)
        os.utime(target, (MTIME, MTIME))


def copy_blob(store: Store, digest: str, target: Path) -> None:
    source = store.blob(digest)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        if source.exists():
            raise
        raise DaggerPodmanError(f"cache entry {digest[:12]} is gone; run the command again") from None


@dataclasses.dataclass(frozen=True)
class Edit:
    """One change to an image's files: `tree` merged in at `path`, or `entry` put there, or `path` removed."""

    path: str
    tree: Tree | None = None
    entry: Entry | None = None
    owner: str = ""

    def key(self) -> list[Any]:
        entry = dataclasses.astuple(self.entry) if self.entry else None
        return [self.path, self.tree.digest if self.tree else None, entry, self.owner]


def layer_entries(root: Path, edits: Iterable[Edit]) -> dict[str, Entry | None]:
    """What a layer over the image mounted at `root` must hold to make the edits.

    Symlinks of the image are followed within it, and folders that are there keep their attributes. `None` removes a path.
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
        kind = "directory" if stat.S_ISDIR(info.st_mode) else "symlink" if stat.S_ISLNK(info.st_mode) else "file"
        entry = _entry(info, kind, keep_owner=True)
        return dataclasses.replace(entry, content=os.readlink(root / path)) if kind == "symlink" else entry

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
        found = existing(path)
        keep = entry == ROOT and found is not None and found.kind == "directory"
        layer[path] = found if keep else entry

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
            target = resolve(edit.path, last=edit.entry.kind == "directory")
            put(target, dataclasses.replace(edit.entry, uid=owner[0], gid=owner[1]) if owner else edit.entry)
        for path, entry in sorted((edit.tree.entries if edit.tree else {}).items()):
            target = resolve(posixpath.join(edit.path, path), last=entry.kind == "directory")
            if not path and not owner and (found := existing(target)) and found.kind == "directory":
                continue
            if target:
                put(target, dataclasses.replace(entry, uid=owner[0], gid=owner[1]) if owner else entry)
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
        if text.isdigit():
            return int(text)
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


def within(root: Path, path: str, last: bool = True) -> Path:
    """A path inside a mounted image, its symlinks followed inside the image only."""
    found = follow(path, lambda at: os.readlink(root / at) if os.path.islink(root / at) else None, last)
    return root / found if found else root
