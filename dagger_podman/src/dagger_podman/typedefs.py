"""The types of an API: what the SDK knows, and what a module adds to it.

One structure serves three readers: introspection answers from it, the command line makes its flags
and help from it, and queries are checked against it.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any, Literal

Kind = Literal["scalar", "object", "interface", "enum", "input", "list", "void"]

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__bool__": lambda self: False})()
"""The default of an argument that has none (None is the default `null`)."""


@dataclasses.dataclass(frozen=True)
class TypeRef:
    """A type where it is used: `[String!]` is `TypeRef("list", optional=True, of=TypeRef("scalar", "String"))`."""

    kind: Kind
    name: str = ""
    optional: bool = False
    of: TypeRef | None = None

    def __str__(self) -> str:
        text = f"[{self.of}]" if self.kind == "list" else self.name
        return text if self.optional else text + "!"


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument of a field. `name` is as on the wire (camelCase); `type.name` of an object argument is the object's."""

    name: str
    type: TypeRef
    doc: str = ""
    default: Any = MISSING
    default_path: str = ""
    ignore: tuple[str, ...] = ()
    original: str = ""
    """The name by which the module's own code knows it."""

    @property
    def required(self) -> bool:
        return self.default is MISSING and not self.type.optional and not self.default_path


@dataclasses.dataclass(frozen=True)
class Field:
    """A field of an object: in a module, a function or a stored value."""

    name: str
    type: TypeRef
    args: tuple[Argument, ...] = ()
    doc: str = ""
    stored: bool = False
    """A module object's stored value: read from its state, not computed."""
    cache: str = ""
    """A function's cache policy: `""` (kept across runs), `never`, `session`, or a duration such as `10m`."""
    check: bool = False
    original: str = ""
    """The name by which the module's own code knows it."""
    deprecated: str = ""
    """Why not to use it any more, and what instead."""

    def arg(self, name: str) -> Argument | None:
        return next((a for a in self.args if a.name == name), None)


@dataclasses.dataclass(frozen=True)
class ObjectType:
    name: str
    fields: dict[str, Field]
    doc: str = ""
    constructor: Field | None = None


@dataclasses.dataclass(frozen=True)
class EnumType:
    name: str
    values: dict[str, str]
    """Member name as on the wire → its description."""
    doc: str = ""


@dataclasses.dataclass(frozen=True)
class InputType:
    name: str
    fields: tuple[Argument, ...]
    doc: str = ""


@dataclasses.dataclass(frozen=True)
class Schema:
    """All types by name. The root type is `Query`; `scalars` are the ones beyond GraphQL's own five.

    An interface is among `objects`, and its name in `interfaces` tells it apart.
    """

    objects: dict[str, ObjectType]
    enums: dict[str, EnumType]
    inputs: dict[str, InputType]
    scalars: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()

    def extended(self, other: Schema) -> Schema:
        """This schema with the types of `other` (a module's) added."""
        return Schema(
            {**self.objects, **other.objects},
            {**self.enums, **other.enums},
            {**self.inputs, **other.inputs},
            tuple(dict.fromkeys(self.scalars + other.scalars)),
            tuple(dict.fromkeys(self.interfaces + other.interfaces)),
        )


def kebab(name: str) -> str:
    """`withNewFile`, `plan2` → `with-new-file`, `plan-2`: a name as the command line spells it."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", name)
    return "-".join(words).lower()
