"""How commits relate: ancestors, merge bases, and asking the remote for what a shallow clone lacks."""

from ..errors import UndeterminedError
from .git import Git, GitError
from .objects import Commit, Objects

FIRST_STEP = 64
"""Commits by which a shallow clone is deepened at first; each further step doubles it."""

ADVICE = (
    'let the pipeline clone the whole history: `fetchDepth: "0"` below `- checkout: self` '
    "(and `fetchFilter: blob:none` to keep that quick); at a desk: `git fetch --unshallow`"
)


class History:
    """The history of a repository, as complete as an answer needs it."""

    def __init__(self, git: Git, objects: Objects) -> None:
        self._git = git
        self._objects = objects
        self._step = FIRST_STEP
        self._distances: dict[tuple[str, str], tuple[int, int]] = {}

    def find(self, name: str) -> Commit | None:
        """A commit, asked of the remote if the clone lacks it; None where it is gone for good.

        Raises UndeterminedError where the clone is shallow and the remote cannot be asked.
        """
        commit = self._objects.commit(name)
        while commit is None and self._boundary():
            self._deepen(["HEAD"])
            commit = self._objects.commit(name)
        if commit is None and name.strip("0123456789abcdef") == "" and len(name) in (40, 64):
            try:
                self._fetch([name])
            except GitError:
                return None
            commit = self._objects.commit(name)
        return commit

    def branch(self, ref: str) -> list[Commit]:
        """The tips of a branch given by its full ref: the remote's as last fetched, the local one; else asked for."""
        names = (self._tracking(ref), ref)
        tips = [commit for commit in (self._objects.commit(name) for name in names if name) if commit]
        return tips or self._remote_tip(ref)

    def distance(self, base: Commit, head: Commit) -> tuple[int, int]:
        """How many commits only the base has, and how many only the head has."""
        pair = (base.id, head.id)
        if pair not in self._distances:
            self._complete(base, head)
            counts = self._git.run("rev-list", "--count", "--left-right", f"{base.id}...{head.id}", "--")
            left, right = counts.split()
            self._distances[pair] = int(left), int(right)
        return self._distances[pair]

    def merge_bases(self, one: Commit, other: Commit) -> list[str]:
        """The best common ancestors, in git's order."""
        self._complete(one, other)
        return self._git.run("merge-base", "--all", one.id, other.id, accept=(0, 1)).decode().split()

    def holds(self, branch: Commit, commit: Commit) -> bool:
        """Whether a branch's history holds the commit."""
        return commit.id == branch.id or self.distance(commit, branch)[0] == 0

    def _complete(self, one: Commit, other: Commit) -> None:
        """In a shallow clone: deepens until nothing is cut off between the two, so that its depth decides nothing."""
        while boundary := self._boundary():
            between = self._git.run("rev-list", f"{one.id}...{other.id}", "--").decode().split()
            if boundary.isdisjoint(between):
                return
            self._deepen([one.id, other.id])

    def _boundary(self) -> frozenset[str]:
        """The commits whose parents a shallow clone lacks; empty in a full one."""
        shallow = self._git.common / "shallow"
        return frozenset(shallow.read_text().split()) if shallow.is_file() else frozenset()

    def _deepen(self, wanted: list[str]) -> None:
        """Only ever called on a shallow clone: a depth would make a full one shallow."""
        before = self._boundary()
        depth = f"--deepen={self._step}"
        self._step *= 2
        try:
            self._fetch(self._ids(wanted), depth)
        except GitError:
            try:
                self._fetch(self._tracked(), depth)
            except GitError as error:
                raise UndeterminedError(f"the clone is shallow and could not be deepened ({error}); {ADVICE}") from None
        if self._boundary() == before:
            raise UndeterminedError(f"the clone is shallow and its remote gives no more history; {ADVICE}")

    def _fetch(self, wanted: list[str], *options: str) -> None:
        self._git.fetch(*options, wanted=wanted)

    def _ids(self, names: list[str]) -> list[str]:
        return [commit.id for commit in map(self._objects.commit, names) if commit]

    def _tracked(self) -> list[str]:
        """What the remote had when it was last asked: other than a commit of the clone alone, it can be asked for."""
        listed = self._git.run("for-each-ref", "--format=%(objectname)", f"refs/remotes/{self._git.remote}/")
        tips = sorted(set(listed.decode().split()))
        if not tips:
            raise GitError("the clone follows no branch of the remote")
        return tips

    def _tracking(self, ref: str) -> str | None:
        branch = ref.removeprefix("refs/heads/")
        known = branch != ref and self._git.remote
        return f"refs/remotes/{self._git.remote}/{branch}" if known else None

    def _remote_tip(self, ref: str) -> list[Commit]:
        if self._git.remote is None:
            return []
        try:
            listed = self._git.online().run(
                "ls-remote", "--quiet", "--upload-pack=git-upload-pack", "--", self._git.remote, ref
            )
        except GitError:
            return []
        ids = [line.split("\t")[0] for line in listed.decode().splitlines() if line.endswith(f"\t{ref}")]
        return [commit for commit in map(self.find, ids) if commit]
