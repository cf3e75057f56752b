"""Container: its files and mounts. A path below a mount changes the mount, not the image."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Sequence
from typing import Any

from ..execution import mount_value
from ..fields import field
from ..nodes import Node
from ..session import Session
from ..state import Change, Container, Edited, Mount, Root, Scratch
from ..tree import Entry, Tree
from ..values import file_node, stored_tree
from .cache_volume import CacheValue

C = "Container"
OWNER = "for an ordinary user what is mounted belongs to root, whatever `owner` says"


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
@field(C, note=OWNER)
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


@field(C, note=OWNER)
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
    sharing: str = "SHARED",
    owner: str = "",
    expand: bool = False,
) -> Container:
    value: CacheValue = await session.value(cache)
    sharing = value.sharing if sharing == "SHARED" else sharing
    path = c.path(c.expand(path, expand))
    mount = Mount("cache", path, cache, owner or value.owner, sharing=sharing, cache_key=value.key)
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


@field(C)
async def with_unix_socket(_: Session, c: Container, path: str, source: Node, expand: bool = False) -> Container:
    return c.with_mount(Mount("socket", c.path(c.expand(path, expand)), source))


@field(C, "withoutMount", "withoutUnixSocket")
async def without_mount(_: Session, c: Container, path: str, expand: bool = False) -> Container:
    path = c.path(c.expand(path, expand))
    return dataclasses.replace(c, mounts=tuple(m for m in c.mounts if m.path != path))


@field(C)
async def mounts(_: Session, c: Container) -> list[str]:
    return [m.path for m in c.mounts]


@field(C)
async def with_rootfs(session: Session, c: Container, directory: Node) -> Container:
    return dataclasses.replace(c, root=Edited(Scratch(), (Change("/", directory),)))
