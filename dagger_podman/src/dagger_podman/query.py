"""Answers GraphQL queries: each selection becomes nodes, only leaves run."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

from graphql.error import GraphQLSyntaxError
from graphql.language import ast, parse
from graphql.utilities import value_from_ast_untyped

from .errors import DaggerPodmanError, NotAvailableError
from .nodes import Node
from .session import Session
from .store import told
from .typedefs import Field, InputType, TypeRef
from .values import content_node

CALLERS_HOST = {"directory", "file", "findUp", "service", "tunnel", "unixSocket", "containerImage"}


async def answer(session: Session, text: str, call: str = "") -> dict[str, Any]:
    """The response to a query. `call` names the function call that the module's process serves; the caller itself has none."""
    try:
        document = parse(text, no_location=True)
    except GraphQLSyntaxError as error:
        return {"errors": [{"message": error.message}]}
    data: dict[str, Any] = {}
    try:
        for definition in document.definitions:
            if isinstance(definition, ast.OperationDefinitionNode):
                data.update(await _Selection(session, call).of_object(None, definition.selection_set))
    except (DaggerPodmanError, OSError, UnicodeError) as error:
        said = told(error)
        failure: dict[str, Any] = {"message": session.scrubber.text(str(said)), "path": list(data)}
        if extensions := said.extensions():
            failure["extensions"] = extensions
        return {"data": None, "errors": [failure]}
    except (
        Exception
    ) as error:  # a bug of ours must reach the user once, not be retried by the client as a lost connection
        traceback.print_exc()
        return {"data": None, "errors": [{"message": f"internal error of dagger-podman: {error!r}"}]}
    return {"data": data}


class _Selection:
    def __init__(self, session: Session, call: str) -> None:
        self.session, self.call = session, call

    async def of_object(self, parent: Node | None, selections: ast.SelectionSetNode | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        wanted = list(selections.selections if selections else ())
        for result in await asyncio.gather(*(self._one(parent, selection) for selection in wanted)):
            found.update(result)
        return found

    async def _one(self, parent: Node | None, selection: ast.SelectionNode) -> dict[str, Any]:
        if isinstance(selection, ast.InlineFragmentNode):
            return await self.of_object(parent, selection.selection_set)
        if not isinstance(selection, ast.FieldNode):
            raise DaggerPodmanError("fragments with a name are not supported")
        shown = (selection.alias or selection.name).value
        return {shown: await self._field(parent, selection)}

    async def _field(self, parent: Node | None, selection: ast.FieldNode) -> Any:
        name = selection.name.value
        owner = parent.type if parent else "Query"
        if name == "__typename":
            return owner
        if name == "node" and parent is None:
            (argument,) = selection.arguments or ()
            return await self.of_object(
                self.session.find(value_from_ast_untyped(argument.value)), selection.selection_set
            )
        if owner == "Host" and name in CALLERS_HOST and self.call:
            raise NotAvailableError(
                f"Host.{name} inside a module", "a module has no view of the caller; take an argument instead"
            )
        if (owner, name) == ("Query", "secret") and self.call:
            raise NotAvailableError(
                "Query.secret inside a module", "its values are the caller's; take a Secret argument"
            )
        field = self.session.field(owner, name)
        arguments = {a.name.value: self._argument(field, a) for a in selection.arguments or ()}
        if (owner, name) == ("Query", "setSecret"):
            arguments["plaintext"] = self._hidden(arguments["plaintext"])
        if (owner, name) == ("Query", "currentFunctionCall"):
            arguments["call"] = self.call
        node, kind = self.session.select(parent, name, arguments)
        if (owner, name) in {("CurrentModule", "workdir"), ("CurrentModule", "workdirFile")}:
            # What the process wrote so far. By content: its container is gone when a kept result is read.
            self.session.drop(node.id)
            node = content_node(self.session, await self.session.value(node))
        if selection.selection_set is None:
            return await self.session.leaf(node)
        if kind.kind == "list":
            elements = await self.session.elements(node)
            return await asyncio.gather(*(self.of_object(e, selection.selection_set) for e in elements))
        return await self.of_object(node, selection.selection_set)

    def _hidden(self, plaintext: str) -> str:
        """Keep a secret's value in the session's memory only; what goes on is its keyed hash."""
        value = plaintext.encode(errors="surrogateescape")
        self.session.scrubber.add(value)
        key = self.session.secret_key(value)
        self.session.secrets[key] = value
        return key

    def _argument(self, field: Field, argument: ast.ArgumentNode) -> Any:
        known = field.arg(argument.name.value)
        if known is None:
            raise DaggerPodmanError(f'Unknown argument "{argument.name.value}" on field "{field.name}".')
        return self._typed(known.type, value_from_ast_untyped(argument.value))

    def _typed(self, kind: TypeRef, value: Any) -> Any:
        if value is None:
            return None
        if kind.kind == "list" and kind.of:
            items = value if isinstance(value, list) else [value]
            return tuple(self._typed(kind.of, v) for v in items)
        if kind.kind in ("object", "interface"):
            return self.session.find(value)
        if kind.kind == "input" and isinstance(value, dict):
            declared: InputType = self.session.schema.inputs[kind.name]
            types = {f.name: f.type for f in declared.fields}
            return {k: self._typed(types[k], v) if k in types else v for k, v in value.items()}
        return value
