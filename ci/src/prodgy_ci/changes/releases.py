"""Whether a release tag's commit has been on a branch that is deployed."""

from ..errors import InputError, UndeterminedError
from .git import Git
from .history import ADVICE, History
from .objects import Commit
from .rulebook import Rulebook


def refuse_unmerged(git: Git, history: History, book: Rulebook, tag: str, head: Commit) -> None:
    """Raises InputError for a tag whose commit is on no branch that stands for an environment.

    Raises UndeterminedError where the clone lacks such a branch and none of the others holds the commit.
    """
    wanted = [e for e in book.environments if e.ref.startswith("refs/heads/")]
    holding = _branches(git, f"--contains={head.id}")
    if not wanted or any(e.matches(branch) for e in wanted for branch in holding):
        return
    present = [branch for branch in _branches(git) if any(e.matches(branch) for e in wanted)]
    missing = [e.ref for e in wanted if not e.ref.endswith("*") and e.ref not in present]
    tips = [tip for branch in (*present, *missing) for tip in history.branch(branch)]
    if any(history.holds(tip, head) for tip in tips):
        return
    listed = ", ".join(e.ref.removeprefix("refs/heads/") for e in wanted)
    if any(not history.branch(branch) for branch in missing):
        raise UndeterminedError(
            f"--ref: could not tell whether {tag} is on one of the branches {listed}: not all are here; {ADVICE}"
        )
    raise InputError(f"--ref: the commit {head.id} of {tag} is on none of the branches {listed}; tag a merged commit")


def _branches(git: Git, *options: str) -> dict[str, None]:
    """The full names of local branches and of the remote's."""
    followed = f"refs/remotes/{git.remote}/"
    listed = git.run("for-each-ref", "--format=%(refname)", *options, "refs/heads/", followed).decode(errors="replace")
    return {f"refs/heads/{ref.removeprefix('refs/heads/').removeprefix(followed)}": None for ref in listed.splitlines()}
