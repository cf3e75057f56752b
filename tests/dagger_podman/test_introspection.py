from __future__ import annotations

import asyncio
import contextlib
import enum
import inspect
import json
import re
import types
import typing
import warnings
from collections.abc import Iterator
from typing import Any, cast

import graphql
import pytest
import typing_extensions
from dagger.client import base, gen
from dagger.client._core import Context

from dagger_podman.introspection import introspection
from dagger_podman.schema import sdk_schema
from dagger_podman.typedefs import Argument, Field, ObjectType, Schema, TypeRef

SDK = sdk_schema()
ANSWER = json.loads(introspection(SDK))["data"]


@pytest.fixture(scope="module")
def built() -> graphql.GraphQLSchema:
    return graphql.build_client_schema(ANSWER)


def test_the_answer_is_a_valid_schema(built: graphql.GraphQLSchema) -> None:
    assert graphql.validate_schema(built) == []
    assert {d.name for d in built.directives} >= {"include", "skip", "deprecated"}


def test_the_answer_holds_what_the_query_asks_for_and_no_more(built: graphql.GraphQLSchema) -> None:
    executed = graphql.graphql_sync(built, graphql.get_introspection_query())
    assert executed.errors is None
    assert executed.data is not None

    def keys(types_: list[dict[str, Any]]) -> dict[str, Any]:
        return {t["name"]: t for t in types_ if not t["name"].startswith("__")}

    ours, theirs = keys(ANSWER["__schema"]["types"]), keys(executed.data["__schema"]["types"])
    scalars = {"String", "Int", "Float", "Boolean", "ID"}  # described by graphql-core in its own words
    assert set(theirs) | {"Float"} == set(ours)
    for name in set(theirs) - scalars:
        assert ours[name] == theirs[name]
    assert scalars <= set(ours)


def test_objects_are_passed_by_id_and_defaults_are_literals(built: graphql.GraphQLSchema) -> None:
    printed = graphql.print_type(cast(graphql.GraphQLObjectType, built.type_map["Container"]))
    flat = " ".join(line.strip() for line in printed.splitlines())
    assert "source: ID!" in flat
    assert "platformVariants: [ID!] = []" in flat
    assert "expect: ReturnType = SUCCESS" in flat
    assert 'stdin: String = ""' in flat
    assert "permissions: Int = 420" in flat


def test_objects_have_the_interfaces_whose_fields_they_have(built: graphql.GraphQLSchema) -> None:
    def interfaces(name: str) -> set[str]:
        return {i.name for i in cast(graphql.GraphQLObjectType, built.type_map[name]).interfaces}

    assert interfaces("Container") == {"Node", "Syncer", "Exportable"}
    assert interfaces("Secret") == {"Node"}
    assert interfaces("Syncer") == {"Node"}


def test_the_types_of_a_module_can_be_queried() -> None:
    path = Argument("source", TypeRef("object", "Directory"), default_path="/")
    module = ObjectType(
        "Ci",
        {
            "id": Field("id", TypeRef("scalar", "ID")),
            "lint": Field("lint", TypeRef("void", optional=True), (path,), "Look.", deprecated="use check"),
        },
        "Doc.",
    )
    query = SDK.objects["Query"]
    root = ObjectType("Query", {**query.fields, "ci": Field("ci", TypeRef("object", "Ci"))})
    extended = SDK.extended(Schema({"Ci": module, "Query": root}, {}, {}))
    built = graphql.build_client_schema(json.loads(introspection(extended))["data"])
    assert graphql.validate_schema(built) == []
    assert graphql.validate(built, graphql.parse("{ ci { lint } }")) == []
    assert 'source: ID): Void @deprecated(reason: "use check")' in graphql.print_schema(built)


# --- every method of the client builds a query ---------------------------------------------------
class SentError(Exception):
    """Ends a call as soon as its request is known."""


