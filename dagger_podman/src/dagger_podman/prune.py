"""Bounds what is kept across runs, by age and by size."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import PodmanError, UsageError
from .files import MTIME
from .host import podman_environment
from .podman import IMAGES, LABEL, Podman
from .store import Store, default_folder, sessions_folder

KINDS = (
    *("blobs", "exec", "functions", "images", "nodes", "pulled", "read", "runtimes", "schemas", "stat"),
    *("trees", "types", "tmp"),
)
SHORT = 11
"""Letters of an image's id in a build's output."""
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


async def run(argv: list[str]) -> int:
    """`prune [--older-than DAYS] [--keep-size SIZE] [--all]`."""
    parser = argparse.ArgumentParser("dagger-podman prune", description=__doc__)
    parser.add_argument(
        "--older-than", type=float, default=7.0, metavar="DAYS", help="remove what was not used for so long"
    )
    parser.add_argument(
        "--keep-size", default="20g", metavar="SIZE", help="then the oldest, until this is left (e.g. 500m)"
    )
    parser.add_argument("--all", action="store_true", help="remove everything, cache volumes and stand-ins too")
    options = parser.parse_args(argv)
    keep = _bytes(options.keep_size)
    if not options.older_than >= 0:  # nor "nan", which is no number
        raise UsageError(f"--older-than {options.older_than:g}: a number of days of at least 0 is needed")
    store = Store(default_folder())
    podman = Podman(podman_environment(store.folder))
    if in_use(store):
        raise UsageError("another dagger-podman is running on this cache; prune when it has ended")
    before = disk_usage(store.folder)
    age = -1.0 if options.all else options.older_than * 86400
    limit = 0 if options.all else keep
    removed = prune_files(store, age, limit)
    images = await prune_images(podman, set() if options.all else referenced_images(store), options.all)
    images += await prune_steps(podman, store)
    volumes = await _volumes(podman) if options.all else []
    if volumes:
        await podman("volume", "rm", "-f", *volumes)
    freed = (before - disk_usage(store.folder)) / (1 << 20)
    print(f"removed {removed} entries ({freed:.1f} MiB), {images} images, {len(volumes)} cache volumes")
    return 0


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)\s*([kmgt]?)(?:i?b)?", text.strip().lower())
    if not match:
        raise UsageError(f"--keep-size {text!r} is no size; write for example 500m or 20g")
    return int(match[1]) * UNITS[match[2]]


def in_use(store: Store) -> bool:
    """Whether a session lives on this cache: it holds the lock of its file."""
    for path in sessions_folder().iterdir():
        with contextlib.suppress(FileNotFoundError), path.open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def disk_usage(folder: Path) -> int:
    return sum(p.stat().st_size for p in _files(folder))


def prune_files(store: Store, age: float, limit: int) -> int:
    """Remove entries and blobs not used for `age` seconds, then the oldest beyond `limit` bytes. A lost entry is made anew."""
    found = [(p.stat().st_mtime, p.stat().st_size, p) for kind in KINDS for p in _files(store.folder / kind)]
    total, now, removed = sum(size for _, size, _ in found), time.time(), 0
    for used, size, path in sorted(found):
        if now - used <= age and total <= limit:
            break
        path.unlink(missing_ok=True)
        total, removed = total - size, removed + 1
    return removed


def referenced_images(store: Store) -> set[str]:
    """The images that a kept entry leads to."""
    found: set[str] = set()
    for kind in ("exec", "images", "pulled"):
        for path in _files(store.folder / kind):
            value = store.read(kind, path.stem, touch=False)
            found.add(str(value.get("image") if isinstance(value, dict) else value))
    return found


async def prune_images(podman: Podman, keep: set[str], stand_ins: bool) -> int:
    """Remove images under our names that nothing leads to; Podman removes their unnamed parents with them."""
    kinds = ("cache", "build", "stand-in/*") if stand_ins else ("cache", "build")
    listed = await _listed(podman, *(f"reference={IMAGES}/{kind}" for kind in kinds))
    ours = tuple(f"{IMAGES}/{kind.rstrip('*')}" for kind in kinds)
    names = [n for i in listed if i["Id"] not in keep for n in i.get("Names") or () if n.startswith(ours)]
    if not names:
        return 0
    done = await podman.run("rmi", "-f", *names)
    return sum(line.startswith(b"Untagged:") for line in done.stdout.splitlines())


async def prune_steps(podman: Podman, store: Store) -> int:
    """Remove what Podman keeps, unnamed, of the steps of builds whose images were removed."""
    gone: dict[str, set[str]] = {}
    kept: set[str] = set()
    for path in _files(store.folder / "steps"):
        ids = {one[:SHORT] for one in store.read("steps", path.stem) or ()}
        if store.read("images", path.stem, touch=False):
            kept |= ids
        else:
            gone[path.stem] = ids
    wanted = set().union(*gone.values()) - kept
    unnamed = (i for i in await _listed(podman, "dangling=true") if not i.get("Names"))
    # Ours alone have this date: a build may have found somebody else's image of a step, or printed its id.
    found = {i["Id"] for i in unnamed if i["Id"][:SHORT] in wanted and i["Created"] == MTIME}
    if found:
        await podman.run("rmi", *found)  # an image goes with its parents, and then they are not found
    for key in gone:
        store.forget("steps", key)
    return len(found)


async def _listed(podman: Podman, *filters: str) -> list[dict[str, Any]]:
    """The images that fit any of the filters. Without `--all` Podman compares each image with each other one."""
    options = [word for one in filters for word in ("--filter", one)]
    try:
        found: list[dict[str, Any]] = json.loads(await podman("images", "--all", *options, "--format", "json") or "[]")
    except PodmanError as error:
        if damaged := re.search(r'image with ID "(\w+)"', error.stderr):
            raise UsageError(f"Podman cannot list its images: one is damaged; podman rmi -f {damaged[1]}") from None
        raise
    return found


async def _volumes(podman: Podman) -> list[str]:
    return (await podman("volume", "ls", "-q", "--filter", f"label={LABEL}=true")).split()
