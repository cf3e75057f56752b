"""File and Stat."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

from .. import exporting
from ..errors import DaggerPodmanError
from ..fields import computed, field
from ..layers import numeric_ids
from ..session import Session
from ..store import digest_of
from ..values import FileValue, new_file

F = "File"
FILE_TYPES = {"file": "REGULAR_TYPE", "directory": "DIRECTORY_TYPE", "symlink": "SYMLINK_TYPE"}

computed(
    F,
    chown=lambda f, owner: replace(f, entry=f.entry.owned(numeric_ids(owner))),
    name=lambda f: f.name,
    size=lambda f: f.entry.size,
    stat=lambda f: f,
    sync=lambda f: None,
    withName=lambda f, name: replace(f, name=name),
)
computed(
    F,
    note="a file's time is always the same, so that equal content gives equal layers",
    withTimestamps=lambda f, timestamp: f,
)
computed(
    "Stat",
    fileType=lambda f: FILE_TYPES[f.entry.kind],
    name=lambda f: f.name,
    permissions=lambda f: f.entry.mode,
    size=lambda f: f.entry.size,
)


def text_of(session: Session, f: FileValue) -> str:
    try:
        return session.store.read_blob(f.entry.content).decode()
    except UnicodeDecodeError:
        raise DaggerPodmanError(f"file {f.name!r} is not UTF-8 text") from None
    except FileNotFoundError:
        raise DaggerPodmanError(f"file {f.name!r} is no longer in the cache; run the command again") from None


@field("Query")
async def file(session: Session, name: str, contents: str, permissions: int = 0o644) -> FileValue:
    return new_file(session.store, name, contents, permissions)


@field(F)
async def contents(session: Session, f: FileValue, offset_lines: int = 0, limit_lines: int | None = None) -> str:
    text = text_of(session, f)
    if not offset_lines and limit_lines is None:
        return text
    lines = text.splitlines(keepends=True)[offset_lines:]
    return "".join(lines if limit_lines is None else lines[:limit_lines])


@field(F)
async def digest(_: Session, f: FileValue, exclude_metadata: bool = False) -> str:
    if exclude_metadata:
        return f"sha256:{f.entry.content}"
    return f"sha256:{digest_of([f.name, *dataclasses.astuple(f.entry)])}"


@field(F)
async def with_replaced(
    session: Session, f: FileValue, search: str, replacement: str, all: bool = False, first_from: int | None = None
) -> FileValue:
    text = text_of(session, f)
    lines = text.splitlines(keepends=True)
    head, tail = "".join(lines[: (first_from or 1) - 1]), "".join(lines[(first_from or 1) - 1 :])
    count = tail.count(search)
    if not count and not all:
        raise DaggerPodmanError(f"search string not found in {f.name}")
    if count > 1 and first_from is None and not all:
        raise DaggerPodmanError(f"search string found {count} times in {f.name}, expected once")
    text = head + tail.replace(search, replacement, -1 if all else 1)
    replaced = new_file(session.store, f.name, text).entry
    return replace(f, entry=replace(f.entry, content=replaced.content, size=replaced.size))


@field(F)
async def export(session: Session, f: FileValue, path: str, allow_parent_dir_path: bool = False) -> str:
    return await exporting.export(session, f, path)
