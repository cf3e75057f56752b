"""FunctionCall, Error and CurrentModule: what the module's process asks about the call it serves."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import FunctionError, UsageError
from ..exporting import MODULE_CONTAINER
from ..fields import computed, field
from ..files import ingest
from ..nodes import Node
from ..session import Session
from ..tree import Tree
from ..values import FileValue

F = "FunctionCall"
ErrorValue = tuple[str, tuple[tuple[str, Any], ...]]
"""A message, and values by name."""


@dataclasses.dataclass(frozen=True)
class FunctionCall:
    """One call of a function. With no `parent_name` the module is asked for its types."""

    parent_name: str
    name: str
    parent: dict[str, Any]
    args: tuple[tuple[str, Any], ...]
    result: asyncio.Future[Any]


@field("Query")
async def current_function_call(session: Session, call: str) -> FunctionCall:
    """`call` is added by the query layer, from the token by which the module's process came."""
    found: FunctionCall = session.memory["calls"][call]
    return found


computed(
    F,
    inputArgs=lambda call: list(call.args),
    name=lambda call: call.name,
    parent=lambda call: json.dumps(call.parent),
    parentName=lambda call: call.parent_name,
)
computed("FunctionCallArgValue", name=lambda arg: arg[0], value=lambda arg: json.dumps(arg[1]))
computed("CurrentModule", name=lambda module: module[0])


@field(F)
async def return_value(_: Session, call: FunctionCall, value: str) -> None:
    if not call.result.done():
        call.result.set_result(json.loads(value))


@field(F)
async def return_error(_: Session, call: FunctionCall, error: ErrorValue) -> None:
    message, values = error
    if not call.result.done():
        call.result.set_exception(FunctionError(message, dict(values)))


# --- Error --------------------------------------------------------------------------------------------
@field("Query", "error")
async def new_error(_: Session, message: str) -> ErrorValue:
    return message, ()


computed("Error", withValue=lambda error, name, value: (error[0], (*error[1], (name, json.loads(value)))))


# --- CurrentModule ------------------------------------------------------------------------------------
@field("Query")
async def current_module(session: Session) -> tuple[str, Node]:
    found: tuple[str, Node] | None = session.memory.get("module")
    if found is None:
        raise UsageError("no current module: only a module's own code has one")
    return found


@field("CurrentModule")
async def source(session: Session, module: tuple[str, Node]) -> Tree:
    """The folder of the module's source."""
    tree: Tree = await session.value(module[1])
    return tree


@field("CurrentModule")
async def workdir(
    session: Session, _: tuple[str, Node], path: str, exclude: Sequence[str] = (), include: Sequence[str] = ()
) -> Tree:
    """A folder that the module's process wrote, below its working directory, which is / here."""
    with session.store.temporary_folder() as folder:
        await _copy(session, path, "/.", folder / "copy")
        return ingest(session.store, folder / "copy", include=include, exclude=exclude)


@field("CurrentModule")
async def workdir_file(session: Session, _: tuple[str, Node], path: str) -> FileValue:
    with session.store.temporary_folder() as folder:
        await _copy(session, path, "", folder / PurePosixPath(path).name)
        entry = ingest(session.store, folder).entries[PurePosixPath(path).name]
    if entry.kind != "file":
        raise UsageError(f"workdir path {path!r} is a {entry.kind}, not a file")
    return FileValue(PurePosixPath(path).name, entry)


async def _copy(session: Session, path: str, ending: str, target: Path) -> None:
    local = PurePosixPath(path)
    if local.is_absolute() or ".." in local.parts:
        raise UsageError(f"workdir path {path!r} escapes workdir")
    await session.podman("cp", f"{session.memory[MODULE_CONTAINER]}:/{local}{ending}", str(target))
