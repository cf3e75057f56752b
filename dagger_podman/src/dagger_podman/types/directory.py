"""Directory, and Changeset: operations on trees."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Sequence
from pathlib import Path

from .. import building, exporting, images, tree
from ..errors import DaggerPodmanError
from ..fields import field, reads
from ..gitignore import without_ignored
from ..layers import owner_ids
from ..nodes import Node
from ..session import Session
from ..state import Container, Mount
from ..terminal import in_container
from ..tree import Entry, Tree
from ..values import FileValue
from .container import from_
from .file import FILE_TYPES

D = "Directory"


def ids(owner: str) -> tuple[int, int] | None:
    return owner_ids(Path("/nonexistent"), owner) if owner else None


reads(D, digest=lambda d: f"sha256:{d.digest}", sync=lambda d: None)


@field("Query", "directory")
async def new_directory(_: Session) -> Tree:
    return Tree()


@field(D)
async def with_new_file(session: Session, d: Tree, path: str, contents: str, permissions: int | None = 0o644) -> Tree:
    data = contents.encode()
    mode = 0o644 if permissions is None else permissions
    return tree.with_entry(d, path, Entry("file", mode, content=session.store.add_bytes(data), size=len(data)))


@field(D)
async def with_new_directory(_: Session, d: Tree, path: str, permissions: int | None = 0o755) -> Tree:
    return tree.with_entry(d, path, Entry("directory", 0o755 if permissions is None else permissions))


@field(D)
async def with_file(
    session: Session, d: Tree, path: str, source: Node, permissions: int | None = None, owner: str = ""
) -> Tree:
    value: FileValue = await session.value(source)
    target = posixpath.join(path, value.name) if path.endswith("/") else path
    entry = value.entry if permissions is None else dataclasses.replace(value.entry, mode=permissions)
    if owner and (pair := ids(owner)):
        entry = dataclasses.replace(entry, uid=pair[0], gid=pair[1])
    return tree.with_entry(d, target, entry)


@field(D)
async def with_files(
    session: Session, d: Tree, path: str, sources: Sequence[Node], permissions: int | None = None
) -> Tree:
    for source in sources:
        d = await with_file(session, d, path.rstrip("/") + "/", source, permissions)
    return d


@field(D)
async def with_directory(
    session: Session,
    d: Tree,
    path: str,
    source: Node,
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    gitignore: bool = False,
    owner: str = "",
    permissions: int | None = None,
) -> Tree:
    other = await filter_(session, await session.value(source), exclude, include, gitignore)
    if permissions is not None:
        root = dataclasses.replace(other.entries[""], mode=permissions)
        other = Tree({**other.entries, "": root})
    return tree.with_tree(d, path, other, ids(owner))


@field(D)
async def with_symlink(_: Session, d: Tree, target: str, link_name: str) -> Tree:
    return tree.with_entry(d, link_name, Entry("symlink", 0o777, content=target))


@field(D, "withoutDirectory", "withoutFile")
async def without_path(_: Session, d: Tree, path: str) -> Tree:
    return tree.without(d, [path])


@field(D)
async def without_files(_: Session, d: Tree, paths: Sequence[str]) -> Tree:
    return tree.without(d, paths)


@field(D)
async def chown(_: Session, d: Tree, path: str, owner: str) -> Tree:
    uid, gid = owner_ids(Path("/nonexistent"), owner)
    found, _entry = tree.lookup(d, path)
    prefix = f"{found}/" if found else ""
    return Tree(
        {
            p: dataclasses.replace(e, uid=uid, gid=gid) if p == found or p.startswith(prefix) else e
            for p, e in d.entries.items()
        }
    )


@field(D, note="a file's time is always the same, so that equal content gives equal layers")
async def with_timestamps(_: Session, d: Tree, timestamp: int) -> Tree:
    return d


@field(D)
async def with_error(_: Session, d: Tree, err: str) -> Tree:
    if err:
        raise DaggerPodmanError(err)
    return d


@field(D, "filter")
async def filter_(
    session: Session, d: Tree, exclude: Sequence[str] = (), include: Sequence[str] = (), gitignore: bool = False
) -> Tree:
    return tree.filtered(without_ignored(session.store, d) if gitignore else d, include, exclude)


@field(D)
async def directory(_: Session, d: Tree, path: str) -> Tree:
    return tree.subtree(d, path)


@field(D)
async def file(_: Session, d: Tree, path: str) -> FileValue:
    _found, entry = tree.lookup(d, path)
    if entry.kind == "directory":
        raise DaggerPodmanError(f"path {path} is a directory, not a file")
    return FileValue(posixpath.basename(path), entry)


@field(D)
async def entries(_: Session, d: Tree, path: str = "") -> list[str]:
    return tree.listing(d, path)


@field(D)
async def glob(_: Session, d: Tree, pattern: str) -> list[str]:
    return tree.glob(d, pattern)


@field(D)
async def exists(
    _: Session, d: Tree, path: str, expected_type: str | None = None, do_not_follow_symlinks: bool = False
) -> bool:
    entry = d.entries.get(tree.resolve(d, path, last=not do_not_follow_symlinks))
    return entry is not None and expected_type in (None, FILE_TYPES[entry.kind])


@field(D)
async def stat(_: Session, d: Tree, path: str, do_not_follow_symlinks: bool = False) -> FileValue:
    found, entry = tree.lookup(d, path, last=not do_not_follow_symlinks)
    return FileValue(posixpath.basename(found) or "/", entry)


@field(D)
async def find_up(_: Session, d: Tree, name: str, start: str) -> str | None:
    at = tree.relative(start)
    while True:
        if (here := posixpath.join(at, name)) in d.entries:
            return here
        if not at:
            return None
        at = posixpath.dirname(at)


@field(D)
async def name(_: Session, d: Tree, node: Node) -> str:
    """`sub/` of `directory("a/sub")`, `/` of one that was not taken out of another."""
    path = node.parent.arg("path") if node.parent and node.parent.field == "directory" else None
    return f"{posixpath.basename(tree.relative(path))}/" if path else "/"


@field(D)
async def diff(session: Session, d: Tree, other: Node) -> Tree:
    return tree.diff(d, await session.value(other))


@field(D, ignores=("noInit",))
async def docker_build(
    session: Session,
    d: Tree,
    dockerfile: str = "Dockerfile",
    platform: str | None = None,
    build_args: Sequence[dict[str, str]] = (),
    target: str = "",
    secrets: Sequence[Node] = (),
) -> Container:
    image = await building.build(session, d, dockerfile, platform or "", build_args, target, secrets)
    return await images.container_of(session, image)


@field(D)
async def export(session: Session, d: Tree, path: str, wipe: bool = False) -> str:
    return await exporting.export(session, d, path, wipe)


@field(D)
async def terminal(
    session: Session,
    d: Tree,
    node: Node,
    cmd: Sequence[str] = (),
    container: Node | None = None,
    insecure_root_capabilities: bool = False,
) -> Tree:
    """Changes that are made there are not kept."""
    c = await session.value(container) if container else await from_(session, Container(), "alpine")
    c = dataclasses.replace(c.with_mount(Mount("directory", "/src", node.parent)), workdir="/src")
    await in_container(session, c, cmd, insecure_root_capabilities)
    return d
