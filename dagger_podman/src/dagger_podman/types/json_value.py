"""JSONValue: a text of JSON. What is taken out of one is written anew, as Go writes JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from ..errors import DaggerPodmanError
from ..fields import computed, field
from ..session import Session
from ..values import FileValue
from .file import text_of


def _number(text: str) -> int | float:
    """Go knows floats alone, and writes those that are whole without a point."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return int(Decimal(repr(number))) if number.is_integer() and abs(number) < 1e21 else number


def _decoded(text: str, name: str = "", *types: type, number: Callable[[str], float] = _number) -> Any:
    try:
        value = json.loads(text, parse_int=number, parse_float=number, parse_constant=number)
    except ValueError as error:
        raise DaggerPodmanError(f"invalid JSON: {error}") from None
    if types and type(value) not in types:
        raise DaggerPodmanError(f"value is not {name}")
    return value


def _encoded(value: Any, indent: str | None = None) -> str:
    separators = (",", ":" if indent is None else ": ")
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=indent, separators=separators)
    return re.sub("[<>&\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", text)


def _field(text: str, path: Sequence[str]) -> str:
    value = _decoded(text)
    for name in path:
        if not isinstance(value, dict):
            raise DaggerPodmanError(f"can't lookup field '{name}' in non-object value")
        if name not in value:
            raise DaggerPodmanError(f"no such field: '{name}'")
        value = value[name]
    return _encoded(value)


def _put(at: Any, path: Sequence[str], value: Any) -> Any:
    """What is no object on the way there becomes one."""
    of = at if isinstance(at, dict) else {}
    return {**of, path[0]: _put(of.get(path[0]), path[1:], value) if path[1:] else value} if path else of


def _valid(text: str) -> str:
    _decoded(text)
    return text


computed(
    "JSONValue",
    asArray=lambda text: [_encoded(item) for item in _decoded(text, "an array", list)],
    asBoolean=lambda text: _decoded(text, "a boolean", bool),
    asInteger=lambda text: _decoded(text, "an integer", int, type(None), number=int) or 0,  # null is Go's zero
    asString=lambda text: _decoded(text, "a string", str, type(None)) or "",
    contents=lambda text, pretty=False, indent="  ": _encoded(_decoded(text), indent) if pretty else text,
    field=_field,
    fields=lambda text: sorted(_decoded(text, "an object", dict)),
    newBoolean=lambda _, value: _encoded(value),
    newInteger=lambda _, value: _encoded(value),
    newString=lambda _, value: _encoded(value),
    withContents=lambda _, contents: _valid(contents),
    withField=lambda text, path, value: _encoded(_put(_decoded(text), path, _decoded(value))),
)


@field("Query", "json")
async def new_json(_: Session) -> str:
    return "null"


@field("File", "asJSON")
async def as_json(session: Session, f: FileValue) -> str:
    return _valid(text_of(session, f))
