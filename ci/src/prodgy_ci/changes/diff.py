"""Which paths differ between two commits, or between a commit and the files of a work tree."""

import hashlib
import os
import stat
from pathlib import Path

from .git import Git, GitError

_FLAGS = ("-z", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv")


def between(git: Git, base: str, head: str) -> dict[str, str]:
    """Path to status letter, in the paths' order; a rename is a deletion and an addition, a submodule is one path."""
    text = git.run("diff-tree", "-r", "--name-status", *_FLAGS, "--ignore-submodules=none", base, head, "--")
    fields = _fields(text)
    if len(fields) % 2:
        raise GitError("git diff-tree printed half a change")
    return dict(sorted(zip(fields[1::2], fields[::2], strict=True)))


def with_work_tree(git: Git, base: str) -> dict[str, str]:
    """As `between`, from a commit to the files as they lie in the work tree, untracked ones included.

    Files are compared as they lie there: no filter that the checkout configures is run on them.
    """
    top = git.work_tree
    if top is None:
        raise GitError("there is no work tree")
    git = git.without_filters()
    fields = _fields(git.run("diff-index", "--raw", "--no-abbrev", *_FLAGS, "--ignore-submodules=dirty", base, "--"))
    changes = {
        path: entry.rpartition(" ")[2]
        for entry, path in zip(fields[::2], fields[1::2], strict=True)
        if not _only_touched(top / path, entry)
    }
    for path in _fields(git.run("ls-files", "-z", "--others", "--exclude-standard", "--full-name")):
        name = path.rstrip("/")
        changes[name] = "M" if name in changes else "A"
    return dict(sorted(changes.items()))


def _fields(output: bytes) -> list[str]:
    """The fields that NUL ends; any byte may stand in a name."""
    if output and not output.endswith(b"\0"):
        raise GitError("git printed an unfinished list of paths")
    return output.decode("utf-8", "surrogateescape").split("\0")[:-1]


def _only_touched(file: Path, entry: str) -> bool:
    """Whether git reports a file, by its time alone, whose content is the commit's."""
    old_mode, new_mode, old_id, new_id, status = entry.removeprefix(":").split(" ")
    if status != "M" or old_mode != new_mode or new_id.strip("0"):
        return False
    try:
        if stat.S_ISLNK(file.lstat().st_mode):
            content = os.fsencode(os.readlink(file))
        else:
            content = file.read_bytes()
    except OSError:
        return False
    kind = hashlib.sha1 if len(old_id) == 40 else hashlib.sha256
    return kind(b"blob %d\0" % len(content) + content).hexdigest() == old_id
