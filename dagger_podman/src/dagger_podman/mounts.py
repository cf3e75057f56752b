"""What is mounted into a container that runs, and what a command made of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import shutil
from pathlib import Path

from .errors import DaggerPodmanError, PodmanError
from .files import ingest, write_out
from .layers import numeric_ids, owner_ids
from .podman import LABEL
from .session import Session
from .state import Container, Mount
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


async def prepare(session: Session, stack: contextlib.AsyncExitStack, mount: Mount, folder: Path) -> Prepared:
    match mount.kind:
        case "temp":
            size = f",size={mount.size}" if mount.size else ""
            return Prepared(mount.path, ["--tmpfs", f"{mount.path}:rw,exec,mode=1777{size}"], session)
        case "cache":
            name = f"dagger-podman-cache-{digest_of(mount.cache_key)[:24]}"
            if mount.sharing == "LOCKED":
                await stack.enter_async_context(session.store.lock(name))
            if (await session.podman.run("volume", "exists", name)).exit_code:
                uid, gid = numeric_ids(mount.owner) or (0, 0)
                options = ("--label", f"{LABEL}=true", "--opt", f"o=uid={uid},gid={gid}")
                made = await session.podman.run("volume", "create", *options, name)
                if made.exit_code and b"already exists" not in made.stderr:
                    raise PodmanError("volume create", made.exit_code, made.stderr.decode(errors="replace"))
            return Prepared(mount.path, ["--volume", f"{name}:{mount.path}:nocopy"], session)
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
