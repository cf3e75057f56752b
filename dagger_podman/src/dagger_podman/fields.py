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
    nodes: frozenset[str]
    """The parameters that take an object unevaluated."""
    ignored: frozenset[str]

    def arguments(self, what: str, given: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """`useEntrypoint` → `use_entrypoint`; null is the default. One that the function does not know may only say nothing."""
        found = {}
        for wire_name, value in given:
            name = snake(wire_name)
            name = name + "_" if name + "_" in self.parameters else name
            if value is None:
                continue
            if name in self.parameters:
                found[name] = value
            elif wire_name not in self.ignored and value not in (False, "", ()):
                raise NotAvailableError(f"the argument {wire_name!r} of {what}")
        return found


IMPLEMENTED: dict[tuple[str, str], Implementation] = {}
NOTES: dict[tuple[str, str], str] = {}


def field(owner: str, *names: str, note: str = "", ignores: Iterable[str] = ()) -> Callable[[Function], Function]:
    """Register `async def name(session, [value,] **arguments)` as the implementation of fields of a type.

    `value` is the value of the object that the field is asked of; the fields of `Query` have none. An object
    argument arrives as its value, or as its node where the parameter says `Node`. Without `names` the function's
    own name is taken. `note` says how it differs. An argument that the function does not have is refused, unless
    `ignores` names it.
    """

    def register(function: Function) -> Function:
        skip = 1 if owner == "Query" else 2
        parameters = list(inspect.signature(function).parameters.values())[skip:]
        nodes = frozenset(p.name for p in parameters if "Node" in str(p.annotation))
        for name in names or (camel(function.__name__),):
            _register(owner, name, Implementation(function, _names(parameters), nodes, frozenset(ignores)), note)
        return function

    return register


def computed(
    owner: str, note: str = "", ignores: Iterable[str] = (), lazy: bool = False, **ways: Callable[..., Any]
) -> None:
    """Register fields whose value follows from the object's and the arguments alone: `name=lambda value, argument: …`.

    With `lazy` object arguments stay nodes, which are evaluated when something needs them.
    """

    def implementation(way: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        async def compute(_: Any, of: Any, /, **arguments: Any) -> Any:
            return way(of, **arguments)

        return compute

    for name, way in ways.items():
        names = _names(list(inspect.signature(way).parameters.values())[1:])
        nodes = names if lazy else frozenset()
        _register(owner, name, Implementation(implementation(way), names, nodes, frozenset(ignores)), note)


def _names(parameters: Iterable[inspect.Parameter]) -> frozenset[str]:
    return frozenset(p.name for p in parameters)


def _register(owner: str, name: str, implementation: Implementation, note: str) -> None:
    IMPLEMENTED[owner, name] = implementation
    if note:
        NOTES[owner, name] = note


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), name)


def camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
