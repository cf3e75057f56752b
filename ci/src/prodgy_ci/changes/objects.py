"""Reads commits, folders and files of a repository, through one git process for all of them."""

import os
from types import TracebackType
from typing import NamedTuple

from .git import Git, GitError

FOLDERS = frozenset({"40000", "120000", "160000"})
"""The modes of what may hold files: a folder, a link to one, a submodule."""


class Commit(NamedTuple):
    id: str
    tree: str
    parents: tuple[str, ...]
    seconds: int
    """When it was committed, since 1970."""


class Objects:
    """Answers from the object store; what is not there is None for a name and a GitError for an id found elsewhere."""

    def __init__(self, git: Git) -> None:
        self._process = git.start("cat-file", "--batch")
        self._trees: dict[str, dict[str, tuple[str, str]]] = {}
        self._commits: dict[str, Commit] = {}

    def __enter__(self) -> "Objects":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        self._process.kill()
        self._process.wait()

    def commit(self, name: str) -> Commit | None:
        """The commit of an id or a ref whose form has been checked."""
        if name in self._commits:
            return self._commits[name]
        found = self._ask(f"{name}^{{commit}}")
        if found is None:
            return None
        header = found[1].partition(b"\n\n")[0].decode(errors="replace").split("\n")
        fields = [line.partition(" ") for line in header if not line.startswith(" ")]
        tree = next((value for key, _, value in fields if key == "tree"), "")
        parents = tuple(value for key, _, value in fields if key == "parent")
        committer = next((value for key, _, value in fields if key == "committer"), "")
        seconds = committer.rpartition("> ")[2].split(" ")[0]
        commit = Commit(found[0], tree, parents, int(seconds) if seconds.isdecimal() else 0)
        self._commits[name] = self._commits[commit.id] = commit
        return commit

    def file(self, commit: Commit, path: str) -> bytes | None:
        """The content of a file of a commit; None where there is none."""
        entry = self._entry(commit, path)
        if entry is None or entry[0] in FOLDERS:
            return None
        return self._content(entry[1])

    def has_folder(self, commit: Commit, path: str) -> bool:
        entry = self._entry(commit, path)
        return entry is not None and entry[0] in FOLDERS

    def _entry(self, commit: Commit, path: str) -> tuple[str, str] | None:
        """Mode and id, step by step from the top, so that a missing folder object is not taken for a missing path."""
        *folders, name = path.split("/")
        tree = commit.tree
        for folder in folders:
            mode, tree = self._tree(tree).get(folder, ("", ""))
            if mode in FOLDERS - {"40000"}:
                return mode, tree  # a submodule or link, and what lies in it is not told here
            if mode != "40000":
                return None
        return self._tree(tree).get(name)

    def _tree(self, tree: str) -> dict[str, tuple[str, str]]:
        if tree not in self._trees:
            self._trees[tree] = dict(_entries(self._content(tree), len(tree) // 2))
        return self._trees[tree]

    def _content(self, id: str) -> bytes:
        found = self._ask(id)
        if found is None:
            raise GitError(f"the repository lacks the object {id}; it is damaged or a partial clone")
        return found[1]

    def _ask(self, name: str) -> tuple[str, bytes] | None:
        source, answer = self._process.stdin, self._process.stdout
        if source is None or answer is None:
            raise GitError("git cat-file was not started with pipes")
        try:
            source.write(os.fsencode(name) + b"\n")
            source.flush()
        except BrokenPipeError:
            raise self._ended() from None
        header = answer.readline()
        if not header.endswith(b"\n"):
            raise self._ended()
        if header.endswith((b" missing\n", b" ambiguous\n")):
            return None
        id, _, size = header.decode().split()
        content = answer.read(int(size) + 1)
        if len(content) != int(size) + 1:
            raise self._ended()
        return id, content[:-1]

    def _ended(self) -> GitError:
        told = self._process.communicate()[1].decode(errors="backslashreplace").strip()
        return GitError(f"git cat-file failed ({self._process.returncode}): {told}")


def _entries(content: bytes, id_bytes: int) -> list[tuple[str, tuple[str, str]]]:
    """Name, mode and id of each entry of a tree object."""
    entries = []
    at = 0
    while at < len(content):
        space, end = content.index(b" ", at), content.index(b"\0", at)
        mode, name = content[at:space].decode(), content[space + 1 : end].decode(errors="surrogateescape")
        at = end + 1 + id_bytes
        entries.append((name, (mode, content[end + 1 : at].hex())))
    return entries
