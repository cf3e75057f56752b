"""The cache gives back what was put in, or nothing: never something else."""

import errno
import io
from pathlib import Path

import pytest

from dagger_podman.store import Store, default_folder, told


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_an_entry_is_read_back(store: Store) -> None:
    store.write("exec", "abcdef", {"a": [1, "ü"]})
    assert store.read("exec", "abcdef") == {"a": [1, "ü"]}
    assert store.read("exec", "abc000") is None


@pytest.mark.parametrize("damage", [b"", b"x", b"\xff\xfe", b"0" * 64 + b"\n{}"])
def test_a_damaged_entry_counts_as_absent(store: Store, damage: bytes) -> None:
    store.write("exec", "abcdef", 1)
    next((store.folder / "exec").rglob("*.json")).write_bytes(damage)
    assert store.read("exec", "abcdef") is None
    store.write("exec", "abcdef", 2)
    assert store.read("exec", "abcdef") == 2


def test_a_blob_is_stored_once_under_its_digest(store: Store) -> None:
    digest, size = store.add_blob(io.BytesIO(b"content"))
    assert (store.add_bytes(b"content"), size) == (digest, 7)
    assert store.read_blob(digest) == b"content"


def test_a_damaged_blob_is_said_and_dropped(store: Store) -> None:
    digest = store.add_bytes(b"content")
    store.blob(digest).chmod(0o600)
    store.blob(digest).write_bytes(b"contenX")
    with pytest.raises(OSError, match="was damaged"):
        store.read_blob(digest)
    assert store.read_blob(store.add_bytes(b"content")) == b"content"


def test_the_hash_key_stays_the_same_and_is_private(store: Store) -> None:
    key = store.hash_key()
    assert Store(store.folder).hash_key() == key
    assert (store.folder / "hash-key").stat().st_mode & 0o077 == 0


def test_nothing_temporary_stays(store: Store) -> None:
    with store.temporary_folder() as folder:
        (folder / "x").write_text("x")
    store.write("exec", "abcdef", 1)
    assert list((store.folder / "tmp").iterdir()) == []


def test_an_error_of_the_system_is_told_with_its_file_and_what_mends_it() -> None:
    in_cache = str(default_folder() / "blobs" / "x")
    assert str(told(PermissionError(errno.EACCES, "Permission denied", "/x"))) == "/x: Permission denied"
    assert str(told(OSError(errno.ENOSPC, "No space left", in_cache))).endswith("cache folder in DAGGER_PODMAN_CACHE")
    assert "another cache folder" not in str(told(FileNotFoundError(errno.ENOENT, "No such file", in_cache)))
    assert str(told(TimeoutError())) == "TimeoutError()"
