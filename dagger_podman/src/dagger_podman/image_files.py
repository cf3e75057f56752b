"""Work on the files of an image. Rootless, it runs as a program inside Podman's user namespace."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .errors import DaggerPodmanError, MissingPathError
from .files import entry_of, ingest, kind_of
from .layers import Edit, layer_entries, within, write_layer
from .podman import Podman
from .store import Store
from .tree import Entry, Tree

MISSING = 44
"""The exit code of the program in the user namespace for a path that is not there."""


def read(store: Store, root: Path, path: str) -> dict[str, Any]:
    """What is at a path: a file's entry or a folder's tree."""
    found = within(root, path)
    if not found.exists():
        raise MissingPathError(path)
    if found.is_dir():
        return {"kind": "directory", "rows": ingest(store, found, keep_owner=True).to_json()}
    info = found.stat()
    with found.open("rb") as content:
        digest, size = store.add_blob(content)
    return {"kind": "file", "entry": ["file", info.st_mode & 0o7777, info.st_uid, info.st_gid, digest, size]}


def status(root: Path, path: str, follow: bool) -> list[Any]:
    """The entry of a path, without its content."""
    try:
        info = os.lstat(within(root, path, last=follow))
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPathError(path) from None
    return [*dataclasses.astuple(entry_of(info, kind_of(info), keep_owner=True))[:-1], info.st_size]


def make_layer(store: Store, root: Path, edits: list[Edit], target: Path) -> str:
    """Write the layer that makes the edits; return its digest, or nothing where there is nothing to change."""
    entries = layer_entries(root, edits)
    if not entries:
        return ""
    write_layer(store, entries, target)
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_stubs(root: Path, paths: list[str]) -> None:
    """Remove the empty files and folders that mounting left behind."""
    for path in paths:
        found = root / path.lstrip("/")
        if found.is_dir() and not found.is_symlink():
            if not any(found.iterdir()):
                found.rmdir()
        elif found.is_file() and found.stat().st_size == 0:
            found.unlink()


def perform(request: dict[str, Any], root: Path) -> Any:
    store = Store(Path(request["store"]))
    match request["do"]:
        case "read":
            return read(store, root, request["path"])
        case "stat":
            return status(root, request["path"], request["follow"])
        case "layer":
            edits = [
                Edit(path, Tree.from_json(rows) if rows else None, Entry(*entry) if entry else None, owner, name)
                for path, rows, entry, owner, name in request["edits"]
            ]
            return make_layer(store, root, edits, Path(request["target"]))
        case "remove_stubs":
            return remove_stubs(root, request["paths"])
    raise ValueError(request["do"])


async def on_image(podman: Podman, store: Store, name: str, do: str, container: bool = False, **values: Any) -> Any:
    """Do something with the mounted files of an image, or of a container."""
    request = {"store": str(store.folder), "do": do, **values}
    if podman.rootless:
        kind = ["podman", "mount", name] if container else ["podman", "image", "mount", name]
        command = ["unshare", sys.executable, "-m", "dagger_podman.image_files", json.dumps(kind)]
        done = await podman.run(*command, stdin=json.dumps(request).encode())
        if done.exit_code == MISSING:
            raise MissingPathError(values["path"])
        if done.exit_code:
            raise DaggerPodmanError(done.stderr.decode(errors="replace").strip() or f"cannot read image {name}")
        return json.loads(done.stdout)
    mount = ["mount"] if container else ["image", "mount"]
    root = Path(await podman(*mount, name))
    try:
        return await asyncio.to_thread(perform, request, root)
    finally:
        await podman(*(["unmount"] if container else ["image", "unmount"]), name)


def edits_to_json(edits: list[Edit]) -> list[list[Any]]:
    return [
        [
            e.path,
            e.tree.to_json() if e.tree else None,
            dataclasses.astuple(e.entry) if e.entry else None,
            e.owner,
            e.name,
        ]
        for e in edits
    ]


def main() -> int:
    """Inside the user namespace: mount, perform the request of standard input, print the answer."""
    mount = json.loads(sys.argv[1])
    request = json.load(sys.stdin)
    try:
        root = Path(subprocess.run(mount, check=True, capture_output=True, text=True).stdout.strip())
        print(json.dumps(perform(request, root)))
    except MissingPathError:
        return MISSING
    except DaggerPodmanError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(error.stderr.strip(), file=sys.stderr)
        return 1
    finally:
        subprocess.run([word.replace("mount", "unmount") for word in mount], capture_output=True, check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
