"""Module, Function and TypeDef: how a module says what it offers."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any

from ..fields import computed, field
from ..session import Session
from ..typedefs import MISSING, Argument, EnumType, Field, ObjectType, Schema, TypeRef

SAID_ELSEWHERE = ("deprecated", "sourceMap")
"""Arguments by which nothing is decided here."""
SCALARS = {"STRING_KIND": "String", "INTEGER_KIND": "Int", "FLOAT_KIND": "Float", "BOOLEAN_KIND": "Boolean"}


# --- TypeDef ------------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True)
class TypeDef:
    """A type in the making: a reference to it and, where it is the module's own, what is in it."""

    ref: TypeRef = TypeRef("void")
    made: Any = None
    """An `ObjectType` or `EnumType`."""

    def adding(self, part: str, name: str, value: Any) -> TypeDef:
        """With one more field of the object, or value of the enum."""
        return replace(self, made=replace(self.made, **{part: {**getattr(self.made, part), name: value}}))


@field("Query")
async def type_def(_: Session) -> TypeDef:
    return TypeDef()


def _with_kind(t: TypeDef, kind: str) -> TypeDef:
    ref = TypeRef("scalar", SCALARS[kind]) if kind in SCALARS else TypeRef("void", "Void", optional=True)
    return replace(t, ref=replace(ref, optional=t.ref.optional or ref.optional))


def _with_object(t: TypeDef, name: str, description: str = "") -> TypeDef:
    return TypeDef(TypeRef("object", name, t.ref.optional), ObjectType(name, {}, description))


def _with_enum(t: TypeDef, name: str, description: str = "") -> TypeDef:
    return TypeDef(TypeRef("enum", name, t.ref.optional), EnumType(name, {}, description))


computed(
    "TypeDef",
    ignores=SAID_ELSEWHERE,
    withConstructor=lambda t, function: replace(t, made=replace(t.made, constructor=function)),
    withEnum=_with_enum,
    withEnumMember=lambda t, name, value="", description="": t.adding("values", name, description),
    withField=lambda t, name, type_def, description="": t.adding(
        "fields", name, Field(name, type_def.ref, doc=description, stored=True)
    ),
    withFunction=lambda t, function: t.adding("fields", function.name, function),
    withInterface=_with_object,
    withKind=_with_kind,
    withListOf=lambda t, element_type: TypeDef(TypeRef("list", optional=t.ref.optional, of=element_type.ref)),
    withObject=_with_object,
    withOptional=lambda t, optional: replace(t, ref=replace(t.ref, optional=optional)),
    withScalar=lambda t, name, description="": TypeDef(TypeRef("scalar", name, t.ref.optional)),
)


# --- Function -----------------------------------------------------------------------------------------
@field("Query")
async def function(_: Session, name: str, return_type: TypeDef) -> Field:
    return Field(name, return_type.ref)


def _with_arg(
    f: Field,
    name: str,
    type_def: TypeDef,
    description: str = "",
    default_value: str = "",
    default_path: str = "",
    ignore: tuple[str, ...] = (),
    default_address: str = "",
) -> Field:
    default = json.loads(default_value) if default_value else MISSING
    return replace(f, args=(*f.args, Argument(name, type_def.ref, description, default, default_path, ignore)))


def _with_cache_policy(f: Field, policy: str, time_to_live: str = "") -> Field:
    return replace(f, cache={"Never": "never", "PerSession": "session"}.get(policy, time_to_live))


computed(
    "Function",
    ignores=SAID_ELSEWHERE,
    withArg=_with_arg,
    withCachePolicy=_with_cache_policy,
    withCheck=lambda f: replace(f, check=True),
    withDeprecated=lambda f, reason="": f,
    withDescription=lambda f, description: replace(f, doc=description),
    withGenerator=lambda f: f,
    withUp=lambda f: f,
)


# --- Module -------------------------------------------------------------------------------------------
@dataclasses.dataclass(frozen=True)
class ModuleValue:
    doc: str = ""
    schema: Schema = Schema({}, {}, {})


def _with_type(m: ModuleValue, type_def: TypeDef) -> ModuleValue:
    made = {type_def.made.name: type_def.made}
    added = Schema(made, {}, {}) if isinstance(type_def.made, ObjectType) else Schema({}, made, {})
    return replace(m, schema=m.schema.extended(added))


@field("Query")
async def module(_: Session) -> ModuleValue:
    return ModuleValue()


computed(
    "Module",
    withDescription=lambda m, description: replace(m, doc=description),
    withEnum=lambda m, enum: _with_type(m, enum),
    withInterface=lambda m, iface: _with_type(m, iface),
    withObject=lambda m, object: _with_type(m, object),
)
