"""The cache folder: results by key, file contents by digest, and who is using it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .errors import DaggerPodmanError, UsageError, concerning


def default_folder() -> Path:
    """`DAGGER_PODMAN_CACHE`, else `dagger-podman` in the user's cache folder."""
    named = os.environ.get("DAGGER_PODMAN_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(named) if named else Path(base) / "dagger-podman"


def told(error: DaggerPodmanError | OSError | UnicodeError) -> DaggerPodmanError:
    """An error as the user reads it. One of the system names the file, and what to do where that is the cache's."""
    if isinstance(error, DaggerPodmanError):
        return error
    if not isinstance(error, OSError) or not error.strerror:
        return UsageError(str(error) or repr(error))
    file = str(error.filename2 or error.filename or "")
    cache = str(default_folder())
    refused = file == cache or (file.startswith(f"{cache}/") and error.errno not in (errno.ENOENT, errno.EIO))
    hint = "; name another cache folder in DAGGER_PODMAN_CACHE" if refused else ""
    return UsageError(f"{file}: {error.strerror}{hint}".removeprefix(": "))


def sessions_folder() -> Path:
    """Where each live session holds a lock file: one folder for all of a user's sessions, whatever cache they use."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    folder = Path(base) / "dagger-podman" / "sessions"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def digest_of(value: Any) -> str:
    """The SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def remove_temporary(folder: Path, owner: str) -> None:
    """Remove the temporary files that a session left in a cache folder."""
    for path in (folder / "tmp").glob(f"{owner}-*"):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


class Store:
    """Entries are written whole or not at all; one that does not match its own checksum counts as absent."""

    owner = ""
    """The session whose temporary files these are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with concerning(folder):
            for name in ("blobs", "tmp"):
                (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    # --- entries: small JSON values by kind and key ----------------------------------------------
    def _entry(self, kind: str, key: str) -> Path:
        return self.folder / kind / key[:2] / f"{key}.json"

    def read(self, kind: str, key: str, touch: bool = True) -> Any | None:
        path = self._entry(kind, key)
        try:
            checksum, _, body = path.read_text().partition("\n")
        except (OSError, UnicodeDecodeError):
            return None
        if hashlib.sha256(body.encode()).hexdigest() != checksum:
            path.unlink(missing_ok=True)
            return None
        if touch:
            with contextlib.suppress(OSError):
                os.utime(path)  # prune goes by last use
        return json.loads(body)

    def write(self, kind: str, key: str, value: Any) -> None:
        body = json.dumps(value, separators=(",", ":"))
        path = self._entry(kind, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.temporary_file() as (file, name):
            file.write(f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}".encode())
            file.close()
            os.replace(name, path)

    def forget(self, kind: str, key: str) -> None:
        self._entry(kind, key).unlink(missing_ok=True)

    # --- blobs: file contents by SHA-256 -----------------------------------------------------------
    def blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest[:2] / digest

    def add_blob(self, source: BinaryIO) -> tuple[str, int]:
        """Store what `source` yields; return its digest and size."""
        sha, size = hashlib.sha256(), 0
        with self.temporary_file() as (file, name):
            while chunk := source.read(1 << 20):
                sha.update(chunk)
                size += len(chunk)
                file.write(chunk)
            file.close()
            path = self.blob(sha.hexdigest())
            if not path.exists() or path.stat().st_size != size:
                path.parent.mkdir(parents=True, exist_ok=True)
                os.chmod(name, 0o444)
                os.replace(name, path)
        return sha.hexdigest(), size

    def add_bytes(self, content: bytes) -> str:
        path = self.blob(hashlib.sha256(content).hexdigest())
        if not path.exists() or path.stat().st_size != len(content):
            self.add_blob(io.BytesIO(content))
        return path.name

    def has_blobs(self, digests: Iterable[str]) -> bool:
        """Whether all are there; they count as used now."""
        try:
            for digest in digests:
                os.utime(self.blob(digest))
        except FileNotFoundError:
            return False
        return True

    def read_blob(self, digest: str) -> bytes:
        content = self.blob(digest).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            self.blob(digest).unlink(missing_ok=True)
            raise OSError(f"cache entry {digest[:12]} was damaged and is dropped; run the command again")
        return content

    # --- temporary files ----------------------------------------------------------------------------
    @contextlib.contextmanager
    def temporary_file(self) -> Iterator[tuple[BinaryIO, str]]:
        handle, name = tempfile.mkstemp(dir=self.folder / "tmp", prefix=f"{self.owner}-")
        with os.fdopen(handle, "wb") as file:
            try:
                with concerning(self.folder):
                    yield file, name
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)

    @contextlib.contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(dir=self.folder / "tmp", prefix=f"{self.owner}-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    # --- locks and secrets ---------------------------------------------------------------------------
    @contextlib.asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Hold a lock that other processes on this cache respect; gone with the process that holds it."""
        path = self.folder / "locks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.05)
            yield

    def hash_key(self) -> bytes:
        """A random key of this cache, so that what is derived from a secret cannot be guessed from outside."""
        path = self.folder / "hash-key"
        with contextlib.suppress(FileNotFoundError):
            return path.read_bytes()
        with self.temporary_file() as (file, name):
            file.write(secrets.token_bytes(32))
            file.close()
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
        return path.read_bytes()
