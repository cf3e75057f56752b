"""GitRepository and GitRef: the repository that a directory holds."""

from __future__ import annotations

import asyncio
import fnmatch
import posixpath
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .. import tree
from ..errors import DaggerPodmanError, NotAvailableError
from ..fields import computed, field
from ..files import ingest, write_out
from ..git import git, worked_on
from ..session import Session
from ..tree import Tree
from ..values import Changeset

DATA = ("HEAD", "index", "info", "objects", "packed-refs", "refs", "shallow")
"""What a repository consists of beside settings and hooks, which could make the host's git run programs."""
COMMIT = re.compile(r"[0-9a-f]{40}")
NUMBER = r"(0|[1-9]\d*)"
NUMBERS = rf"v{NUMBER}(?:\.{NUMBER}(?:\.{NUMBER}(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?)?)?"


@dataclass(frozen=True)
class Repository:
    directory: Tree
    data: Tree
    names: Mapping[str, tuple[str, str]]
    """Each with its commit, and the name that it stands for, as HEAD does for a branch."""


@dataclass(frozen=True)
class Ref:
    repository: Repository
    commit: str
    name: str = ""


def _ref(r: Repository, name: str) -> Ref:
    """As `git checkout` takes a name: the name itself, then a branch, then a tag."""
    if COMMIT.fullmatch(name):
        return Ref(r, name)
    for full in (name, f"refs/{name}", f"refs/heads/{name}", f"refs/tags/{name}"):
        if full in r.names:
            return Ref(r, *r.names[full])
    raise DaggerPodmanError(f'repository does not contain ref "{name}"')


def _commit(r: Repository, id: str) -> Ref:
    if not COMMIT.fullmatch(id):
        raise DaggerPodmanError(f'invalid commit SHA: "{id}"')
    return Ref(r, id)


def _listed(r: Repository, start: str, patterns: Sequence[str] = ()) -> list[str]:
    """A pattern is of the end of a name, from any slash on."""
    wanted = [f"*/{p.replace('[^', '[!')}" for p in patterns] or ["*"]
    found = [name for name in r.names if any(fnmatch.fnmatchcase(f"/{name}", w) for w in wanted)]
    return [name.removeprefix(start) for name in found if name.startswith(start)]


def _latest(r: Repository) -> Ref:
    """The tag of the highest version; one before a release is lower than the release."""

    def order(found: re.Match[str]) -> tuple[Any, ...]:
        before = [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in (found[4] or "").split(".")]
        return (*(int(n or 0) for n in found.groups()[:3]), not found[4], before, found[0])

    versions = [found for tag in _listed(r, "refs/tags/") if (found := re.fullmatch(NUMBERS, tag))]
    if not versions:
        raise DaggerPodmanError("no valid semver tags found")
    return _ref(r, f"refs/tags/{max(versions, key=order)[0]}")


R = "GitRepository"
computed(R, branch=lambda r, name: _ref(r, f"refs/heads/{name.removeprefix('refs/heads/')}"))
computed(R, branches=lambda r, patterns=(): _listed(r, "refs/heads/", patterns))
computed(R, tag=lambda r, name: _ref(r, f"refs/tags/{name.removeprefix('refs/tags/')}"))
computed(R, tags=lambda r, patterns=(): _listed(r, "refs/tags/", patterns))
computed(R, commit=_commit, head=lambda r: _ref(r, "HEAD"), latestVersion=_latest, ref=_ref, url=lambda r: None)
computed("GitRef", commit=lambda ref: ref.commit, ref=lambda ref: ref.name or ref.commit)


@field("Directory", note="a repository that begins above the directory is not found; of its settings none counts")
async def as_git(session: Session, d: Tree) -> Repository:
    data = _data(d)
    names: dict[str, tuple[str, str]] = {}
    links = {}
    with session.store.temporary_folder() as folder:
        await asyncio.to_thread(write_out, session.store, data, folder / ".git")
        told = await git("ls-remote", "--symref", ".", cwd=folder)
    for line in told.decode().splitlines():
        value, _, name = line.removesuffix("^{}").partition("\t")  # of an annotated tag the commit comes last
        if value.startswith("ref: "):
            links[name] = value.removeprefix("ref: ")
        else:
            names[name] = value, links.get(name, name)
    return Repository(d, data, names)


