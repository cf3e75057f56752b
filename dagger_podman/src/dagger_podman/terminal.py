"""A shell in a container, on the terminal of the one who called."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
from collections.abc import Sequence

from . import images, run_options, services
from .errors import DaggerPodmanError
from .session import Session
from .state import Container


async def in_container(session: Session, c: Container, command: Sequence[str], privileged: bool) -> None:
    """Run a command on the terminal, in a container that is thrown away afterwards."""
    image = await images.image_to_start(session, c)
    async with contextlib.AsyncExitStack() as stack:
        options, _ = await run_options.launch(session, stack, c)
        name = f"dagger-podman-{session.id}-terminal-{os.urandom(4).hex()}"
        stack.push_async_callback(session.podman.run, "rm", "-f", "-t", "0", "--ignore", name)
        options += ["--name", name, *(["--privileged"] if privileged else [])]
        await _on_terminal(session, "run", *options, "--entrypoint", "", image, *(command or c.terminal))


async def in_service(session: Session, value: services.ServiceValue, command: Sequence[str]) -> None:
    """Run a command on the terminal, beside what runs in a service's container."""
    if value.target:
        raise DaggerPodmanError("a service on the caller's machine has no container to open a terminal in")
    running = await services.start(session, value)
    await _on_terminal(session, "exec", running.name, *(command or value.container.terminal))


async def _on_terminal(session: Session, subcommand: str, *arguments: str) -> None:
    """Hands the terminal to Podman. The exit code is that of what was typed last, and decides nothing."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise DaggerPodmanError("cannot open a terminal: the command's own input and output are none")
    before = termios.tcgetattr(sys.stdin)
    with session.progress.aside():
        podman = await asyncio.create_subprocess_exec(
            *(session.podman.program, subcommand, "-it", "--env", f"TERM={os.environ.get('TERM', 'xterm')}"),
            *arguments,
            env=session.podman.environment,
        )
        try:
            if await podman.wait() == 125:
                raise DaggerPodmanError("Podman could not open the terminal; its message stands above")
        finally:
            if podman.returncode is None:
                podman.kill()
                await podman.wait()
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
