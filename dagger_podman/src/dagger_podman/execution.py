"""Runs a command in a container: once for equal input, its outcome kept across sessions."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from . import images, services
from .errors import ExecError, PodmanError
from .image_files import on_image
from .mounts import volume_name
from .nodes import Node
from .podman import IMAGES, Completed
from .run_options import launch
from .session import Session
from .state import Change, Container, Edited, Executed, Image, Mount
from .store import digest_of
from .tree import Tree
from .values import FileValue, file_node, kept_tree

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a command left: its image, its output (scrubbed), and what it made of its mounts."""

    image: str
    """Empty as long as nobody has asked for its files: most commands are asked for their output alone."""
    exit_code: int
    stdout: str
    stderr: str
    combined: str
    mounts: dict[str, str]
    """Mount path → digest of its tree afterwards (of a file mount: of a tree that holds just the file)."""


async def exec_key(session: Session, ex: Executed) -> str:
    """All that decides a command's outcome, by content; a secret by its keyed hash."""
    c = ex.container

    async def mount_key(mount: Mount) -> list[Any]:
        value = await mount_value(session, mount)
        if isinstance(value, Tree):
            content: Any = value.digest
        elif isinstance(value, FileValue):
            content = list(dataclasses.astuple(value.entry))
        else:
            content = getattr(value, "key", value) or (mount.volume and volume_name(mount))
        size = [mount.size] if mount.size else []
        return [mount.kind, mount.path, content, mount.owner, mount.mode, mount.read_only, *size]

    async def secret_key(name: str, node: Node) -> list[str]:
        return [name, (await session.value(node)).key]

    root, mounts, secrets, bindings = await asyncio.gather(
        images.key_of(session, c.root),
        asyncio.gather(*(mount_key(m) for m in c.mounts)),
        asyncio.gather(*(secret_key(*pair) for pair in c.secret_env)),
        asyncio.gather(*(services.service_key(session, node) for _, node in c.bindings)),
    )
    aliases = [alias for alias, _ in c.bindings]
    rest = dataclasses.replace(ex, container=Container()).__dict__
    return digest_of(
        ["exec", root, mounts, secrets, aliases, bindings, c.env, c.workdir, c.user, c.platform]
        + [[name, value] for name, value in sorted(rest.items()) if name != "container"]
    )


async def executed(session: Session, ex: Executed) -> Outcome:
    """The outcome of a command, run if it is not known. Raises `ExecError` where the exit code is not the expected."""
    key = await exec_key(session, ex)
    return await session.once(f"exec {key}", lambda: _known_or_run(session, ex, key))


async def _known_or_run(session: Session, ex: Executed, key: str) -> Outcome:
    async with session.store.lock(f"exec-{key}"):
        if known := _known(session, key):
            await session.progress.cached(_title(ex))
            return known
        outcome = await _run(session, ex, key)
        session.store.write("exec", key, dataclasses.asdict(outcome))
        return outcome


def _known(session: Session, key: str) -> Outcome | None:
    """What an earlier run left, if all of its output and mounts is still there."""
    if not (known := session.store.read("exec", key)):
        return None
    outcome = Outcome(**known)
    blobs = (outcome.stdout, outcome.stderr, outcome.combined)
    trees = (kept_tree(session.store, digest) is not None for digest in outcome.mounts.values())
    return outcome if session.store.has_blobs(blobs) and all(trees) else None


async def image_after(session: Session, ex: Executed) -> str:
    """The image of what a command left."""
    key = await exec_key(session, ex)
    await executed(session, ex)
    return await session.once(f"commit {key}", lambda: _known_or_committed(session, ex, key))


async def _known_or_committed(session: Session, ex: Executed, key: str) -> str:
    async with session.store.lock(f"exec-{key}"):
        outcome = _known(session, key)
        if outcome and outcome.image and await images.present(session, outcome.image):
            return outcome.image
        if key not in session.left_containers or outcome is None:
            # The outcome is of an earlier session, which had no use for the files.
            outcome = await _run(session, ex, key)
        image = await _commit(session, ex, key, outcome)
        session.store.write("exec", key, dataclasses.asdict(dataclasses.replace(outcome, image=image)))
        return image


async def _commit(session: Session, ex: Executed, key: str, outcome: Outcome) -> str:
    name = session.left_containers[key]
    await _remove_stubs(session, name, [m.path for m in ex.container.mounts])
    tag = f"{IMAGES}/cache:{key[:32]}"
    image = await session.podman("commit", "-q", "--pause=false", name, tag)
    await _remove(session, key, name)
    changes = tuple(
        Change(path, file_node(session, blob, session.store.blob(blob).stat().st_size, "", 0o600), ex.container.user)
        for path, blob in _redirected(ex, outcome.stdout, outcome.stderr)
        if not ex.container.mount_at(path)
    )
    return await images.image_of(session, Edited(Image(image), changes)) if changes else image


def _redirected(ex: Executed, stdout: T, stderr: T) -> Iterator[tuple[str, T]]:
    """The absolute paths of the files that output is to be written to, with the output."""
    for path, output in ((ex.redirect_stdout, stdout), (ex.redirect_stderr, stderr)):
        if path:
            yield ex.container.path(path), output


