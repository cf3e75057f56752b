"""File, Stat and EnvFile."""

from __future__ import annotations

import dataclasses

from .. import exporting
from ..errors import DaggerPodmanError
from ..fields import field, reads
from ..session import Session
from ..store import digest_of
from ..tree import Entry
from ..values import FileValue

F = "File"


FILE_TYPES = {"file": "REGULAR_TYPE", "directory": "DIRECTORY_TYPE", "symlink": "SYMLINK_TYPE"}

reads(F, name=lambda f: f.name, size=lambda f: f.entry.size, stat=lambda f: f, sync=lambda f: None)
reads(
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


@field("Query", "file")
async def new_file(session: Session, name: str, contents: str, permissions: int | None = 0o644) -> FileValue:
    data = contents.encode()
    mode = 0o644 if permissions is None else permissions
    return FileValue(name, Entry("file", mode, content=session.store.add_bytes(data), size=len(data)))


@field(F)
async def contents(
    session: Session, f: FileValue, offset_lines: int | None = None, limit_lines: int | None = None
) -> str:
    text = text_of(session, f)
    if offset_lines is None and limit_lines is None:
        return text
    lines = text.splitlines(keepends=True)[offset_lines or 0 :]
    return "".join(lines if limit_lines is None else lines[:limit_lines])


@field(F)
async def digest(_: Session, f: FileValue, exclude_metadata: bool = False) -> str:
    if exclude_metadata:
        return f"sha256:{f.entry.content}"
    return f"sha256:{digest_of([f.name, *dataclasses.astuple(f.entry)])}"


@field(F)
async def with_name(_: Session, f: FileValue, name: str) -> FileValue:
    return dataclasses.replace(f, name=name)


@field(F)
async def with_replaced(
    session: Session, f: FileValue, search: str, replacement: str, all: bool = False, first_from: int | None = None
) -> FileValue:
    text = text_of(session, f)
    if first_from is not None:
        lines = text.splitlines(keepends=True)
        head, tail = "".join(lines[: first_from - 1]), "".join(lines[first_from - 1 :])
        text = head + tail.replace(search, replacement, 1)
    elif not all and text.count(search) != 1:
        raise DaggerPodmanError(f"search string found {text.count(search)} times in {f.name}, expected once")
    else:
        text = text.replace(search, replacement)
    data = text.encode()
    return dataclasses.replace(
        f, entry=dataclasses.replace(f.entry, content=session.store.add_bytes(data), size=len(data))
    )


@field(F)
async def chown(_: Session, f: FileValue, owner: str) -> FileValue:
    from .directory import ids

    uid, gid = ids(owner) or (0, 0)
    return dataclasses.replace(f, entry=dataclasses.replace(f.entry, uid=uid, gid=gid))


@field(F, note="a file's time is always the same, so that equal content gives equal layers")
async def with_timestamps(_: Session, f: FileValue, timestamp: int) -> FileValue:
    return f


@field(F)
async def as_env_file(session: Session, f: FileValue, expand: bool | None = None) -> tuple[tuple[str, str], ...]:
    pairs = []
    for line in text_of(session, f).splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            pairs.append((key.strip(), value.strip().strip("\"'")))
    return tuple(pairs)


@field("EnvFile")
async def variables(_: Session, e: tuple[tuple[str, str], ...], raw: bool = False) -> list[tuple[str, str]]:
    return list(e)


@field("EnvFile")
async def get(_: Session, e: tuple[tuple[str, str], ...], name: str, raw: bool = False) -> str:
    return dict(e).get(name, "")


@field("EnvFile", "exists")
async def has(_: Session, e: tuple[tuple[str, str], ...], name: str) -> bool:
    return name in dict(e)


@field(F)
async def export(session: Session, f: FileValue, path: str, allow_parent_dir_path: bool = False) -> str:
    return await exporting.export(session, f, path)