class Recorder:
    """Stands in for the client's session: gives the schema, keeps the last request, tells the ids of arguments."""

    def __init__(self, schema: graphql.GraphQLSchema) -> None:
        self.schema = schema
        self.query = graphql.DocumentNode()

    @property
    def session(self) -> Recorder:
        return self

    async def get_schema(self) -> graphql.GraphQLSchema:
        return self.schema

    async def execute(self, request: Any) -> Any:
        self.query = request.document
        if not re.fullmatch(r'\{ node\(id: "X"\) \{ \.\.\. on \w+ \{ id: id \} \} \}', one_line(self.query)):
            raise SentError
        return {"node": {"id": "X"}}


def one_line(query: graphql.DocumentNode) -> str:
    return " ".join(graphql.print_ast(query).split())


def object_of(cls: type[base.Type], recorder: Recorder) -> Any:
    context = Context(cast(Any, recorder))
    return cls(context) if cls is gen.Query else cls(context.select_id(cls._graphql_name(), "X"))


def dummy(hint: Any, default: Any, subject: base.Type, recorder: Recorder) -> Any:
    """A value of a type that is not its default, so that it is sent."""
    if hint is typing.Self or hint is typing_extensions.Self:
        return subject
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return dummy(next(a for a in typing.get_args(hint) if a is not type(None)), default, subject, recorder)
    if typing.get_origin(hint) is list:
        return [dummy(typing.get_args(hint)[0], None, subject, recorder)]
    if hint is base.Type:
        return object_of(gen.Directory, recorder)
    if hint is bool:
        return not default
    if hint is int:
        return 7
    if issubclass(hint, str):
        return hint("text")
    if issubclass(hint, enum.Enum):
        return next(m for m in reversed(hint) if m is not default)
    if issubclass(hint, base.Input):
        hints = typing.get_type_hints(hint, vars(gen))
        return hint(**{name: dummy(of, None, subject, recorder) for name, of in hints.items()})
    return object_of(getattr(gen, hint.__name__), recorder)  # by name: the hint may be a reference to a later class


def methods() -> Iterator[tuple[type[base.Type], str]]:
    for cls in vars(gen).values():
        if inspect.isclass(cls) and issubclass(cls, base.Type):
            for name, member in list(vars(cls).items()):  # calling them adds to it
                if inspect.isfunction(member) and not name.startswith("_") and name != "with_":
                    yield cls, name


async def call(cls: type[base.Type], name: str, recorder: Recorder) -> graphql.DocumentNode:
    """The query that a method with all its arguments makes."""
    subject = object_of(cls, recorder)
    method = getattr(subject, name)
    hints = typing.get_type_hints(inspect.unwrap(getattr(cls, name)), vars(gen))
    parameters = inspect.signature(method).parameters.values()
    result = method(**{p.name: dummy(hints[p.name], p.default, subject, recorder) for p in parameters})
    if inspect.isawaitable(result) and not isinstance(result, base.Type):
        with contextlib.suppress(SentError):
            await result
        return recorder.query
    await result._ctx.resolve_ids()
    request = await result._ctx.select(result._graphql_name(), "id", []).request()
    return cast(graphql.DocumentNode, request.document)


def sent_arguments(query: graphql.DocumentNode, field: str) -> list[str]:
    found: list[list[str]] = []

    class Visitor(graphql.Visitor):
        def enter_field(self, node: graphql.FieldNode, *_: Any) -> None:
            if node.name.value == field:
                found.append([a.name.value for a in node.arguments or ()])

    graphql.visit(query, Visitor())
    return found[-1]


def wire_name(cls: type[base.Type], name: str) -> str:
    flat = {f.lower(): f for f in SDK.objects[cls._graphql_name()].fields}
    return flat[name.rstrip("_").replace("_", "").lower()]


def test_every_method_of_the_client_makes_a_valid_query(built: graphql.GraphQLSchema) -> None:
    async def check_all() -> int:
        count = 0
        for cls, name in methods():
            query = await call(cls, name, Recorder(built))
            where = f"{cls.__name__}.{name}"
            assert graphql.validate(built, query) == [], where
            field = SDK.objects[cls._graphql_name()].fields[wire_name(cls, name)]
            assert set(sent_arguments(query, field.name)) == {a.name for a in field.args}, where
            count += 1
        return count

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert asyncio.run(check_all()) > 700
