"""Changeset, and patches: what git says of two directories, and makes of one."""

from __future__ import annotations

import dataclasses
import os

from .. import exporting, tree
from ..fields import computed, field
from ..files import write_out
from ..git import git, worked_on
from ..session import Session
from ..tree import Entry, Tree
from ..values import Changeset, FileValue, new_file

C = "Changeset"


@dataclasses.dataclass(frozen=True)
class DiffStat:
    path: str
    kind: str
    added: int = 0
    removed: int = 0
    old_path: str | None = None


def _with_changes(d: Tree, changes: Changeset) -> Tree:
    """What the changeset removes goes first: a folder of the same name as a new file would take its place."""
    paths = tree.changes(*changes)
    gone = tuple(f"{tree.resolve(d, path, last=False)}/" for path in paths[2])
    kept = Tree({p: e for p, e in d.entries.items() if not f"{p}/".startswith(gone)})
    return tree.with_tree(kept, "", tree.diff(*changes)) if any(paths) else d


def _kinds(c: Changeset) -> dict[str, str]:
    """How each path changes; of a folder that is removed also what was in it."""
    added, modified, _ = tree.changes(*c)
    removed = dict.fromkeys(tree.missing(*c), "REMOVED")
    return removed | dict.fromkeys(added, "ADDED") | dict.fromkeys(modified, "MODIFIED")


computed("Directory", changes=lambda d, from_: Changeset(from_, d), withChanges=_with_changes)
computed(C, after=lambda c: c.after, before=lambda c: c.before, layer=lambda c: tree.diff(*c), sync=lambda c: None)
computed(C, addedPaths=lambda c: tree.changes(*c)[0], modifiedPaths=lambda c: tree.changes(*c)[1])
computed(C, removedPaths=lambda c: tree.changes(*c)[2], isEmpty=lambda c: all(p.endswith("/") for p in _kinds(c)))
computed("DiffStat", kind=lambda s: s.kind, path=lambda s: s.path, oldPath=lambda s: s.old_path)
computed("DiffStat", addedLines=lambda s: s.added, removedLines=lambda s: s.removed)


@field("Directory")
async def with_patch(session: Session, d: Tree, patch: str) -> Tree:
    return await with_patch_file(session, d, new_file(session.store, "", patch))


@field("Directory")
async def with_patch_file(session: Session, d: Tree, patch: FileValue) -> Tree:
    text = session.store.read_blob(patch.entry.content)
    return await worked_on(session, d, lambda folder: git("apply", "--allow-empty", "-", cwd=folder, stdin=text))


async def _diff(session: Session, c: Changeset, *options: str) -> bytes:
    """What git says of the files that differ; the others are not even written to the disk."""
    with session.store.temporary_folder() as folder:
        write_out(session.store, tree.diff(c.after, c.before), folder / "a")
        write_out(session.store, tree.diff(c.before, c.after), folder / "b")
        return await git("diff", "--no-index", *options, "a", "b", cwd=folder, expected=(0, 1))


@field(C)
async def as_patch(session: Session, c: Changeset) -> FileValue:
    """With `--no-renames`: without prefixes git writes of a file that moved what its own `apply` does not understand."""
    patch = await _diff(session, c, "--binary", "--no-prefix", "--no-renames")
    return FileValue("diff.patch", Entry("file", 0o644, content=session.store.add_bytes(patch), size=len(patch)))


@field(C)
async def diff_stats(session: Session, c: Changeset) -> list[DiffStat]:
    stats = {path: DiffStat(path, kind) for path, kind in _kinds(c).items()}
    words = iter(os.fsdecode(await _diff(session, c, "--numstat", "-z")).split("\0"))
    for counts, old, new in zip(words, words, words, strict=False):
        added, removed, _ = (int(n) if n.isdigit() else 0 for n in counts.split("\t"))  # binary files have none
        before, path = old[2:], (old if new == "/dev/null" else new)[2:]
        if "/dev/null" not in (old, new) and before != path:
            del stats[before]
            stats[path] = DiffStat(path, "RENAMED", added, removed, before)
        elif path in stats:
            stats[path] = DiffStat(path, stats[path].kind, added, removed)
    return [stats[path] for path in sorted(stats)]


@field(C)
async def export(session: Session, c: Changeset, path: str) -> str:
    return await exporting.export(session, c, path)
