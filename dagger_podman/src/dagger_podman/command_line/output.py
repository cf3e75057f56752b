"""A result as `dagger call` prints it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..typedefs import TypeRef


def render(value: Any, kind: TypeRef, as_json: bool, below_list: Sequence[str] = ()) -> str:
    """A value, objects given as their identities, as text.

    `below_list` names the functions that were called on each item of a list: JSON keeps them as keys.
    """
    if kind.kind == "void":
        return ""
    if is_object(kind):
        if isinstance(value, list):
            return "".join(f"- {item}\n" for item in value)
        return f"{value}\n" if value is not None or not as_json else "null\n"
    value = _whole(value)
    if as_json:
        for name in reversed(below_list):
            value = [{name: item} for item in value]
        return json.dumps(value, indent=4, ensure_ascii=False) + "\n"
    if isinstance(value, list):
        return "".join(f"{_plain(item)}\n" for item in value)
    return _plain(value)


def is_object(kind: TypeRef) -> bool:
    inner = kind.of if kind.kind == "list" and kind.of else kind
    return inner.kind in ("object", "interface")


def _whole(value: Any) -> Any:
    """2.0 is printed as 2."""
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, list):
        return f"[{' '.join(map(_plain, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
