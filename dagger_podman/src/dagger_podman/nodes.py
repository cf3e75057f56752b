"""A value of the Dagger API as the chain of calls that makes it: frozen, hashed, evaluated only when asked."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from .store import digest_of

Args = tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Node:
    """The object that `field` of `parent` (None: of `Query`) gives. Arguments are JSON values, nodes, or tuples of these."""

    type: str
    field: str
    args: Args = ()
    parent: Node | None = None

    @functools.cached_property
    def id(self) -> str:
        return digest_of(self.to_json())

    def __hash__(self) -> int:
        return hash(self.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other.id == self.id

    def arg(self, name: str) -> Any:
        return dict(self.args).get(name)

    def to_json(self) -> list[Any]:
        """With references to other nodes by id."""
        args = [[name, _encode(value)] for name, value in sorted(self.args, key=lambda a: a[0])]
        return [self.type, self.field, args, self.parent.id if self.parent else None]

    def references(self) -> list[Node]:
        found = [self.parent] if self.parent else []
        stack: list[Any] = [value for _, value in self.args]
        while stack:
            value = stack.pop()
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, tuple):
                stack.extend(value)
        return found

    def closure(self) -> dict[str, Node]:
        """This node and all that it refers to, by id."""
        seen: dict[str, Node] = {}
        stack = [self]
        while stack:
            node = stack.pop()
            if node.id not in seen:
                seen[node.id] = node
                stack.extend(node.references())
        return seen


def _encode(value: Any) -> Any:
    if isinstance(value, Node):
        return {"node": value.id}
    if isinstance(value, tuple):
        return [_encode(v) for v in value]
    return value
