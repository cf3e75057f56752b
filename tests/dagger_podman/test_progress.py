"""What a user sees while things run: live lines on a terminal, plain ones elsewhere, and never silence for long."""

import asyncio
import contextlib
import io
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagger_podman.progress import LiveProgress, Progress

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_terminal_shows_one_line_for_a_step_and_folds_it_when_done() -> None:
    screen = io.StringIO()
    progress = LiveProgress(screen)
    async with progress.step("build engine") as step:
        step.output("stdout", b"first line\nsecond \x1b[31mline\n")
        drawn = screen.getvalue()
        assert drawn.splitlines()[-1].endswith("build engine  second line")
    last = screen.getvalue().removeprefix(drawn)
    assert "build engine DONE [" in last
    assert "second line" not in last.partition("DONE")[2]


async def test_a_step_is_drawn_from_its_start_and_one_from_the_cache_says_so() -> None:
    screen = io.StringIO()
    async with LiveProgress(screen).step("build engine") as step:
        assert screen.getvalue().rstrip().endswith("0.0s build engine")
        step.cached = True
    assert "build engine CACHED [" in screen.getvalue().rpartition("\x1b[J")[2]


async def test_a_failed_step_says_so() -> None:
    lines = io.StringIO()

    async def fail() -> None:
        async with Progress(file=lines).step("build engine") as step:
            step.output("stderr", b"the last words")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await fail()
    assert "| the last words" in lines.getvalue()
    assert "build engine ERROR [" in lines.getvalue().splitlines()[-1]


async def test_a_long_silence_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "SILENT_FOR", 0.5)
    lines = io.StringIO()
    async with Progress(file=lines).step("build engine"):
        await asyncio.sleep(1.2)
    assert "still running: build engine" in lines.getvalue()


def on_terminal(command: list[str]) -> bytes:
    """What a command writes to its standard error, where that is a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "CI": ""}
    seen = b""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # Linux: the other end is closed
            while part := os.read(ours, 4096):
                seen += part
        assert process.wait() == 0
    os.close(ours)
    return seen


def test_the_command_draws_live_on_a_terminal_alone() -> None:
    program = shutil.which("dagger-podman", path=str(Path(sys.executable).parent))
    assert program
    command = [program, "call", "services"]
    for _ in range(2):  # at the latest the second time, all comes from the cache
        assert b"\x1b[" in on_terminal(command)
    plain = subprocess.run(command, capture_output=True, check=True)
    assert b"\x1b[" not in plain.stderr
