"""Directory: operations on trees."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from .. import building, exporting, images, tree
from ..errors import DaggerPodmanError
from ..fields import computed, field
from ..gitignore import without_ignored
from ..layers import numeric_ids
from ..nodes import Node
from ..session import SecretValue, Session
from ..state import Container, Mount
from ..terminal import in_container
from ..tree import Entry, Tree
from ..values import FileValue, new_file
from .container import from_
from .file import FILE_TYPES

D = "Directory"


def _chown(d: Tree, path: str, owner: str) -> Tree:
    found, _ = tree.lookup(d, path)
    prefix, ids = f"{found}/" if found else "", numeric_ids(owner)
    return Tree({p: e.owned(ids) if p == found or p.startswith(prefix) else e for p, e in d.entries.items()})


def _exists(d: Tree, path: str, expected_type: str | None = None, do_not_follow_symlinks: bool = False) -> bool:
    last = not do_not_follow_symlinks and expected_type != "SYMLINK_TYPE"
    entry = d.entries.get(tree.resolve(d, path, last))
    return entry is not None and expected_type in (None, FILE_TYPES[entry.kind])


def _file(d: Tree, path: str) -> FileValue:
    _, entry = tree.lookup(d, path)
    if entry.kind == "directory":
        raise DaggerPodmanError(f"path {path} is a directory, not a file")
    return FileValue(posixpath.basename(path), entry)


def _find_up(d: Tree, name: str, start: str) -> str | None:
    at = tree.relative(start)
    while True:
        if (here := posixpath.join(at, name)) in d.entries:
            return here
        if not at:
            return None
        at = posixpath.dirname(at)


def _stat(d: Tree, path: str, do_not_follow_symlinks: bool = False) -> FileValue:
    found, entry = tree.lookup(d, path, last=not do_not_follow_symlinks)
    return FileValue(posixpath.basename(found) or "/", entry)


def _with_error(d: Tree, err: str) -> Tree:
    if err:
        raise DaggerPodmanError(err)
    return d


def _with_file(d: Tree, path: str, source: FileValue, permissions: int | None = None, owner: str = "") -> Tree:
    there = d.entries.get(tree.resolve(d, path))
    into = path.endswith("/") or (there is not None and there.kind == "directory")
    target = posixpath.join(path, source.name) if into else path
    entry = source.entry if permissions is None else replace(source.entry, mode=permissions)
    return tree.with_entry(d, target, entry.owned(numeric_ids(owner)))


def _with_files(d: Tree, path: str, sources: Sequence[FileValue], permissions: int | None = None) -> Tree:
    for source in sources:
        d = _with_file(d, path.rstrip("/") + "/", source, permissions)
    return d


def _with_new_directory(d: Tree, path: str, permissions: int = 0o644) -> Tree:
    """One that is there stays as it is; the folders above a new one get its permissions too."""
    found = tree.resolve(d, path)
    if found in d.entries and d.entries[found].kind != "directory":
        raise DaggerPodmanError(f"mkdir {path}: not a directory")
    return d if found in d.entries else tree.with_entry(d, path, Entry("directory", permissions), permissions)


computed(
    D,
    chown=_chown,
    diff=lambda d, other: tree.diff(d, other),
    digest=lambda d: f"sha256:{d.digest}",
    directory=tree.subtree,
    entries=tree.listing,
    exists=_exists,
    file=_file,
    findUp=_find_up,
    glob=tree.glob,
    stat=_stat,
    sync=lambda d: None,
    withError=_with_error,
    withFile=_with_file,
    withFiles=_with_files,
    withNewDirectory=_with_new_directory,
    withSymlink=lambda d, target, link_name: tree.with_entry(d, link_name, Entry("symlink", 0o777, content=target)),
    withoutDirectory=lambda d, path: tree.without(d, [path]),
    withoutFile=lambda d, path: tree.without(d, [path]),
    withoutFiles=tree.without,
)
computed(
    D,
    note="a file's time is always the same, so that equal content gives equal layers",
    withTimestamps=lambda d, timestamp: d,
)


@field("Query", "directory")
async def new_directory(_: Session) -> Tree:
    return Tree()


@field(D)
async def with_new_file(session: Session, d: Tree, path: str, contents: str, permissions: int = 0o644) -> Tree:
    """One that is there keeps its permissions and owner, and a link to one stays a link."""
    made = new_file(session.store, "", contents, permissions or 0o644).entry
    found = tree.resolve(d, path)
    there = d.entries.get(found)
    if there is not None and there.kind == "directory":
        raise DaggerPodmanError(f"open {path}: is a directory")
    if there is not None:
        made = replace(made, mode=there.mode, uid=there.uid, gid=there.gid)
    return tree.with_entry(d, found, made)


@field(D)
async def with_directory(
    session: Session,
    d: Tree,
    path: str,
    source: Tree,
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    gitignore: bool = False,
    owner: str = "",
    permissions: int | None = None,
) -> Tree:
    other = await filter_(session, source, exclude, include, gitignore)
    return tree.with_tree(d, path, tree.with_mode(other, permissions), numeric_ids(owner))


@field(D, "filter")
async def filter_(
    session: Session, d: Tree, exclude: Sequence[str] = (), include: Sequence[str] = (), gitignore: bool = False
) -> Tree:
    return tree.filtered(without_ignored(session.store, d) if gitignore else d, include, exclude)


@field(D)
async def name(_: Session, d: Tree, node: Node) -> str:
    """`sub/` of `directory("a/sub")`, `/` of one that was not taken out of another."""
    path = node.parent.arg("path") if node.parent and node.parent.field == "directory" else None
    return f"{posixpath.basename(tree.relative(path))}/" if path else "/"


@field(D, ignores=("noInit",))
async def docker_build(
    session: Session,
    d: Tree,
    dockerfile: str = "Dockerfile",
    platform: str = "",
    build_args: Sequence[dict[str, str]] = (),
    target: str = "",
    secrets: Sequence[SecretValue] = (),
) -> Container:
    image = await building.build(session, d, dockerfile, platform, build_args, target, secrets)
    c = await images.container_of(session, image)
    return replace(c, own_args=bool(c.args), ports=tuple(replace(p, of_image=False) for p in c.ports))


@field(D)
async def export(session: Session, d: Tree, path: str, wipe: bool = False) -> str:
    return await exporting.export(session, d, path, wipe)


@field(D)
async def terminal(
    session: Session,
    d: Tree,
    node: Node,
    cmd: Sequence[str] = (),
    container: Container | None = None,
    insecure_root_capabilities: bool = False,
) -> Tree:
    """Changes that are made there are not kept."""
    c = container or await from_(session, Container(), "alpine")
    c = replace(c.with_mount(Mount("directory", "/src", node.parent)), workdir="/src")
    await in_container(session, c, cmd, insecure_root_capabilities)
    return d
