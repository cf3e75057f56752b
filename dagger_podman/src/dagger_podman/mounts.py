"""What is mounted into a container that runs, and what a command made of it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import PodmanError
from .files import ingest, write_out
from .layers import owner_ids
from .podman import LABEL
from .state import Mount
from .store import digest_of
from .tree import Tree
from .values import FileValue

if TYPE_CHECKING:
    from .session import Session


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
                made = await session.podman.run("volume", "create", "--label", f"{LABEL}=true", name)
                if made.exit_code and b"already exists" not in made.stderr:
                    raise PodmanError("volume create", made.exit_code, made.stderr.decode(errors="replace"))
            option = ",U" if mount.owner else ""
            return Prepared(mount.path, ["--volume", f"{name}:{mount.path}:nocopy{option}"], session)
        case "secret":
            return Prepared(mount.path, [], session)  # see run_options.secret_arguments
    from .execution import mount_value

    value = await mount_value(session, mount)
    keep = not session.podman.rootless
    if isinstance(value, FileValue):
        tree = Tree({"": Tree().entries[""], "content": value.entry})
    else:
        tree = value
    if mount.owner:
        uid, gid = owner_ids(Path("/nonexistent"), mount.owner)
        tree = Tree({p: dataclasses.replace(e, uid=uid, gid=gid) for p, e in tree.entries.items()})
    await asyncio.to_thread(write_out, session.store, tree, folder, keep)
    source = folder / "content" if isinstance(value, FileValue) else folder
    mode = "ro" if mount.read_only else "rw"
    return Prepared(mount.path, ["--volume", f"{source}:{mount.path}:{mode}"], session, folder)
