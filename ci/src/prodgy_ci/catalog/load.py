"""Reads prodgy-ci.toml and lays it over the built-in catalog."""

import re
import tomllib
from collections.abc import Mapping
from itertools import islice
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from ..errors import CatalogError
from ..nearest import SHOWN, hint
from .builtin import DATA
from .checks import problems
from .model import Catalog, Environment, PathRule, Service

FILE_NAME = "prodgy-ci.toml"

TABLES: dict[str, type[BaseModel]] = {"services": Service, "rules": PathRule, "environments": Environment}
"""The tables of named entries."""

_CONSEQUENCES = frozenset({"default_factory_not_called"})
_NAMED_BY_TABLE = frozenset({"name"})


def builtin() -> Catalog:
    """The built-in catalog alone."""
    return load("", "the built-in catalog")


def load(text: str, source_name: str = FILE_NAME) -> Catalog:
    """The built-in catalog with what the text of a prodgy-ci.toml adds, changes or removes.

    An entry of services, rules or environments is added, changes the built-in one key by key, or, with `remove = true`,
    takes it out. Other keys replace the built-in value. `builtin = false` leaves out the built-in services and rules.
    Raises CatalogError, which names every fault's key path, and the nearest known key where one is misspelt.
    """
    data = _parse(text, source_name)
    merged, faults = _merge(data)
    if faults:
        raise CatalogError(source_name, faults)
    try:
        catalog = Catalog.model_validate(merged)
    except ValidationError as error:
        raise CatalogError(source_name, _faults(error)) from None
    faults = list(islice(problems(catalog), SHOWN))
    if faults:
        raise CatalogError(source_name, faults)
    return catalog.model_copy(update={"variables": _variables(catalog)})


def _parse(text: str, source_name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        twice = re.search(r"Cannot declare \((.+?),?\) twice", str(error))
        if twice is None:
            raise CatalogError(source_name, [f"not valid TOML: {error}"]) from None
        key = ".".join(part.strip(" '\"") for part in twice.group(1).split(","))
        place = str(error).rpartition("(")[2].rstrip(")")
        raise CatalogError(source_name, [f"{key}: there twice ({place}); a name stands for one"]) from None


def _merge(data: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The built-in data with the file's laid over it, and what could not be laid."""
    faults: list[str] = []
    own = dict(data)
    keep = own.pop("builtin", True)
    if not isinstance(keep, bool):
        faults.append("builtin: give true or false")
    merged = {**DATA, **own}
    for table in TABLES:
        base: Mapping[str, Any] = DATA[table] if keep or table == "environments" else {}
        entries = own.get(table, {})
        if not isinstance(entries, dict):
            faults.append(f"{table}: not a table of named entries; write [{table}.NAME]")
            continue
        merged[table], wrong = _merge_table(table, base, entries)
        faults += wrong
    return merged, faults


def _merge_table(table: str, base: Mapping[str, Any], entries: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    merged: dict[str, Any] = {name: {**entry, "name": name} for name, entry in base.items()}
    faults = []
    for name, entry in entries.items():
        where = f"{table}.{_key(name)}"
        if not isinstance(entry, dict):
            faults.append(f"{where}: not a table; write [{where}]" + _misplaced(name))
        elif "name" in entry:
            faults.append(f"{where}.name: unknown key; the name is the table's: [{where}]")
        elif not isinstance(entry.get("remove", False), bool):
            faults.append(f"{where}.remove: give true or false")
        elif entry.get("remove"):
            faults += _removal_faults(where, name, entry, merged)
            merged.pop(name, None)
        else:
            changes = {key: value for key, value in entry.items() if key != "remove"}
            merged[name] = {**merged.get(name, {}), **changes, "name": name}
    return merged, faults


def _misplaced(name: str) -> str:
    known = sorted({key for model in TABLES.values() for key in model.model_fields} - _NAMED_BY_TABLE)
    return f" (or is '{name}' meant to stand in an entry?)" if name in known else ""


def _removal_faults(where: str, name: str, entry: dict[str, Any], merged: dict[str, Any]) -> list[str]:
    if name not in merged:
        return [f"{where}.remove: there is no '{name}' to remove{hint(name, merged)}"]
    others = [key for key in entry if key != "remove"]
    return [f"{where}.{_key(key)}: has no effect beside remove = true" for key in others]


def _faults(error: ValidationError) -> list[str]:
    """One line for each fault that is not the consequence of another."""
    found = [
        e for e in error.errors(include_url=False) if e["type"] not in _CONSEQUENCES and e["loc"][2:3] != ("name",)
    ]
    places = {e["loc"][:length] for e in found for length in range(1, len(e["loc"]))}
    return [_fault(e) for e in found if e["loc"] not in places][:SHOWN]


def _fault(found: Any) -> str:
    location = found["loc"]
    where = ".".join(_key(str(part)) for part in location if part != "[key]")
    if found["type"] == "extra_forbidden":
        return f"{where}: unknown key{hint(str(location[-1]), _known_keys(location))}"
    if found["type"] == "string_pattern_mismatch":
        return f"{where}: {found['input']!r} does not have the form {found['ctx']['pattern']}"
    if found["type"] == "model_type":
        return f"{where}: not a table; write [{where}]"
    if found["type"] == "missing":
        return f"{where}: missing"
    if found["type"] == "tuple_type":
        return f"{where}: give a list, such as [{found['input']!r}]"
    if found["type"] == "too_short":
        return f"{where}: give at least {found['ctx']['min_length']}"
    message = found["msg"].removeprefix("Value error, ")
    value = found.get("input")
    shown = f", not {value!r}" if isinstance(value, str | int | float | bool) and found["type"] != "value_error" else ""
    return f"{where}: {message[:1].lower()}{message[1:]}{shown}"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model = _model_at(location[:-1])
    if model is Catalog:
        return [*Catalog.model_fields, "builtin"]
    if model in TABLES.values():
        return [*sorted(set(model.model_fields) - _NAMED_BY_TABLE), "remove"]
    return sorted(model.model_fields)


def _model_at(location: tuple[int | str, ...]) -> type[BaseModel]:
    """The model whose keys stand at a place; names of a table and numbers of a list lead into it."""
    model: type[BaseModel] = Catalog
    for part in location:
        if found := model.model_fields.get(str(part)):
            kinds = (found.annotation, *get_args(found.annotation))
            model = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), model)
    return model


def _key(part: str) -> str:
    """A part of a key path as TOML writes it."""
    return part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'


def _variables(catalog: Catalog) -> tuple[str, ...]:
    """The listed names and those that the services refer to."""
    used = (service.variable for service in catalog.services.values() if service.variable)
    return tuple(dict.fromkeys((*catalog.variables, *used)))
