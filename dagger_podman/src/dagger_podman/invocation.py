"""Carries out a parsed command line: constructor, function, chained functions, and what to do with the result."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import arguments, images
from .command_line.arguments import Address, Call
from .errors import DaggerPodmanError, UsageError
from .exporting import write
from .nodes import Node
from .runtime import Runtime
from .session import Session
from .store import digest_of
from .typedefs import MISSING, Argument, Field, Schema, TypeRef
from .user_defaults import UserDefault


@dataclasses.dataclass(frozen=True)
class Object:
    """An object of the module's own."""

    type: str
    state: dict[str, Any]


Value = Node | Object | list[Any] | str | int | float | bool | None


class Invocation:
    """The functions of one loaded module."""

    def __init__(self, session: Session, runtime: Runtime, schema: Schema, main_object: str, doc: str = "") -> None:
        self.session, self.runtime, self.schema, self.main_object, self.doc = session, runtime, schema, main_object, doc

    async def run(self, call: Call) -> tuple[Value, TypeRef]:
        """The value at the end of the chain, and its type."""
        value: Value = await self.main(call.constructor)
        kind = TypeRef("object", self.main_object)
        for step in call.steps:
            args = await self._arguments(step.field, step.args)
            value = await self._step(value, step.field, args)
            kind = TypeRef("list", of=step.field.type) if kind.kind == "list" else step.field.type
        return value, kind

    async def main(self, given: Mapping[str, Any]) -> Object:
        """The module's main object, made by its constructor."""
        constructor = self.schema.objects[self.main_object].constructor
        if constructor is None:
            return Object(self.main_object, {})
        field = dataclasses.replace(constructor, name="", original="")
        args = await self._arguments(field, given)
        return Object(self.main_object, await self.runtime.call(self.main_object, field, {}, _encoded(args)) or {})

    async def function(self, main: Object, field: Field) -> Value:
        return await self._step(main, field, await self._arguments(field, {}))

    async def _step(self, value: Value, field: Field, args: dict[str, Any]) -> Value:
        if isinstance(value, list):
            return list(await asyncio.gather(*(self._step(v, field, args) for v in value)))
        if isinstance(value, Object):
            if field.stored:
                result = value.state.get(field.original or field.name)
            else:
                result = await self.runtime.call(value.type, field, value.state, _encoded(args))
            return self._typed(result, field.type)
        if not isinstance(value, Node):
            raise DaggerPodmanError(f"{field.name} of a value that is null")
        given = {n: tuple(v) if isinstance(v, list) else v for n, v in args.items() if v is not None}
        node, kind = self.session.select(value, field.name, given)
        if kind.kind == "object":
            return node
        if kind.kind == "list" and kind.of and kind.of.kind == "object":
            return list(await self.session.elements(node))
        result = await self.session.leaf(node)
        return self.session.find(result) if node.type == "ID" and field.name != "id" else result

    def _typed(self, result: Any, kind: TypeRef) -> Value:
        """A function's JSON result as what it stands for."""
        if result is None:
            return None
        if kind.kind == "list" and kind.of:
            return [self._typed(r, kind.of) for r in result]
        if kind.kind == "object":
            return self.session.find(result) if isinstance(result, str) else Object(kind.name, result)
        plain: Value = result
        return plain

    # --- arguments ----------------------------------------------------------------------------------------
    async def _arguments(self, field: Field, given: Mapping[str, Any]) -> dict[str, Any]:
        """Given values with addresses resolved, and what has a default path filled in."""
        args: dict[str, Any] = {}
        for argument in field.args:
            if argument.name in given:
                args[argument.name] = await self._resolved(argument, given[argument.name])
            elif argument.default_path:
                args[argument.name] = await self._default(argument)
            elif argument.default is not MISSING and self._is_function(field):
                args[argument.name] = await self._resolved(argument, argument.default)
        return args

    def _is_function(self, field: Field) -> bool:
        return not any(field is f for o in self.session.schema.objects.values() for f in o.fields.values())

    async def _resolved(self, argument: Argument, value: Any) -> Any:
        if isinstance(value, UserDefault):
            self.session.progress.notice(f"user default: {value}")
            value = value.value()
        if isinstance(value, list | tuple):
            return [await self._resolved(argument, v) for v in value]
        if not isinstance(value, Address):
            return value
        try:
            return await arguments.resolve(self.session, value.type_name, value.text, argument.ignore)
        except UsageError as error:
            raise UsageError(f'failed to get value for argument "{argument.name}": {error}') from None

    async def _default(self, argument: Argument) -> Node:
        module = self.runtime.module
        path = arguments.default_directory(module.context, module.folder, argument.default_path)
        try:
            return await arguments.resolve(self.session, argument.type.name, str(path), argument.ignore)
        except UsageError as error:
            raise UsageError(f'failed to get the default of argument "{argument.name}": {error}') from None


def _encoded(args: dict[str, Any]) -> dict[str, Any]:
    return {name: arguments.encoded(value) for name, value in args.items()}


async def settle(session: Session, value: Value) -> Value:
    """Run what an object at the end of a chain stands for, as Dagger does before it prints it."""
    if isinstance(value, Node):
        result = await session.value(value)
        if value.type == "Container":
            from .state import Scratch

            if not isinstance(result.root, Scratch):
                await images.image_of(session, result.root)
    elif isinstance(value, list):
        for item in value:
            await settle(session, item)
    return value


def identity(value: Node | Object) -> str:
    """What is shown for an object."""
    digest = value.id if isinstance(value, Node) else digest_of([value.type, value.state])
    return f"{value.type}@xxh3:{digest[:16]}"


async def export(session: Session, value: Value, path: Path) -> str:
    """Write a result to the caller's disk; return where."""
    return await write(session, await session.value(value) if isinstance(value, Node) else value, path)
