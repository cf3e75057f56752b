"""A file appears whole under its name; what is no file there is written into, and never replaced."""

import asyncio
import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dagger_podman.exporting import write
from dagger_podman.store import Store
from dagger_podman.tree import Entry
from dagger_podman.values import FileValue

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def session(tmp_path: Path) -> Any:
    return SimpleNamespace(store=Store(tmp_path / "store"))


def value(session: Any) -> FileValue:
    return FileValue("text", Entry("file", 0o600, content=session.store.add_bytes(b"content"), size=7))


async def test_a_file_is_replaced_as_a_whole_with_its_mode(session: Any, tmp_path: Path) -> None:
    target = tmp_path / "new" / "file"
    for _ in range(2):
        await write(session, value(session), target)
        assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"content", 0o600)
    assert [path.name for path in target.parent.iterdir()] == ["file"]


async def test_a_device_such_as_a_terminal_is_written_into(session: Any) -> None:
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    await write(session, value(session), Path(name))
    assert await asyncio.to_thread(os.read, ours, 100) == b"content"
    assert stat.S_ISCHR(os.stat(name).st_mode)
    os.close(ours)
    os.close(theirs)


async def test_a_pipe_is_written_into(session: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    await write(session, value(session), tmp_path / "pipe")
    assert os.read(reader, 100) == b"content"
    os.close(reader)
