"""Module, Function and TypeDef: how a module says what it offers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from ..fields import field
from ..nodes import Node
from ..session import Session
from ..typedefs import MISSING, Argument, EnumType, Field, ObjectType, Schema, TypeRef

SAID_ELSEWHERE = ("deprecated", "sourceMap")
"""Arguments by which nothing is decided here."""
SCALARS = {"STRING_KIND": "String", "INTEGER_KIND": "Int", "FLOAT_KIND": "Float", "BOOLEAN_KIND": "Boolean"}


@dataclasses.dataclass(frozen=True)
class TypeDef:
    """A type in the making: a reference to it and, where it is the module's own, what is in it."""

    ref: TypeRef = TypeRef("void")
    object: ObjectType | None = None
    enum: EnumType | None = None


@dataclasses.dataclass(frozen=True)
class ModuleValue:
    doc: str = ""
    objects: tuple[ObjectType, ...] = ()
    enums: tuple[EnumType, ...] = ()

    def schema(self) -> Schema:
        return Schema({o.name: o for o in self.objects}, {e.name: e for e in self.enums}, {})


# --- TypeDef ------------------------------------------------------------------------------------------
@field("Query")
async def type_def(_: Session) -> TypeDef:
    return TypeDef()


@field("TypeDef")
async def with_kind(_: Session, t: TypeDef, kind: str) -> TypeDef:
    ref = TypeRef("scalar", SCALARS[kind]) if kind in SCALARS else TypeRef("void", "Void", optional=True)
    return dataclasses.replace(t, ref=dataclasses.replace(ref, optional=t.ref.optional or ref.optional))


@field("TypeDef")
async def with_optional(_: Session, t: TypeDef, optional: bool) -> TypeDef:
    return dataclasses.replace(t, ref=dataclasses.replace(t.ref, optional=optional))


@field("TypeDef")
async def with_list_of(session: Session, t: TypeDef, element_type: Node) -> TypeDef:
    element: TypeDef = await session.value(element_type)
    return TypeDef(TypeRef("list", optional=t.ref.optional, of=element.ref))


@field("TypeDef")
async def with_scalar(_: Session, t: TypeDef, name: str, description: str = "") -> TypeDef:
    return TypeDef(TypeRef("scalar", name, t.ref.optional))


@field("TypeDef", "withObject", "withInterface", ignores=SAID_ELSEWHERE)
async def with_object(
    _: Session,
    t: TypeDef,
    name: str,
    description: str = "",
) -> TypeDef:
    return TypeDef(TypeRef("object", name, t.ref.optional), ObjectType(name, {}, description or ""))


@field("TypeDef", ignores=SAID_ELSEWHERE)
async def with_enum(_: Session, t: TypeDef, name: str, description: str = "") -> TypeDef:
    return TypeDef(TypeRef("enum", name, t.ref.optional), enum=EnumType(name, {}, description or ""))


@field("TypeDef", ignores=SAID_ELSEWHERE)
async def with_enum_member(
    _: Session,
    t: TypeDef,
    name: str,
    value: str = "",
    description: str = "",
) -> TypeDef:
    assert t.enum
    return dataclasses.replace(t, enum=dataclasses.replace(t.enum, values={**t.enum.values, name: description or ""}))


def _with(t: TypeDef, added: Field) -> TypeDef:
    assert t.object
    return dataclasses.replace(t, object=dataclasses.replace(t.object, fields={**t.object.fields, added.name: added}))


@field("TypeDef", ignores=SAID_ELSEWHERE)
async def with_field(
    session: Session,
    t: TypeDef,
    name: str,
    type_def: Node,
    description: str = "",
) -> TypeDef:
    kind: TypeDef = await session.value(type_def)
    return _with(t, Field(name, kind.ref, doc=description or "", stored=True))


@field("TypeDef")
async def with_function(session: Session, t: TypeDef, function: Node) -> TypeDef:
    return _with(t, await session.value(function))


@field("TypeDef")
async def with_constructor(session: Session, t: TypeDef, function: Node) -> TypeDef:
    assert t.object
    return dataclasses.replace(t, object=dataclasses.replace(t.object, constructor=await session.value(function)))


# --- Function -----------------------------------------------------------------------------------------
@field("Query", "function")
async def function(session: Session, name: str, return_type: Node) -> Field:
    return Field(name, (await session.value(return_type)).ref)


@field("Function")
async def with_description(_: Session, f: Field, description: str) -> Field:
    return dataclasses.replace(f, doc=description or "")


@field("Function", ignores=SAID_ELSEWHERE)
async def with_arg(
    session: Session,
    f: Field,
    name: str,
    type_def: Node,
    description: str = "",
    default_value: str | None = None,
    default_path: str = "",
    ignore: Sequence[str] = (),
    default_address: str = "",
) -> Field:
    default: Any = MISSING if default_value in (None, "") else json.loads(str(default_value))
    ref = (await session.value(type_def)).ref
    argument = Argument(name, ref, description or "", default, default_path, tuple(ignore))
    return dataclasses.replace(f, args=(*f.args, argument))


@field("Function")
async def with_check(_: Session, f: Field) -> Field:
    return dataclasses.replace(f, check=True)


@field("Function", "withGenerator", "withUp")
async def with_mark(_: Session, f: Field) -> Field:
    return f


@field("Function", "withDeprecated")
async def with_deprecated(_: Session, f: Field, reason: str | None = None) -> Field:
    return f


@field("Function")
async def with_cache_policy(_: Session, f: Field, policy: str, time_to_live: str = "") -> Field:
    named = {"Never": "never", "PerSession": "session", "Default": time_to_live}
    return dataclasses.replace(f, cache=named.get(policy, time_to_live))


# --- Module -------------------------------------------------------------------------------------------
@field("Query", "module")
async def module(_: Session) -> ModuleValue:
    return ModuleValue()


@field("Module", "withDescription")
async def describe_module(_: Session, m: ModuleValue, description: str) -> ModuleValue:
    return dataclasses.replace(m, doc=description or "")


@field("Module", "withObject", "withInterface")
async def module_object(
    session: Session, m: ModuleValue, object: Node | None = None, iface: Node | None = None
) -> ModuleValue:
    made: TypeDef = await session.value(object or iface)  # type: ignore[arg-type]
    assert made.object
    return dataclasses.replace(m, objects=(*m.objects, made.object))


@field("Module", "withEnum")
async def module_enum(session: Session, m: ModuleValue, enum: Node) -> ModuleValue:
    made: TypeDef = await session.value(enum)
    assert made.enum
    return dataclasses.replace(m, enums=(*m.enums, made.enum))
