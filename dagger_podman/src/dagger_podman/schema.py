"""The schema of the installed `dagger-io`, and any schema as JSON."""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import sys
from pathlib import Path
from typing import Any, cast

from .errors import UsageError
from .store import Store, digest_of
from .typedefs import Argument, EnumType, Field, InputType, Kind, ObjectType, Schema, TypeRef

SUPPORTED = "0.21"


def sdk_schema(store: Store | None = None) -> Schema:
    """The API as the installed `dagger-io` knows it; with a store, read once for each version of the client.

    Raises `UsageError` if there is no client, or one that cannot be read.
    """
    client = _client_file()
    key = _key(client)
    if store and (kept := store.read("schemas", key)):
        return from_json(kept)
    from .reflection import UnknownFormError, reflect

    try:
        schema = reflect(client.read_text(encoding="utf-8"))
    except (UnknownFormError, UnicodeDecodeError) as error:
        version = _version(client) or "of unknown version"
        message = f"dagger-io {version}: {client} is not in the form of dagger-io {SUPPORTED} ({error}); "
        raise UsageError(message + f"install `dagger-io=={SUPPORTED}.*`") from None
    if store:
        store.write("schemas", key, to_json(schema))
    return schema


def _client_file() -> Path:
    found = importlib.util.find_spec("dagger")
    for folder in found.submodule_search_locations or () if found else ():
        client = Path(folder, "client", "gen.py")
        if client.is_file():
            return client
    raise UsageError(f"dagger-io is not installed in {sys.prefix}; install `dagger-io=={SUPPORTED}.*` there")


def _version(client: Path) -> str:
    """Read off the folder of the package's metadata: `importlib.metadata` takes longer than the whole cached load."""
    found = sorted(client.parents[2].glob("dagger_io-*.dist-info"))
    return found[-1].name.removeprefix("dagger_io-").removesuffix(".dist-info") if found else ""


def _key(client: Path) -> str:
    """What the result depends on: the client, and the code that reads it."""
    own = Path(__file__)
    files = (client, own, own.with_name("reflection.py"), own.with_name("typedefs.py"))
    return digest_of([_version(client), *([s.st_size, s.st_mtime_ns] for s in map(Path.stat, files))])


# --- JSON ---------------------------------------------------------------------------------------
def to_json(schema: Schema) -> dict[str, Any]:
    """A schema as JSON values; what has its default is left out, a type is a text such as `[object:File!]!`."""
    return {
        "objects": [_object_to_json(o) for o in schema.objects.values()],
        "enums": [_given(e) for e in schema.enums.values()],
        "inputs": [{**_given(i), "fields": [_argument_to_json(f) for f in i.fields]} for i in schema.inputs.values()],
        "scalars": schema.scalars,
        "interfaces": schema.interfaces,
    }


def from_json(data: dict[str, Any]) -> Schema:
    """The schema that `to_json` was given."""
    objects = [_object_from_json(o) for o in data["objects"]]
    enums = [EnumType(**e) for e in data["enums"]]
    inputs = [InputType(**{**i, "fields": tuple(map(_argument_from_json, i["fields"]))}) for i in data["inputs"]]
    return Schema(
        {o.name: o for o in objects},
        {e.name: e for e in enums},
        {i.name: i for i in inputs},
        tuple(data["scalars"]),
        tuple(data["interfaces"]),
    )


def _given(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults."""
    named = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {field.name: v for field, v in named if v is not field.default and v != field.default}


def _type_to_text(type_: TypeRef) -> str:
    text = f"[{_type_to_text(type_.of)}]" if type_.of else f"{type_.kind}:{type_.name}"
    return text if type_.optional else text + "!"


@functools.cache
def _type_from_text(text: str) -> TypeRef:
    inner = text.removesuffix("!")
    optional = inner == text
    if inner.startswith("["):
        return TypeRef("list", "", optional, _type_from_text(inner[1:-1]))
    kind, _, name = inner.partition(":")
    return TypeRef(cast(Kind, kind), name, optional)


def _argument_to_json(argument: Argument) -> dict[str, Any]:
    return {**_given(argument), "type": _type_to_text(argument.type)}


def _argument_from_json(data: dict[str, Any]) -> Argument:
    return Argument(**{**data, "type": _type_from_text(data["type"]), "ignore": tuple(data.get("ignore", ()))})


def _field_to_json(field: Field) -> dict[str, Any]:
    data = {**_given(field), "type": _type_to_text(field.type)}
    return {**data, "args": [_argument_to_json(a) for a in field.args]} if field.args else data


def _field_from_json(data: dict[str, Any]) -> Field:
    args = tuple(map(_argument_from_json, data.get("args", ())))
    return Field(**{**data, "type": _type_from_text(data["type"]), "args": args})


def _object_to_json(type_: ObjectType) -> dict[str, Any]:
    data = {**_given(type_), "fields": [_field_to_json(f) for f in type_.fields.values()]}
    return {**data, "constructor": _field_to_json(type_.constructor)} if type_.constructor else data


def _object_from_json(data: dict[str, Any]) -> ObjectType:
    fields = {f.name: f for f in map(_field_from_json, data["fields"])}
    constructor = _field_from_json(data["constructor"]) if "constructor" in data else None
    return ObjectType(**{**data, "fields": fields, "constructor": constructor})
