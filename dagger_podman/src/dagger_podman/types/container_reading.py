"""Container: what is in it. A path below a mount is read from the mount, as the last command left it."""

from __future__ import annotations

import posixpath
from typing import Any

from .. import images
from ..errors import DaggerPodmanError, MissingPathError
from ..execution import mount_value
from ..fields import field
from ..image_files import on_image
from ..session import Session
from ..state import Container, Root, Scratch
from ..store import digest_of
from ..tree import ROOT, Entry, Tree, lookup, subtree
from ..values import FileValue, whole
from .file import FILE_TYPES

C = "Container"


async def _mounted(session: Session, c: Container, path: str) -> tuple[Tree | FileValue, str] | None:
    """What is mounted there or above, and the path inside it; None where `path` is of the image."""
    mount = c.mount_at(path)
    if mount is None:
        return None
    if mount.source is None or mount.kind in ("cache", "temp", "secret"):
        raise DaggerPodmanError(f"{path}: cannot read from a {mount.kind} mount")
    return await mount_value(session, mount), posixpath.relpath(path, mount.path)


async def read_path(session: Session, c: Container, path: str) -> Tree | FileValue:
    """What is at an absolute path."""
    mounted = await _mounted(session, c, path)
    if mounted is None:
        return await _read_root(session, c.root, path)
    value, inside = mounted
    if isinstance(value, FileValue):
        return value
    name, entry = lookup(value, inside)
    return subtree(value, inside) if entry.kind == "directory" else FileValue(posixpath.basename(name), entry)


async def _read_root(session: Session, root: Root, path: str) -> Tree | FileValue:
    if isinstance(root, Scratch):
        if path == "/":
            return Tree()
        raise MissingPathError(path)
    image = await images.image_of(session, root)

    async def read() -> Tree | FileValue:
        key = digest_of([image, path])
        if (known := session.store.read("read", key)) and whole(session.store, value := _found(known, path)):
            return value
        found = await on_image(session.podman, session.store, image, "read", path=path)
        session.store.write("read", key, found)
        return _found(found, path)

    return await session.once(f"read {image} {path}", read)


def _found(found: dict[str, Any], path: str) -> Tree | FileValue:
    if found["kind"] == "directory":
        return Tree.from_json(found["rows"])
    return FileValue(posixpath.basename(path), Entry(*found["entry"]))


@field(C)
async def directory(session: Session, c: Container, path: str) -> Tree:
    found = await read_path(session, c, c.path(path))
    if isinstance(found, FileValue):
        raise DaggerPodmanError(f"path {path} is a file, not a directory")
    return found


@field(C)
async def file(session: Session, c: Container, path: str) -> FileValue:
    found = await read_path(session, c, c.path(path))
    if isinstance(found, Tree):
        raise DaggerPodmanError(f"path {path} is a directory, not a file")
    return found


@field(C)
async def stat(session: Session, c: Container, path: str, do_not_follow_symlinks: bool = False) -> FileValue:
    path = c.path(path)
    name, follow = posixpath.basename(path) or "/", not do_not_follow_symlinks
    mounted = await _mounted(session, c, path)
    if mounted:
        value, inside = mounted
        return value if isinstance(value, FileValue) else FileValue(name, lookup(value, inside, follow)[1])
    if not isinstance(c.root, Scratch):
        image = await images.image_of(session, c.root)
        row = await on_image(session.podman, session.store, image, "stat", path=path, follow=follow)
        return FileValue(name, Entry(*row))
    if path != "/":
        raise MissingPathError(path)
    return FileValue(name, ROOT)


@field(C)
async def exists(
    session: Session, c: Container, path: str, expected_type: str | None = None, do_not_follow_symlinks: bool = False
) -> bool:
    try:
        found = await stat(session, c, path, do_not_follow_symlinks or expected_type == "SYMLINK_TYPE")
    except MissingPathError:
        return False
    return expected_type in (None, FILE_TYPES[found.entry.kind])


@field(C)
async def rootfs(session: Session, c: Container) -> Tree:
    found = await _read_root(session, c.root, "/")
    assert isinstance(found, Tree)
    return found
