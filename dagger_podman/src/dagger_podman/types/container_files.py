"""Container: its files. A path below a mount changes the mount, not the image."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Sequence
from typing import Any

from ..errors import DaggerPodmanError
from ..execution import mount_value
from ..fields import field
from ..nodes import Node
from ..session import Session
from ..state import Change, Container, Edited
from ..tree import Entry, Tree
from ..values import content_node, new_file, stored_tree

C = "Container"


async def _changed(
    session: Session, c: Container, path: str, change: Change, name: str, key: str = "path", **arguments: Any
) -> Container:
    """With one more change to the image's files (those in a row make one layer), or to the directory mounted at `path`.

    The latter by the directory's field `name`, whose argument `key` is the path in it.
    """
    mount = c.mount_at(path)
    if mount and mount.path == path and (mount.kind, name) != ("directory", "withDirectory"):
        c = dataclasses.replace(c, mounts=tuple(m for m in c.mounts if m is not mount))  # what it hid is meant
        return await _changed(session, c, path, change, name, key, **arguments)
    if mount and mount.kind in ("cache", "temp"):
        raise DaggerPodmanError(f"failed to locate path {path}: cannot retrieve path from a {mount.kind} mount")
    if mount and mount.kind == "directory" and mount.source:
        source = stored_tree(session, await mount_value(session, mount)) if mount.after else mount.source
        args = tuple(sorted({**arguments, key: posixpath.relpath(path, mount.path)}.items()))
        changed = session.remember(Node("Directory", name, args, source))
        return c.with_mount(dataclasses.replace(mount, source=changed, after=None))
    base, before = (c.root.base, c.root.changes) if isinstance(c.root, Edited) else (c.root, ())
    return dataclasses.replace(c, root=Edited(base, (*before, change)))


@field(C, note="`permissions` are given to all that is copied; Dagger 0.21 passes them over")
async def with_directory(
    session: Session,
    c: Container,
    path: str,
    source: Node,
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    gitignore: bool = False,
    owner: str = "",
    permissions: int | None = None,
) -> Container:
    path = c.path(path)
    if exclude or include or gitignore:
        args = (("exclude", tuple(exclude)), ("gitignore", gitignore), ("include", tuple(include)))
        source = session.remember(Node("Directory", "filter", args, source))
    given: dict[str, Any] = {"source": source, "owner": owner, "permissions": permissions}
    return await _changed(session, c, path, Change(path, source, owner, permissions), "withDirectory", **given)


@field(C)
async def with_file(
    session: Session, c: Container, path: str, source: Node, permissions: int | None = None, owner: str = ""
) -> Container:
    target = c.path(path)
    if path.endswith("/"):
        target = posixpath.join(target, (await session.value(source)).name)
    given: dict[str, Any] = {"source": source, "owner": owner, "permissions": permissions}
    return await _changed(session, c, target, Change(target, source, owner, permissions), "withFile", **given)


@field(C)
async def with_files(
    session: Session, c: Container, path: str, sources: Sequence[Node], permissions: int | None = None, owner: str = ""
) -> Container:
    for source in sources:
        c = await with_file(session, c, path.rstrip("/") + "/", source, permissions, owner)
    return c


@field(C)
async def with_new_file(
    session: Session, c: Container, path: str, contents: str, permissions: int = 0o644, owner: str = ""
) -> Container:
    source = content_node(session, new_file(session.store, posixpath.basename(path), contents, permissions))
    return await with_file(session, c, c.path(path), source, owner=owner)


@field(C)
async def with_symlink(session: Session, c: Container, target: str, link_name: str) -> Container:
    link = c.path(link_name)
    tree = Tree({posixpath.basename(link): Entry("symlink", 0o777, content=target)})  # its folder stays as it is
    change = Change(posixpath.dirname(link), stored_tree(session, tree))
    return await _changed(session, c, link, change, "withSymlink", "linkName", target=target)


@field(C, "withoutDirectory", "withoutFile")
async def without_path(session: Session, c: Container, path: str) -> Container:
    return await _changed(session, c, c.path(path), Change(c.path(path)), "withoutDirectory")


@field(C)
async def without_files(session: Session, c: Container, paths: Sequence[str]) -> Container:
    for path in paths:
        c = await without_path(session, c, path)
    return c
