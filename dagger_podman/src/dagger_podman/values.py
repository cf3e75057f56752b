"""Values of the smaller types, and nodes for content that is already in the cache."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from .errors import DaggerPodmanError
from .fields import field
from .nodes import Node
from .session import Session
from .store import Store
from .tree import Entry, Tree


@dataclasses.dataclass(frozen=True)
class FileValue:
    name: str
    entry: Entry


class Changeset(NamedTuple):
    before: Tree
    after: Tree


def file_node(session: Session, digest: str, size: int, name: str, mode: int = 0o644) -> Node:
    """A file whose content is a blob of the cache."""
    return session.remember(Node("File", "_file", (("digest", digest), ("mode", mode), ("name", name), ("size", size))))


def tree_node(session: Session, digest: str) -> Node:
    """A directory whose tree is in the cache."""
    return session.remember(Node("Directory", "_tree", (("digest", digest),)))


def kept_tree(store: Store, digest: str) -> Tree | None:
    """The tree of a digest, if it is in the cache with the contents of all its files."""
    rows = store.read("trees", digest)
    tree = None if rows is None else Tree.from_json(rows)
    return tree if tree is not None and whole(store, tree) else None


def whole(store: Store, value: Tree | FileValue) -> bool:
    """Whether what its files hold is in the cache; prune takes what was not used for long."""
    entries = value.entries.values() if isinstance(value, Tree) else (value.entry,)
    return store.has_blobs(entry.content for entry in entries if entry.kind == "file")


def stored_tree(session: Session, tree: Tree) -> Node:
    session.store.write("trees", tree.digest, tree.to_json())
    return tree_node(session, tree.digest)


def new_file(store: Store, name: str, text: str, mode: int = 0o644) -> FileValue:
    data = text.encode()
    return FileValue(name, Entry("file", mode, content=store.add_bytes(data), size=len(data)))


def content_node(session: Session, value: Tree | FileValue) -> Node:
    """A value that does not depend any more on how it was made."""
    if isinstance(value, Tree):
        return stored_tree(session, value)
    return file_node(session, value.entry.content, value.entry.size, value.name, value.entry.mode)


@field("Query", "_file")
async def _file(session: Session, digest: str, size: int, name: str, mode: int) -> FileValue:
    return FileValue(name, Entry("file", mode, content=digest, size=size))


@field("Query", "_tree")
async def _tree(session: Session, digest: str) -> Tree:
    rows = session.store.read("trees", digest)
    if rows is None:
        raise DaggerPodmanError(f"the directory {digest[:12]} is no longer in the cache; run the command again")
    return Tree.from_json(rows)
