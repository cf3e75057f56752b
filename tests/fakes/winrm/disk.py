"""A disk of Windows in memory: paths in any case, renames that are all or nothing, files that are in use."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime


def parent(path: str) -> str:
    return path.rpartition("\\")[0]


def name(path: str) -> str:
    return path.rpartition("\\")[2]


@dataclass
class Entry:
    """A file, or a folder, which has no content."""

    path: str
    content: bytes | None
    created: datetime


@dataclass
class Disk:
    """`disk[path]` is a file's content; writing one makes its folders."""

    now: Callable[[], datetime]
    in_use: Callable[[str], bool] = lambda path: False
    """Whether a program runs in the folder, which then cannot be renamed."""
    free: int = 10**11
    held: dict[str, int] = field(default_factory=dict)
    """Paths of which so many renames fail: a virus scanner looks at them."""
    _entries: dict[str, Entry] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __getitem__(self, path: str) -> bytes:
        entry = self._entries.get(path.casefold())
        if entry is None or entry.content is None:
            raise FileNotFoundError(f"Could not find file '{path}'.")
        return entry.content

    def __setitem__(self, path: str, content: bytes) -> None:
        with self._lock:
            self.make_folder(parent(path))
            old = self._entries.get(path.casefold())
            self._entries[path.casefold()] = Entry(path, content, old.created if old else self.now())

    def __contains__(self, path: str) -> bool:
        entry = self._entries.get(path.casefold())
        return entry is not None and entry.content is not None

    def __iter__(self) -> Iterator[str]:
        """The files' paths."""
        return iter([entry.path for entry in list(self._entries.values()) if entry.content is not None])

    def has_folder(self, path: str) -> bool:
        entry = self._entries.get(path.casefold())
        return entry is not None and entry.content is None

    def make_folder(self, path: str) -> None:
        with self._lock:
            while path and not self.has_folder(path):
                self._entries[path.casefold()] = Entry(path, None, self.now())
                path = parent(path)

    def created(self, path: str) -> datetime:
        return self._entries[path.casefold()].created

    def files(self, folder: str) -> list[str]:
        """The files directly in it."""
        return [path for path in self if parent(path).casefold() == folder.casefold()]

    def folders(self, folder: str) -> list[str]:
        """The folders directly in it."""
        entries = [entry for entry in list(self._entries.values()) if entry.content is None]
        return [entry.path for entry in entries if parent(entry.path).casefold() == folder.casefold()]

    def tree(self, folder: str) -> dict[str, bytes]:
        """All files below it, by their path in it."""
        start = f"{folder}\\".casefold()
        return {path[len(start) :]: self[path] for path in self if path.casefold().startswith(start)}

    def delete(self, path: str) -> None:
        """Removes a file, or a folder with all in it; nothing where there is none."""
        with self._lock:
            if self.in_use(path):
                raise PermissionError(f"The process cannot access the file '{path}' because it is being used.")
            start = f"{path}\\".casefold()
            gone = [key for key in self._entries if key == path.casefold() or key.startswith(start)]
            for key in gone:
                del self._entries[key]

    def rename(self, old: str, new: str) -> None:
        """Raises OSError where the new name is taken, or something holds the old one."""
        with self._lock:
            if self.held.get(old, 0) > 0:
                self.held[old] -= 1
                raise PermissionError(f"Access to the path '{old}' is denied.")
            if self.in_use(old):
                raise PermissionError(f"The process cannot access the file '{old}' because it is being used.")
            if new.casefold() in self._entries:
                raise FileExistsError(f"Cannot create '{new}' because a file or directory with the same name exists.")
            if old.casefold() not in self._entries:
                raise FileNotFoundError(f"Could not find a part of the path '{old}'.")
            self.make_folder(parent(new))
            start = f"{old}\\".casefold()
            moved = [key for key in self._entries if key == old.casefold() or key.startswith(start)]
            for key in moved:
                entry = self._entries.pop(key)
                entry.path = new + entry.path[len(old) :]
                self._entries[entry.path.casefold()] = entry
