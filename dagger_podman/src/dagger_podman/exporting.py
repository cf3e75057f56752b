"""Writes values to a disk: the caller's, or that of the module's container."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import UsageError, concerning
from .files import copy_blob, write_out
from .session import Session
from .state import Container
from .tree import Tree, changes, diff, keeping
from .values import Changeset, FileValue

MODULE_CONTAINER = "module container"
"""The key of the session's memory that holds the name of the module's container, while it has one."""


async def write(session: Session, value: Any, path: Path) -> str:
    """Write a directory, a file or a container's image to the caller's disk; return where."""
    if isinstance(value, Changeset):
        for gone in changes(*value)[2]:
            target = path / gone
            if not target.parent.resolve().is_relative_to(path.resolve()):
                continue  # a link on the way leads to what the caller did not name
            if gone.endswith("/") and target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
        value = _shown(value)
    if isinstance(value, Tree):
        await asyncio.to_thread(write_out, session.store, value, path)
    elif path.exists() and not path.is_file() and not path.is_dir():
        # A device or a pipe, such as /dev/null, is written into and never replaced.
        with session.store.temporary_folder() as folder:
            await write(session, value, folder / "value")
            await asyncio.to_thread(_pour, folder / "value", path)
    elif isinstance(value, FileValue):
        path = path / value.name if path.is_dir() else path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        with concerning(path):
            await asyncio.to_thread(copy_blob, session.store, value.entry.content, part)
        part.chmod(value.entry.mode)
        part.replace(path)
    elif isinstance(value, Container):
        from .types.container_output import save

        await save(session, value, path)
    else:
        raise UsageError("this result cannot be written; chain a function that gives a file, directory or text")
    return str(path.resolve())


def _pour(source: Path, target: Path) -> None:
    """As `shutil.copyfile`, which refuses pipes."""
    with concerning(target), source.open("rb") as content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


def _shown(change: Changeset) -> Tree:
    """What a changeset adds or modifies, without what differs in its owner or permissions alone."""
    return diff(change.before, keeping(*change))


async def export(session: Session, value: Any, path: str, wipe: bool = False) -> str:
    """What `export` does for the program that asks: a module's files are those of its own container."""
    name = session.memory.get(MODULE_CONTAINER)
    if name is None:
        if wipe and Path(path).is_dir():
            for below in Path(path).iterdir():
                below.unlink() if below.is_symlink() or not below.is_dir() else shutil.rmtree(below)
        return await write(session, value, Path(path))
    target = PurePosixPath("/", path)
    if isinstance(value, Changeset):
        await session.podman("exec", name, "rm", "-rf", "--", *(str(target / gone) for gone in changes(*value)[2]))
        value = _shown(value)
    with session.store.temporary_folder() as folder:
        await write(session, value, folder / "value")
        await session.podman("exec", name, "mkdir", "-p", str(target if isinstance(value, Tree) else target.parent))
        if wipe:
            await session.podman("exec", name, "find", str(target), "-mindepth", "1", "-delete")
        source = f"{folder / 'value'}/." if isinstance(value, Tree) else str(folder / "value")
        await session.podman("cp", source, f"{name}:{target}")
    return str(target)
