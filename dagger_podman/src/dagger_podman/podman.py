"""The one place that runs podman."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from .errors import PodmanError, UsageError

LABEL = "dagger-podman"
"""The label of every container, network, volume and secret of ours."""
IMAGES = "localhost/dagger-podman"
"""What the name of every image of ours begins with."""

ENDS_WITHIN = 5.0
Listener = Callable[[Literal["stdout", "stderr"], bytes], None]


@dataclasses.dataclass(frozen=True)
class Completed:
    exit_code: int
    stdout: bytes
    stderr: bytes
    combined: bytes


def kill_commands(podman: int) -> bool:
    """Kill the commands of a build by the id of its podman, which would leave them running; False if there are none."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(process.name))
    below = [podman]
    for one in below:
        below += children.get(one, [])
    killed = False
    for one in below:
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{one}/ns/pid") != os.readlink("/proc/self/ns/pid"):  # it is in a container
                os.kill(one, signal.SIGKILL)
                killed = True
    return killed


class Podman:
    """Podman with the settings of this host (`environment`, see `host.py`)."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {**os.environ, **environment}
        self.rootless = os.geteuid() != 0
        self.program = shutil.which("podman") or ""

    async def __call__(self, *args: str, stdin: bytes | None = None, cwd: Path | None = None) -> str:
        """Run a subcommand; return its output, or raise with what it said."""
        done = await self.run(*args, stdin=stdin, cwd=cwd)
        if done.exit_code:
            raise PodmanError(args[0], done.exit_code, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace").strip()

    async def run(
        self, *args: str, stdin: bytes | None = None, listener: Listener | None = None, cwd: Path | None = None
    ) -> Completed:
        """Run a subcommand to its end, whatever its exit code; `listener` gets its output as it comes."""
        process = await self.start(*args, stdin=stdin is not None, cwd=cwd)
        out, err, both = bytearray(), bytearray(), bytearray()

        async def pump(stream: asyncio.StreamReader, kept: bytearray, name: Literal["stdout", "stderr"]) -> None:
            while chunk := await stream.read(1 << 16):
                kept += chunk
                both.extend(chunk)
                if listener:
                    listener(name, chunk)

        async def feed() -> None:
            if stdin is not None and process.stdin:
                try:
                    process.stdin.write(stdin)
                    await process.stdin.drain()
                    process.stdin.close()
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the command did not want its input

        assert process.stdout and process.stderr
        try:
            await asyncio.gather(pump(process.stdout, out, "stdout"), pump(process.stderr, err, "stderr"), feed())
            return Completed(await process.wait(), bytes(out), bytes(err), bytes(both))
        finally:
            if process.returncode is None:
                if kill_commands(process.pid):  # then a build ends by itself, and clears up
                    await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=ENDS_WITHIN)
                if process.returncode is None:
                    process.send_signal(signal.SIGTERM)
                    await process.wait()

    async def start(self, *args: str, stdin: bool = False, cwd: Path | None = None) -> asyncio.subprocess.Process:
        """Start a subcommand whose input and output the caller handles."""
        if not self.program:
            raise UsageError("podman is not installed; `dagger-podman doctor` says how to install it")
        return await asyncio.create_subprocess_exec(
            self.program,
            *args,
            stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
            cwd=cwd,
            start_new_session=True,  # Ctrl-C is ours to handle: it must not kill a podman in the middle of a write
        )