def _data(d: Tree) -> Tree:
    """The repository in a directory, or the bare one that it is; nothing in it leads out of it."""
    for at in (".git", ""):
        found = [d.entries.get(posixpath.join(at, name)) for name in ("HEAD", "objects", "refs")]
        if [entry and entry.kind for entry in found] == ["file", "directory", "directory"]:
            data = tree.filtered(tree.subtree(d, at), DATA, ("objects/info/*alternates",))
            return Tree({p: e for p, e in data.entries.items() if e.kind != "symlink"})
    raise DaggerPodmanError("fatal: not a git repository (or any of the parent directories): .git")


@field("GitRef", "tree", note="no submodules", ignores=("includeTags",))
async def checked_out(session: Session, ref: Ref, discard_git_dir: bool = False, depth: int = 1) -> Tree:
    with session.store.temporary_folder() as above:
        source, folder = above / "source", above / "tree"
        await asyncio.to_thread(write_out, session.store, ref.repository.data, source / ".git")
        folder.mkdir()
        run = partial(git, cwd=folder)
        await run("init", "-b", "main")
        limit = [f"--depth={depth}"] if depth > 0 else []
        await run("fetch", "-u", "--no-auto-gc", *limit, f"file://{source}", f"{ref.commit}:refs/dagger.tmp/fetched")
        if ref.name:
            await run("update-ref", ref.name, ref.commit)
        # Not `checkout`, to which a branch's name may be an option.
        is_branch = ref.name.startswith("refs/heads/")
        await run(
            *(["symbolic-ref", "HEAD", ref.name] if is_branch else ["update-ref", "--no-deref", "HEAD", ref.commit])
        )
        await run("reset", "--hard", ref.commit)
        if await run("submodule", "status"):
            raise NotAvailableError("GitRef.tree of a repository with submodules")
        await run("update-ref", "-d", "refs/dagger.tmp/fetched")
        await run("reflog", "expire", "--all", "--expire=now")
        await run("read-tree", "HEAD")  # an index without the times of files
        (folder / ".git/FETCH_HEAD").unlink(missing_ok=True)
        if discard_git_dir:
            shutil.rmtree(folder / ".git")
        return await asyncio.to_thread(ingest, session.store, folder)


@field("GitRef")
async def common_ancestor(session: Session, ref: Ref, other: Ref) -> Ref:
    with session.store.temporary_folder() as above:
        mine, theirs = above / "mine", above / "theirs"
        await asyncio.to_thread(write_out, session.store, ref.repository.data, mine / ".git")
        await asyncio.to_thread(write_out, session.store, other.repository.data, theirs / ".git")
        await git("fetch", "--no-tags", "--no-auto-gc", f"file://{theirs}", other.commit, cwd=mine)
        found = await git("merge-base", ref.commit, other.commit, cwd=mine)
    return Ref(ref.repository, found.decode().strip())


@field(R)
async def uncommitted(session: Session, r: Repository) -> Changeset:
    """What is not as in HEAD; of new files those that are not ignored."""
    d = r.directory
    if ".git" not in d.entries:
        return Changeset(d, d)
    inner = [posixpath.dirname(p) for p in d.entries if posixpath.basename(p) == ".git"]

    async def clean(folder: Path) -> None:
        await asyncio.to_thread(write_out, session.store, r.data, folder / ".git")
        await git("restore", "--staged", "--worktree", ".", cwd=folder)
        await git("clean", "-fd", *(f"--exclude=/{path}" for path in inner if path), cwd=folder)
        shutil.rmtree(folder / ".git")

    return Changeset(await worked_on(session, d, clean), d)