async def _remove(session: Session, key: str, name: str) -> None:
    session.left_containers.pop(key, None)
    await session.podman.run("rm", "-f", "-t", "0", name)


def _title(ex: Executed) -> str:
    return "exec " + re.sub(r"\s+", " ", shlex.join(ex.args))[:120]


async def _run(session: Session, ex: Executed, key: str) -> Outcome:
    c = ex.container
    image = await images.image_of(session, c.root)
    name = f"dagger-podman-{session.id}-{key[:12]}"
    async with contextlib.AsyncExitStack() as stack:
        options, prepared = await launch(session, stack, c)
        redirected = [
            (m.file(path), stream)
            for path, stream in _redirected(ex, "stdout", "stderr")
            for m in prepared
            if (mount := c.mount_at(path)) and m.path == mount.path
        ]
        stdin = await _stdin(session, ex)
        step = await stack.enter_async_context(session.progress.step(_title(ex)))
        command = [
            *("run", "--name", name, *options),
            *(["-i"] if stdin is not None else []),
            *(["--privileged"] if ex.privileged else []),
        ]
        session.left_containers[key] = name
        try:
            done = await _podman_run(session, name, [*command, "--entrypoint", "", image, *ex.args], stdin, step)
            if done.exit_code == 126 and b"does not exist on container" in done.stderr:
                # Dagger makes the working directory.
                await session.podman("rm", "-f", "-t", "0", name)
                image = await images.image_of(
                    session, Edited(Image(image), (Change(c.workdir, owner=c.user, make_directory=True),))
                )
                done = await _podman_run(session, name, [*command, "--entrypoint", "", image, *ex.args], stdin, step)
            if done.exit_code == 125:
                raise PodmanError("run", 125, session.scrubber.clean(done.stderr).decode(errors="replace"))
            clean = session.scrubber.clean
            stdout, stderr, combined = clean(done.stdout), clean(done.stderr), clean(done.combined)
            _check(ex, done.exit_code, stdout, stderr)
            if c.secret_env or any(m.kind == "secret" for m in c.mounts):
                await _forget_secrets(session, name)
            for file, stream in redirected:
                file.write_bytes(stdout if stream == "stdout" else stderr)
            after = {m.path: await asyncio.to_thread(m.read_back) for m in prepared if m.folder}
        except BaseException:
            await _remove(session, key, name)
            raise
    add = session.store.add_bytes
    return Outcome("", done.exit_code, add(stdout), add(stderr), add(combined), after)


async def _forget_secrets(session: Session, name: str) -> None:
    """Removes what Podman keeps of a run's secrets beside a container that ended: it is never started again."""
    folder = Path(await session.podman("inspect", "--format", "{{.StaticDir}}", name))
    shutil.rmtree(folder / "secrets", ignore_errors=True)
    (folder / "config.json").unlink(missing_ok=True)


async def _podman_run(session: Session, name: str, command: list[str], stdin: bytes | None, step: Any) -> Completed:
    running = asyncio.ensure_future(session.podman.run(*command, stdin=stdin, listener=step.output))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():  # the first process of a container is deaf to most signals
            await session.podman.run("rm", "-f", "-t", "0", "--ignore", name)
            await asyncio.wait([running], timeout=1)
        raise


def _check(ex: Executed, code: int, stdout: bytes, stderr: bytes) -> None:
    told = code < 128 or code > 191  # the rest is a failure of its own on the engine, whatever was expected
    fits = {"SUCCESS": code == 0, "FAILURE": code != 0 and told, "ANY": told}
    if not fits[ex.expect]:
        raise ExecError(list(ex.args), code, *(text.decode(errors="replace").strip() for text in (stdout, stderr)))


async def _stdin(session: Session, ex: Executed) -> bytes | None:
    if ex.redirect_stdin:
        from .types.container_reading import file

        value = await file(session, ex.container, ex.redirect_stdin)
        return session.store.read_blob(value.entry.content)
    return ex.stdin.encode() if ex.stdin else None


async def _remove_stubs(session: Session, name: str, paths: list[str]) -> None:
    """Mounting makes empty files and folders in the container where there were none; an image must not keep them."""
    if not paths:
        return
    listed = {line[2:] for line in (await session.podman("diff", name)).splitlines() if line.startswith("A ")}
    stubs = sorted((p for p in listed if any(m == p or m.startswith(p + "/") for m in paths)), reverse=True)
    if stubs:
        await on_image(session.podman, session.store, name, "remove_stubs", container=True, paths=stubs)


async def mount_value(session: Session, mount: Mount) -> Any:
    """What is mounted: the source, or what the last command left of it."""
    value = await session.value(mount.source) if mount.source else None
    if mount.after is None:
        return value
    rows = session.store.read("trees", (await executed(session, mount.after)).mounts[mount.path])
    tree = Tree.from_json(rows or [])
    return FileValue(value.name, tree.entries["content"]) if isinstance(value, FileValue) else tree
