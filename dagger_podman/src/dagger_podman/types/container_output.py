"""Container: image archives in and out, and publishing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from pathlib import Path

from .. import exporting, images, services, stand_ins
from ..errors import DaggerPodmanError, PodmanError, UsageError
from ..fields import field
from ..registry_auth import auth_file, through
from ..session import Session
from ..state import Container, Edited, Scratch
from ..tree import Entry
from ..values import FileValue

C = "Container"
PUSHES_AT_ONCE = 4
"""Of images that share a base."""


@field(C, note="layers are not compressed", ignores=("forcedCompression",))
async def as_tarball(session: Session, c: Container, media_types: str = "OCIMediaTypes") -> FileValue:
    with session.store.temporary_folder() as folder:
        await save(session, c, folder / "image.tar", media_types)
        with (folder / "image.tar").open("rb") as file:
            digest, size = await asyncio.to_thread(session.store.add_blob, file)
    return FileValue("image.tar", Entry("file", 0o644, content=digest, size=size))


async def save(session: Session, c: Container, target: Path, media_types: str = "OCIMediaTypes") -> None:
    """Write the image as a tarball that appears whole or not at all."""
    if target.is_dir():
        raise UsageError(f'destination "{target}" is a directory; must be a file path')
    image = await images.assemble(session, c)
    kind = "docker-archive" if media_types == "DockerMediaTypes" else "oci-archive"
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        await session.podman("save", "-q", "--format", kind, "-o", str(part), image)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


@field(C)
async def import_(session: Session, c: Container, source: FileValue, tag: str = "") -> Container:
    with session.store.temporary_folder() as folder:
        (folder / "image.tar").symlink_to(session.store.blob(source.entry.content))
        loaded = await session.podman("load", "-q", "-i", str(folder / "image.tar"))
    name = loaded.splitlines()[-1].partition(": ")[2] or loaded
    image = await session.podman("image", "inspect", "--format", "{{.Id}}", name)
    return await images.container_of(session, image)


@field(C)
async def publish(
    session: Session,
    c: Container,
    address: str,
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
    registry_service: services.ServiceValue | None = None,
) -> str:
    registry = stand_ins.registry_of(stand_ins.canonical(address))
    stand_in = dict(c.labels).get(images.STAND_IN_LABEL)
    if stand_in and not images.is_loopback(registry) and registry_service is None:
        raise DaggerPodmanError(
            f"{address}: not published, because the image stands on a stand-in for {stand_in}; "
            "build it where the base image's registry can be reached"
        )
    image = await images.assemble(session, c)
    destination, options = await through(session, address, registry_service)
    if images.is_loopback(registry) and not registry_service:
        options = ["--tls-verify=false"]
    compression = {"Gzip": ["--compression-format", "gzip"], "Zstd": ["--compression-format", "zstd"]}
    kind = "v2s2" if media_types == "DockerMediaTypes" else "oci"
    # Of images that share a base the first goes alone: the others find the base's layers there.
    root = c.root.base if isinstance(c.root, Edited) else c.root
    below = {} if isinstance(root, Scratch) else await images.inspect(session, await images.image_of(session, root))
    base = next(iter(below.get("RootFS", {}).get("Layers") or ()), image)
    pushing = f"push to {destination.partition('/')[0]} on {base}"
    turn: asyncio.Semaphore = session.memory.setdefault(pushing, asyncio.Semaphore(1))
    async with (
        turn,
        auth_file(session, c, address, destination) as auth,
        session.progress.step(f"publish {address}") as step,
    ):
        with session.store.temporary_folder() as folder:
            done = await session.podman.run(
                *("push", "--format", kind, "--digestfile", str(folder / "digest"), *options, *auth),
                *compression.get(forced_compression or "", []),
                *(image, f"docker://{destination}"),
                listener=step.output,
            )
            if done.exit_code:
                raise DaggerPodmanError(f"failed to publish {address}: {_last_error(done.stderr)}")
            digest = (folder / "digest").read_text().strip()
    if not session.memory.get(f"{pushing} is done"):
        session.memory[f"{pushing} is done"] = True
        for _ in range(PUSHES_AT_ONCE - 1):
            turn.release()
    return stand_ins.canonical(f"{address}@{digest}")


def _last_error(stderr: bytes) -> str:
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.startswith("Error:")]
    return lines[-1].removeprefix("Error: ") if lines else stderr.decode(errors="replace").strip()[-500:]


@field(C, note="layers are not compressed", ignores=("forcedCompression",))
async def export(session: Session, c: Container, path: str, media_types: str = "OCIMediaTypes") -> str:
    whole = media_types == "OCIMediaTypes"
    return await exporting.export(session, c if whole else await as_tarball(session, c, media_types), path)


@field(C, note="layers are not compressed", ignores=("forcedCompression",))
async def export_image(session: Session, c: Container, name: str, media_types: str = "OCIMediaTypes") -> None:
    if not re.fullmatch(r"[a-z0-9]+[\w./:-]*", name):
        raise DaggerPodmanError(f"invalid image name {name!r}")
    image = await images.assemble(session, c)
    with contextlib.suppress(PodmanError):
        await session.podman("untag", f"localhost/{name}")
    await session.podman("tag", image, name)
