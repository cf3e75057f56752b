"""Changeset: what differs between two directories."""

from __future__ import annotations

import dataclasses

from .. import tree
from ..fields import field, reads
from ..nodes import Node
from ..session import Session
from ..tree import Tree


@dataclasses.dataclass(frozen=True)
class ChangesetValue:
    before: Tree
    after: Tree

    @property
    def paths(self) -> tuple[list[str], list[str], list[str]]:
        """What was added, modified and removed."""
        return tree.changes(self.before, self.after)


@field("Directory")
async def changes(session: Session, d: Tree, from_: Node) -> ChangesetValue:
    return ChangesetValue(await session.value(from_), d)


@field("Directory")
async def with_changes(session: Session, d: Tree, changes: Node) -> Tree:
    value: ChangesetValue = await session.value(changes)
    added = tree.with_tree(d, "", tree.diff(value.before, value.after))
    return tree.without(added, [p.rstrip("/") for p in value.paths[2]])


reads(
    "Changeset",
    addedPaths=lambda c: c.paths[0],
    after=lambda c: c.after,
    before=lambda c: c.before,
    isEmpty=lambda c: not any(c.paths),
    layer=lambda c: tree.diff(c.before, c.after),
    modifiedPaths=lambda c: c.paths[1],
    removedPaths=lambda c: c.paths[2],
    sync=lambda c: None,
)
