"""An argument reaches the function that knows it, and is never dropped in silence."""

from typing import Any

import pytest

from dagger_podman import types  # noqa: F401  (registers the API's fields)
from dagger_podman.errors import NotAvailableError
from dagger_podman.fields import IMPLEMENTED, camel, snake
from dagger_podman.schema import sdk_schema

SDK = sdk_schema()


def arguments(owner: str, name: str, **given: Any) -> dict[str, Any]:
    return IMPLEMENTED[owner, name].arguments(f"{owner}.{name}", given.items())


def test_arguments_arrive_under_the_functions_names() -> None:
    assert arguments("Container", "withExec", args=("a",), useEntrypoint=True) == {
        "args": ("a",),
        "use_entrypoint": True,
    }
    assert arguments("Directory", "changes", **{"from": "x"}) == {"from_": "x"}


def test_what_cannot_be_served_is_refused_by_name_unless_it_says_nothing() -> None:
    assert arguments("Container", "publish", address="x", platformVariants=()) == {"address": "x"}
    with pytest.raises(NotAvailableError, match=r"the argument 'platformVariants' of Container\.publish"):
        arguments("Container", "publish", address="x", platformVariants=("id",))


def test_what_makes_no_difference_here_is_left_out() -> None:
    assert arguments("Container", "withExec", args=(), noInit=True) == {"args": ()}


def test_every_implementation_is_of_a_field_of_the_api() -> None:
    internal = {"_file", "_hostService", "_hostSocket", "_tree", "currentFunctionCall"}
    known: dict[Any, set[str]] = {}
    for (owner, name), implementation in IMPLEMENTED.items():
        if name not in internal:
            names = {snake(argument.name) for argument in SDK.objects[owner].fields[name].args}
            known.setdefault(implementation.call, {"node"}).update(names)
    taken = {i.call: {p.rstrip("_") for p in i.parameters} for i in IMPLEMENTED.values()}
    assert {call.__name__: taken[call] - names for call, names in known.items() if taken[call] - names} == {}


def test_names_change_both_ways() -> None:
    for name in ("useEntrypoint", "path", "doNotFollowSymlinks"):
        assert camel(snake(name)) == name
