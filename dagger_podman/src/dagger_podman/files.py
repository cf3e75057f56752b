"""Between a disk and a `Tree`: reading folders in and writing them out."""

from __future__ import annotations

import dataclasses
import os
import posixpath
import shutil
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import DaggerPodmanError
from .patterns import Patterns
from .store import Store, digest_of
from .tree import Entry, Kind, Tree, filtered

MTIME = 946684800
"""Every file that we write has this time, so that equal content gives equal layers."""


def ingest(
    store: Store, folder: Path, include: Sequence[str] = (), exclude: Sequence[str] = (), keep_owner: bool = False
) -> Tree:
    """The tree of a folder on disk. Files that have not changed since they were last read are not read again."""
    unwanted = Patterns(exclude)
    memory = {} if keep_owner else (store.read("stat", digest_of(str(folder))) or {})
    seen: dict[str, list[Any]] = {}
    entries = {"": entry_of(folder.stat(), "directory", keep_owner)}
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
                    entries[path] = entry_of(info, "directory", keep_owner)
                    walk(path)
            elif ignored:
                continue
            elif stat.S_ISLNK(info.st_mode):
                entries[path] = dataclasses.replace(
                    entry_of(info, "symlink", keep_owner), mode=0o777, content=os.readlink(child.path)
                )
            elif stat.S_ISREG(info.st_mode):
                digest, size = file(path, child.path, info)
                entries[path] = dataclasses.replace(entry_of(info, "file", keep_owner), content=digest, size=size)

    walk("")
    if seen != memory and not keep_owner:
        store.write("stat", digest_of(str(folder)), seen)
    return filtered(Tree(entries), include, exclude)


def kind_of(info: os.stat_result) -> Kind:
    return "directory" if stat.S_ISDIR(info.st_mode) else "symlink" if stat.S_ISLNK(info.st_mode) else "file"


def entry_of(info: os.stat_result, kind: Kind, keep_owner: bool) -> Entry:
    uid, gid = (info.st_uid, info.st_gid) if keep_owner else (0, 0)
    return Entry(kind, stat.S_IMODE(info.st_mode), uid, gid)


def write_out(store: Store, tree: Tree, folder: Path, keep_owner: bool = False) -> None:
    """Write a tree into a folder, over what is there; a folder that is there keeps its own attributes."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    directories = []
    for path, entry in sorted(tree.entries.items()):
        target = folder / path if path else folder
        if entry.kind == "directory":
            if target.is_symlink() or target.is_file():
                target.unlink()
            target.mkdir(exist_ok=True)
            if path or is_new:
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
