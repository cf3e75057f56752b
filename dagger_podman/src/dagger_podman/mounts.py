"""What is mounted into a container that runs, and what a command made of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import posixpath
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from .errors import DaggerPodmanError
from .files import ingest, write_out
from .layers import numeric_ids, owner_ids, within, write_layer
from .podman import LABEL
from .session import Session
from .state import CacheVolume, Container, Mount
from .store import digest_of
from .tree import Tree
from .values import FileValue

NAMED = re.compile(r"[^\d:]")


@dataclasses.dataclass
class Prepared:
    path: str
    options: list[str]
    session: Session
    folder: Path | None = None

    def file(self, path: str) -> Path:
        """The file in the mounted folder, or the mounted one, that a command's output is to be put into."""
        if not self.folder:
            raise DaggerPodmanError(f"cannot redirect output to {path}: what is mounted there is no directory or file")
        found = within(self.folder, "content" if path == self.path else posixpath.relpath(path, self.path))
        if not found.parent.is_dir() or found.is_dir() or found.is_fifo():
            raise DaggerPodmanError(f"cannot redirect output to {path}: no file can be there")
        found.touch(mode=0o600)
        return found

    def read_back(self) -> str:
        """The digest of what is now in the mounted folder."""
        assert self.folder
        tree = ingest(self.session.store, self.folder, keep_owner=not self.session.podman.rootless)
        self.session.store.write("trees", tree.digest, tree.to_json())
        return tree.digest


async def with_numeric_owners(session: Session, c: Container) -> Container:
    """The container, the names of its mounts' owners looked up in its own files."""
    from .types.container_reading import file

    if not any(NAMED.search(m.owner) for m in c.mounts):
        return c
    with session.store.temporary_folder() as root:
        (root / "etc").mkdir()
        for database in ("passwd", "group"):
            with contextlib.suppress(DaggerPodmanError):
                found = await file(session, dataclasses.replace(c, mounts=()), f"/etc/{database}")
                shutil.copyfile(session.store.blob(found.entry.content), root / "etc" / database)
        owned = (
            dataclasses.replace(m, owner=":".join(map(str, owner_ids(root, m.owner)))) if m.owner else m
            for m in c.mounts
        )
        return dataclasses.replace(c, mounts=tuple(owned))


def volume_name(mount: Mount) -> str:
    volume = mount.volume or CacheVolume("")
    source = volume.source.digest if volume.source else ""
    return f"dagger-podman-cache-{digest_of([volume.key, source, volume.sharing, mount.owner])[:24]}"


async def locked_volumes(session: Session, stack: contextlib.AsyncExitStack, mounts: Sequence[Mount]) -> None:
    """Waits for the cache volumes that one command at a time writes to: Dagger takes PRIVATE as LOCKED."""
    for name in sorted({volume_name(m) for m in mounts if m.volume and m.volume.sharing != "SHARED"}):
        await stack.enter_async_context(session.store.lock(name))


async def _volume(session: Session, mount: Mount) -> None:
    """Make a mount's cache volume if there is none, with what it starts from."""
    name = volume_name(mount)
    async with session.store.lock(f"{name}-made"):
        if not (await session.podman.run("volume", "exists", name)).exit_code:
            return
        assert mount.volume
        owner = numeric_ids(mount.owner)
        uid, gid = owner or (0, 0)
        with session.store.temporary_folder() as folder:
            entries = mount.volume.source.entries if mount.volume.source else {}
            write_layer(session.store, {p: e.owned(owner) for p, e in entries.items() if p}, folder / "source.tar")
            await session.podman(
                *("volume", "create", "--label", f"{LABEL}=true", "--opt", f"o=uid={uid},gid={gid}", name)
            )
            try:
                if entries:
                    await session.podman("volume", "import", name, str(folder / "source.tar"))
            except BaseException:
                await session.podman.run("volume", "rm", "-f", name)
                raise


async def prepare(session: Session, mount: Mount, folder: Path) -> Prepared:
    match mount.kind:
        case "temp":
            size = f",size={mount.size}" if mount.size else ""
            return Prepared(mount.path, ["--tmpfs", f"{mount.path}:rw,exec,mode=1777{size}"], session)
        case "cache":
            await session.once(f"volume {volume_name(mount)}", lambda: _volume(session, mount))
            return Prepared(mount.path, ["--volume", f"{volume_name(mount)}:{mount.path}:nocopy"], session)
        case "socket":
            assert mount.source
            socket = await session.value(mount.source)
            return Prepared(mount.path, ["--volume", f"{socket.key}:{mount.path}"], session)
        case "secret":
            return Prepared(mount.path, [], session)  # see run_options.secret_arguments
    from .execution import mount_value

    value = await mount_value(session, mount)
    keep = not session.podman.rootless
    if isinstance(value, FileValue):
        tree = Tree({"": Tree().entries[""], "content": value.entry})
    else:
        tree = value
    if owner := numeric_ids(mount.owner):
        tree = Tree({p: e.owned(owner) for p, e in tree.entries.items()})
    await asyncio.to_thread(write_out, session.store, tree, folder, keep)
    source = folder / "content" if isinstance(value, FileValue) else folder
    mode = "ro" if mount.read_only else "rw"
    return Prepared(mount.path, ["--volume", f"{source}:{mount.path}:{mode}"], session, folder)
