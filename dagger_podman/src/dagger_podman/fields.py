"""Which fields of the Dagger API are implemented, by which function."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from .errors import NotAvailableError

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])


@dataclasses.dataclass(frozen=True)
class Implementation:
    call: Callable[..., Awaitable[Any]]
    parameters: frozenset[str]
    ignored: frozenset[str]

    def arguments(self, what: str, given: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """`useEntrypoint` → `use_entrypoint`. An argument that the function does not know may only say nothing."""
        found = {}
        for wire_name, value in given:
            name = snake(wire_name)
            name = name + "_" if name + "_" in self.parameters else name
            if name in self.parameters:
                found[name] = value
            elif wire_name not in self.ignored and value not in (None, False, "", ()):
                raise NotAvailableError(f"the argument {wire_name!r} of {what}")
        return found


IMPLEMENTED: dict[tuple[str, str], Implementation] = {}
NOTES: dict[tuple[str, str], str] = {}


def field(owner: str, *names: str, note: str = "", ignores: Iterable[str] = ()) -> Callable[[Function], Function]:
    """Register `async def name(session, [value,] **arguments)` as the implementation of fields of a type.

    `value` is the value of the object that the field is asked of; the fields of `Query` have none. Object
    arguments arrive as nodes. Without `names` the function's own name is taken. `note` says how it differs.
    An argument that the function does not have is refused, unless `ignores` names it.
    """

    def register(function: Function) -> Function:
        skip = 1 if owner == "Query" else 2
        parameters = frozenset(list(inspect.signature(function).parameters)[skip:])
        for name in names or (camel(function.__name__),):
            IMPLEMENTED[owner, name] = Implementation(function, parameters, frozenset(ignores))
            if note:
                NOTES[owner, name] = note
        return function

    return register


def reads(owner: str, **ways: Callable[[Any], Any]) -> None:
    """Register fields of a type that only read something off the value."""

    def implementation(way: Callable[[Any], Any]) -> Callable[..., Awaitable[Any]]:
        async def read(_: Any, value: Any) -> Any:
            return way(value)

        return read

    for name, way in ways.items():
        field(owner, name)(implementation(way))


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), name)


def camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
