"""What was not used for long goes first, then the oldest, until what is left is small enough."""

import os
import time
from pathlib import Path

import pytest

from dagger_podman.errors import UsageError
from dagger_podman.prune import _bytes, prune_files, referenced_images
from dagger_podman.store import Store

DAY = 86400.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three blobs of 1000 bytes, used one, five and ten days ago."""
    made = Store(tmp_path)
    for days in (1, 5, 10):
        path = tmp_path / "blobs" / str(days)
        path.write_bytes(b"x" * 1000)
        os.utime(path, (time.time() - days * DAY,) * 2)
    return made


def left(store: Store) -> list[int]:
    return sorted(int(path.name) for path in (store.folder / "blobs").iterdir())


@pytest.mark.parametrize(
    ("days", "limit", "expected"),
    [(7, 10_000, [1, 5]), (30, 10_000, [1, 5, 10]), (30, 1500, [1]), (0.5, 10_000, []), (30, 0, [])],
)
def test_age_and_size_bound_what_is_kept(store: Store, days: float, limit: int, expected: list[int]) -> None:
    removed = prune_files(store, days * DAY, limit)
    assert left(store) == expected
    assert removed == 3 - len(expected)


def test_the_images_of_kept_entries_are_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("exec", "a" * 64, {"image": "one"})
    store.write("images", "b" * 64, "two")
    assert referenced_images(store) == {"one", "two"}


@pytest.mark.parametrize(("text", "size"), [("500m", 500 << 20), ("20g", 20 << 30), ("7", 7), ("1 GiB", 1 << 30)])
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert _bytes(text) == size


def test_what_is_no_size_is_refused() -> None:
    with pytest.raises(UsageError, match="write for example 500m"):
        _bytes("much")
