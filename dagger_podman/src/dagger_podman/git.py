"""Runs git on the host for what a program hands over: nothing of the user's settings, or of the repository's, counts."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

from .errors import DaggerPodmanError, UsageError
from .files import ingest, write_out
from .session import Session
from .tree import Tree, filtered, keeping, with_tree

NEUTRAL = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TEMPLATE_DIR": "",
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_DIR": ".git",  # it looks for none in the folders above, whose settings would count
}
"""With these git does the same for every user, and asks nobody."""


async def git(*args: str, cwd: Path, stdin: bytes = b"", expected: tuple[int, ...] = (0,)) -> bytes:
    """The output of a command in a folder; raises with all that it said where it ends with another exit code."""
    if not shutil.which("git"):
        raise UsageError("git is not installed on this host; patches, changesets and repositories need it")
    done = await asyncio.to_thread(
        subprocess.run, ("git", *args), cwd=cwd, env=NEUTRAL, input=stdin, capture_output=True, umask=0o022
    )
    if done.returncode not in expected:
        text = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise DaggerPodmanError(f"git {args[0]}: {text or f'exit code {done.returncode}'}")
    return done.stdout


async def worked_on(session: Session, d: Tree, work: Callable[[Path], Awaitable[object]]) -> Tree:
    """What a directory becomes by work on a copy without its repositories, whose settings can name programs to run."""
    with session.store.temporary_folder() as above:
        folder = above / "copy"
        await asyncio.to_thread(write_out, session.store, filtered(d, exclude=["**/.git"]), folder)
        await work(folder)
        made = keeping(d, await asyncio.to_thread(ingest, session.store, folder))
    return with_tree(made, "", filtered(d, include=["**/.git"]))
