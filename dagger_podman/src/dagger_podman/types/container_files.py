"""Container: its files and mounts. A path below a mount changes the mount, not the image."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Sequence
from typing import Any

from .. import images
from ..errors import DaggerPodmanError, NotAvailableError
from ..execution import mount_value
from ..fields import field
from ..image_files import on_image
from ..nodes import Node
from ..session import Session
from ..state import Change, Container, Edited, Mount, Root, Scratch
from ..tree import Entry, Tree
from ..values import FileValue, file_node, stored_tree

C = "Container"


def edited(c: Container, change: Change) -> Container:
    """The container with one more change; changes in a row make one layer."""
    root: Root = c.root
    if isinstance(root, Edited):
        return dataclasses.replace(c, root=Edited(root.base, (*root.changes, change)))
    return dataclasses.replace(c, root=Edited(root, (change,)))


async def _in_mount(session: Session, c: Container, path: str, name: str, **arguments: Any) -> Container | None:
    """Where `path` lies in a mounted directory: the container with that directory changed by the same operation."""
    mount = c.mount_at(path)
    if mount is None or mount.kind != "directory" or mount.source is None:
        return None
    source = stored_tree(session, await mount_value(session, mount)) if mount.after else mount.source
    args = tuple(sorted({**arguments, "path": posixpath.relpath(path, mount.path)}.items()))
    return c.with_mount(
        dataclasses.replace(mount, source=session.remember(Node("Directory", name, args, source)), after=None)
    )


@field(C)
async def with_directory(
    session: Session,
    c: Container,
    path: str,
    source: Node,
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    gitignore: bool = False,
    owner: str = "",
    expand: bool = False,
    permissions: int | None = None,
) -> Container:
    path = c.path(c.expand(path, expand))
    if exclude or include or gitignore:
        args = (("exclude", tuple(exclude)), ("gitignore", gitignore), ("include", tuple(include)))
        source = session.remember(Node("Directory", "filter", args, source))
    changed = await _in_mount(session, c, path, "withDirectory", source=source, owner=owner)
    return changed or edited(c, Change(path, source, c.expand(owner, expand), permissions))


@field(C)
async def with_file(
    session: Session,
    c: Container,
    path: str,
    source: Node,
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    path = c.expand(path, expand)
    target = c.path(path)
    if path.endswith("/"):
        target = posixpath.join(target, (await session.value(source)).name)
    changed = await _in_mount(session, c, target, "withFile", source=source, owner=owner, permissions=permissions)
    return changed or edited(c, Change(target, source, owner, permissions))


@field(C)
async def with_files(
    session: Session,
    c: Container,
    path: str,
    sources: Sequence[Node],
    permissions: int | None = None,
    owner: str = "",
    expand: bool = False,
) -> Container:
    for source in sources:
        c = await with_file(session, c, path.rstrip("/") + "/", source, permissions, owner, expand)
    return c


@field(C)
async def with_new_file(
    session: Session,
    c: Container,
    path: str,
    contents: str,
    permissions: int | None = 0o644,
    owner: str = "",
    expand: bool = False,
) -> Container:
    path = c.path(c.expand(path, expand))
    data = contents.encode()
    mode = 0o644 if permissions is None else permissions
    source = file_node(session, session.store.add_bytes(data), len(data), posixpath.basename(path), mode)
    return await with_file(session, c, path, source, permissions, owner)


@field(C)
async def with_symlink(session: Session, c: Container, target: str, link_name: str, expand: bool = False) -> Container:
    link = c.path(c.expand(link_name, expand))
    tree = Tree({"": Tree().entries[""], posixpath.basename(link): Entry("symlink", 0o777, content=target)})
    return edited(c, Change(posixpath.dirname(link), stored_tree(session, tree)))


@field(C, "withoutDirectory", "withoutFile")
async def without_path(session: Session, c: Container, path: str, expand: bool = False) -> Container:
    path = c.path(c.expand(path, expand))
    return await _in_mount(session, c, path, "withoutDirectory") or edited(c, Change(path))


@field(C)
async def without_files(session: Session, c: Container, paths: Sequence[str], expand: bool = False) -> Container:
    for path in paths:
        c = await without_path(session, c, path, expand)
    return c


# --- mounts -------------------------------------------------------------------------------------------
@field(C)
async def with_mounted_directory(
    _: Session,
    c: Container,
    path: str,
    source: Node,
    owner: str = "",
    read_only: bool = False,
    expand: bool = False,
) -> Container:
    return c.with_mount(Mount("directory", c.path(c.expand(path, expand)), source, owner, read_only=read_only))


@field(C)
async def with_mounted_file(
    _: Session, c: Container, path: str, source: Node, owner: str = "", expand: bool = False
) -> Container:
    return c.with_mount(Mount("file", c.path(c.expand(path, expand)), source, owner))


@field(C)
async def with_mounted_cache(
    session: Session,
    c: Container,
    path: str,
    cache: Node,
    source: Node | None = None,
    sharing: str = "SHARED",
    owner: str = "",
    expand: bool = False,
) -> Container:
    if source is not None:
        raise NotAvailableError("the argument 'source' of Container.withMountedCache")
    key = await session.value(cache)
    mount = Mount("cache", c.path(c.expand(path, expand)), cache, owner, sharing=sharing, cache_key=key)
    return c.with_mount(mount)


@field(C)
async def with_mounted_temp(
    _: Session, c: Container, path: str, size: int | None = None, expand: bool = False
) -> Container:
    return c.with_mount(Mount("temp", c.path(c.expand(path, expand)), size=size or 0))


@field(C)
async def with_mounted_secret(
    _: Session, c: Container, path: str, source: Node, owner: str = "", mode: int = 0o400, expand: bool = False
) -> Container:
    return c.with_mount(Mount("secret", c.path(c.expand(path, expand)), source, owner, mode))


@field(C, "withoutMount", "withoutUnixSocket")
async def without_mount(_: Session, c: Container, path: str, expand: bool = False) -> Container:
    path = c.path(c.expand(path, expand))
    return dataclasses.replace(c, mounts=tuple(m for m in c.mounts if m.path != path))


@field(C)
async def mounts(_: Session, c: Container) -> list[str]:
    return [m.path for m in c.mounts]


# --- reading ------------------------------------------------------------------------------------------
async def read_path(session: Session, c: Container, path: str) -> Tree | FileValue:
    """What is at an absolute path: of a mount, as the last command left it; else of the image."""
    mount = c.mount_at(path)
    if mount is None:
        return await _read_root(session, c.root, path)
    if mount.source is None or mount.kind in ("cache", "temp", "secret"):
        raise DaggerPodmanError(f"{path}: cannot read from a {mount.kind} mount")
    value: Tree | FileValue = await mount_value(session, mount)
    inside = posixpath.relpath(path, mount.path)
    if isinstance(value, FileValue):
        return value
    from ..tree import lookup, subtree

    name, entry = lookup(value, inside)
    return subtree(value, inside) if entry.kind == "directory" else FileValue(posixpath.basename(name), entry)


async def _read_root(session: Session, root: Root, path: str) -> Tree | FileValue:
    if isinstance(root, Scratch):
        if path == "/":
            return Tree()
        raise DaggerPodmanError(f"stat {path}: no such file or directory")
    image = await images.image_of(session, root)

    async def read() -> Any:
        if known := session.store.read("read", f"{image[:32]}{_hash(path)}"):
            return known
        found = await on_image(session.podman, session.store, image, "read", path=path)
        session.store.write("read", f"{image[:32]}{_hash(path)}", found)
        return found

    found = await session.once(f"read {image} {path}", read)
    if found["kind"] == "directory":
        return Tree.from_json(found["rows"])
    return FileValue(posixpath.basename(path), Entry(*found["entry"]))


def _hash(path: str) -> str:
    from ..store import digest_of

    return digest_of(path)[:32]


@field(C)
async def directory(session: Session, c: Container, path: str, expand: bool = False) -> Tree:
    found = await read_path(session, c, c.path(c.expand(path, expand)))
    if isinstance(found, FileValue):
        raise DaggerPodmanError(f"path {path} is a file, not a directory")
    return found


@field(C)
async def file(session: Session, c: Container, path: str, expand: bool = False) -> FileValue:
    found = await read_path(session, c, c.path(c.expand(path, expand)))
    if isinstance(found, Tree):
        raise DaggerPodmanError(f"path {path} is a directory, not a file")
    return found


@field(C)
async def exists(
    session: Session,
    c: Container,
    path: str,
    expected_type: str | None = None,
    do_not_follow_symlinks: bool = False,
    expand: bool = False,
) -> bool:
    try:
        found = await read_path(session, c, c.path(c.expand(path, expand)))
    except DaggerPodmanError as error:
        if "no such file" in str(error):
            return False
        raise
    kind = "DIRECTORY_TYPE" if isinstance(found, Tree) else "REGULAR_TYPE"
    return expected_type in (None, kind)


@field(C)
async def rootfs(session: Session, c: Container) -> Tree:
    found = await _read_root(session, c.root, "/")
    assert isinstance(found, Tree)
    return found


@field(C)
async def with_rootfs(session: Session, c: Container, directory: Node) -> Container:
    return dataclasses.replace(c, root=Edited(Scratch(), (Change("/", directory),)))
