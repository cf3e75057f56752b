"""The answer to GraphQL's standard introspection query."""

from __future__ import annotations

import json
from typing import Any

from .typedefs import MISSING, Argument, EnumType, Field, InputType, ObjectType, Schema, TypeRef

SCALARS = ("String", "Int", "Float", "Boolean", "ID")
KINDS = {
    "scalar": "SCALAR",
    "void": "SCALAR",
    "object": "OBJECT",
    "interface": "INTERFACE",
    "enum": "ENUM",
    "input": "INPUT_OBJECT",
}


def introspection(schema: Schema) -> bytes:
    """The JSON that answers the introspection query for a schema: the whole body of the HTTP answer."""
    types = [_named("SCALAR", name) for name in dict.fromkeys((*SCALARS, *schema.scalars))]
    types += [_object(schema, type_) for type_ in schema.objects.values()]
    types += [_enum(type_) for type_ in schema.enums.values()]
    types += [_input(type_) for type_ in schema.inputs.values()]
    answer = {
        "queryType": {"name": "Query", "kind": "OBJECT"},
        "mutationType": None,
        "subscriptionType": None,
        "types": types,
        "directives": _directives(),
    }
    return json.dumps({"data": {"__schema": answer}}, separators=(",", ":")).encode()


def _named(kind: str, name: str, doc: str = "", **parts: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("fields", "inputFields", "interfaces", "enumValues", "possibleTypes"))
    return {"kind": kind, "name": name, "description": doc or None, **empty, **parts}


def _object(schema: Schema, type_: ObjectType) -> dict[str, Any]:
    interface = type_.name in schema.interfaces
    fields = [_field(field) for field in type_.fields.values()]
    parts: dict[str, Any] = {"fields": fields, "interfaces": _interfaces(schema, type_)}
    if interface:
        others = (o for o in schema.objects.values() if o.name not in schema.interfaces)
        parts["possibleTypes"] = [_named_ref("OBJECT", o.name) for o in others if _implements(o, type_)]
    return _named("INTERFACE" if interface else "OBJECT", type_.name, type_.doc, **parts)


def _interfaces(schema: Schema, type_: ObjectType) -> list[dict[str, Any]]:
    """An object has every interface whose fields it has, as in Dagger. An interface has `Node` alone: two of equal
    fields would each have the other."""
    wanted = ("Node",) if type_.name in schema.interfaces else schema.interfaces
    candidates = [schema.objects[n] for n in wanted if n != type_.name and n in schema.objects]
    return [_named_ref("INTERFACE", c.name) for c in candidates if _implements(type_, c)]


def _implements(type_: ObjectType, interface: ObjectType) -> bool:
    return all(
        (own := type_.fields.get(field.name)) is not None and _satisfies(own, field)
        for field in interface.fields.values()
    )


def _satisfies(own: Field, wanted: Field) -> bool:
    """Whether a field can be called as the interface's."""
    names = {argument.name for argument in wanted.args}
    return (
        own.type == wanted.type
        and all((mine := own.arg(a.name)) is not None and mine.type == a.type for a in wanted.args)
        and not any(a.required for a in own.args if a.name not in names)
    )


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "description": field.doc or None,
        "args": [_input_value(argument) for argument in field.args],
        "type": _type(field.type),
        "isDeprecated": bool(field.deprecated),
        "deprecationReason": field.deprecated or None,
    }


def _enum(type_: EnumType) -> dict[str, Any]:
    values = [
        {"name": name, "description": doc or None, "isDeprecated": False, "deprecationReason": None}
        for name, doc in type_.values.items()
    ]
    return _named("ENUM", type_.name, type_.doc, enumValues=values)


def _input(type_: InputType) -> dict[str, Any]:
    return _named("INPUT_OBJECT", type_.name, type_.doc, inputFields=[_input_value(f) for f in type_.fields])


def _input_value(argument: Argument) -> dict[str, Any]:
    type_ = _type(_as_input(argument.type))
    if argument.default_path and type_["kind"] == "NON_NULL":
        type_ = type_["ofType"]  # left out, it is loaded from that path
    default = None if argument.default is MISSING else _literal(argument.default, argument.type)
    return {"name": argument.name, "description": argument.doc or None, "type": type_, "defaultValue": default}


def _as_input(type_: TypeRef) -> TypeRef:
    """An object is passed by its id."""
    if type_.of:
        return TypeRef("list", "", type_.optional, _as_input(type_.of))
    return TypeRef("scalar", "ID", type_.optional) if type_.kind in ("object", "interface") else type_


def _named_ref(kind: str, name: str | None, of: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "ofType": of}


def _type(type_: TypeRef) -> dict[str, Any]:
    if type_.of:
        reference = _named_ref("LIST", None, _type(type_.of))
    else:
        reference = _named_ref(KINDS[type_.kind], "Void" if type_.kind == "void" else type_.name)
    return reference if type_.optional else _named_ref("NON_NULL", None, reference)


def _literal(value: Any, type_: TypeRef) -> str:
    """A default as GraphQL writes it, which is as JSON except for enums."""
    if value is None:
        return "null"
    if type_.of:
        of = type_.of
        return "[" + ", ".join(_literal(v, of) for v in value) + "]"
    return str(value) if type_.kind == "enum" else json.dumps(value)


def _directives() -> list[dict[str, Any]]:
    boolean = Argument("if", TypeRef("scalar", "Boolean"))
    reason = Argument("reason", TypeRef("scalar", "String", optional=True), default="No longer supported")
    selections = ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"]
    places = ["FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"]
    named = (("include", boolean, selections), ("skip", boolean, selections), ("deprecated", reason, places))
    return [
        {"name": name, "description": None, "locations": locations, "args": [_input_value(argument)]}
        for name, argument, locations in named
    ]
