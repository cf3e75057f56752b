"""What a user sees on standard error while things run."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import TextIO

from .scrub import Scrubber, Stream


class Step:
    """One thing that runs. Its output is shown line by line as it comes."""

    def __init__(self, progress: Progress, number: int, name: str) -> None:
        self._progress, self.number, self.name = progress, number, name
        self.started = self.spoke = time.monotonic()
        self.cached = False
        self._streams: dict[str, Stream] = {}
        self._lines: dict[str, bytes] = {}

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def output(self, stream: str, data: bytes) -> None:
        clean = self._streams.setdefault(stream, self._progress.scrubber.stream()).feed(data)
        *lines, rest = (self._lines.get(stream, b"") + clean).split(b"\n")
        self._lines[stream] = rest
        for line in lines:
            self._line(line)

    def _line(self, line: bytes) -> None:
        self.spoke = time.monotonic()
        self._progress.said(self, line.decode(errors="replace").rstrip("\r"))

    def finish(self) -> None:
        for stream, scrubbed in self._streams.items():
            if rest := self._lines.pop(stream, b"") + scrubbed.end():
                self._line(rest)


class Progress:
    """Plain lines, as `dagger --progress=plain` writes them; silent where nobody wants them."""

    SILENT_FOR = 15.0

    def __init__(self, silent: bool = False, file: TextIO | None = None) -> None:
        self.silent, self.file = silent, file or sys.stderr
        self.scrubber = Scrubber()
        self._count = 0

    def _write(self, step: Step, text: str, timed: bool = True) -> None:
        if not self.silent:
            time_ = f"[{step.seconds:.1f}s] " if timed else ""
            print(f"{step.number:<4}: {time_}{text}", file=self.file, flush=True)

    def began(self, step: Step) -> None:
        self._write(step, step.name, timed=False)

    def said(self, step: Step, text: str) -> None:
        self._write(step, f"| {text}")

    def ended(self, step: Step, state: str) -> None:
        self._write(step, f"{step.name} {state} [{step.seconds:.1f}s]", timed=False)

    def notice(self, text: str) -> None:
        """Something nobody may miss; shown also when silent."""
        for line in text.splitlines():
            print(f"!   {line}", file=self.file, flush=True)

    @contextlib.asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[Step]:
        self._count += 1
        step = Step(self, self._count, " ".join(self.scrubber.text(name).split()))
        self.began(step)
        ticker = asyncio.ensure_future(self._still_running(step))
        state = "ERROR"
        try:
            yield step
            state = "CACHED" if step.cached else "DONE"
        except asyncio.CancelledError:
            state = "CANCELED"
            raise
        finally:
            ticker.cancel()
            step.finish()
            self.ended(step, state)

    async def cached(self, name: str) -> None:
        """Something that need not run."""
        async with self.step(name) as step:
            step.cached = True

    async def _still_running(self, step: Step) -> None:
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            if now - step.spoke >= self.SILENT_FOR:
                step.spoke = now
                self._write(step, f"still running: {step.name}")

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Meanwhile the terminal is somebody else's; what is told is shown afterwards."""
        file, self.file = self.file, io.StringIO()
        try:
            yield
        finally:
            told, self.file = self.file.getvalue(), file
            self.file.write(told)
            self.file.flush()


class LiveProgress(Progress):
    """On a terminal: a line for each running step with its time and last output, folded to one line when done."""

    def __init__(self, file: TextIO | None = None) -> None:
        super().__init__(file=file)
        self._running: dict[Step, str] = {}
        self._drawn = 0

    def began(self, step: Step) -> None:
        self._running[step] = ""
        self._draw()

    def said(self, step: Step, text: str) -> None:
        self._running[step] = text
        self._draw()

    def ended(self, step: Step, state: str) -> None:
        """Finished steps scroll by above the live lines."""
        del self._running[step]
        self._above(f"{step.name} {state} [{step.seconds:.1f}s]")
        self._draw()

    def notice(self, text: str) -> None:
        for line in text.splitlines():
            self._above(line)
        self._draw()

    async def _still_running(self, step: Step) -> None:
        while True:
            await asyncio.sleep(0.5)
            self._draw()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        self._erase()
        with super().aside():
            yield

    def _erase(self) -> None:
        if self._drawn:
            self.file.write(f"\x1b[{self._drawn}F\x1b[J")
            self._drawn = 0

    def _above(self, line: str) -> None:
        self._erase()
        self.file.write(line + "\n")

    def _draw(self) -> None:
        self._erase()
        width, height = shutil.get_terminal_size()
        for step, last in list(self._running.items())[-max(1, height - 2) :]:
            clean = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f]", "", last)
            self.file.write(f"{step.seconds:6.1f}s {step.name}  {clean}"[: width - 1] + "\n")
            self._drawn += 1
        self.file.flush()


def for_options(silent: bool, kind: str) -> Progress:
    """`kind` is plain, tty or auto: live lines on a terminal, plain ones elsewhere."""
    live = kind == "tty" or (kind == "auto" and sys.stderr.isatty() and not os.environ.get("CI"))
    return LiveProgress() if live and not silent else Progress(silent)
