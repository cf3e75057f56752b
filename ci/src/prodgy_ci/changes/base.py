"""Which commit each service is compared with."""

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import InputError, UndeterminedError
from . import refs
from .deployed import Deployed
from .draft import Base, Chosen
from .history import ADVICE, History
from .objects import Commit
from .options import Options


class Bases(NamedTuple):
    """The base of each service, the commits behind them, and what a reader should know."""

    by_service: dict[str, Base]
    commits: dict[str, Commit]
    notes: tuple[str, ...] = ()


class Chooser:
    """Chooses for the services of a catalog, in the order: explicit, deployed, pull request, none."""

    def __init__(self, history: History, head: Commit, options: Options) -> None:
        self._history = history
        self._head = head
        self._options = options
        self._commits: dict[str, Commit] = {}
        self._notes: dict[str, None] = {}
        self._recorded: dict[str, Base] = {}

    def choose(self, names: Iterable[str], deployed: Deployed, environment: str | None) -> Bases:
        """Raises InputError for an unknown explicit base, UndeterminedError where the history does not tell."""
        fallback = self._explicit() or self._pull_request() or self._none(environment)
        explicit = fallback.chosen == "explicit"
        by_service = {
            name: fallback if explicit or name not in deployed.commits else self._deployed(deployed.commits[name])
            for name in names
        }
        return Bases(by_service, self._commits, tuple(self._notes))

    def _explicit(self) -> Base | None:
        name = self._options.base
        if name is None:
            return None
        commit = self._history.find(refs.commit_name(name, "--base"))
        if commit is None or not is_meant(name, commit):
            raise InputError(f"--base: there is no commit {name} in the repository or its remote")
        return self._base("explicit", commit)

    def _deployed(self, recorded: str) -> Base:
        if recorded not in self._recorded:
            self._recorded[recorded] = self._of_record(recorded)
        return self._recorded[recorded]

    def _of_record(self, recorded: str) -> Base:
        commit = self._history.find(recorded)
        if commit is None:
            return Base(chosen="base-lost", recorded=recorded)
        only_base, only_head = self._history.distance(commit, self._head)
        if not only_base:
            return self._base("deployed", commit)
        return self._base("history-rewritten" if only_head else "deployed-ahead", commit)

    def _pull_request(self) -> Base | None:
        if not self._options.is_pull_request:
            return None
        source, target = self._options.pull_request_source, self._options.pull_request_target
        if source and len(self._head.parents) == 2 and self._head.parents[1] == source:
            return self._base("first-parent", self._present(self._head.parents[0], "the merge's first parent"))
        if target is None:
            raise InputError("--pull-request-target: missing; a pull request is compared with the branch it goes to")
        tips = self._history.branch(target)
        if not tips:
            raise UndeterminedError(
                f"--pull-request-target: the clone has no {target}, and the remote does not give it; {ADVICE}"
            )
        return self._merge_base(tips[0], self._present(source, "--pull-request-source") if source else self._head)

    def _merge_base(self, tip: Commit, source: Commit) -> Base:
        found = self._history.merge_bases(tip, source)
        if not found:
            return Base(chosen="no-merge-base")
        if len(found) > 1:
            others = ", ".join(other[:10] for other in found[1:])
            self._notes[f"several merge bases: took {found[0][:10]}, not {others}"] = None
        return self._base("merge-base", self._present(found[0], "the merge base"))

    def _none(self, environment: str | None) -> Base:
        return Base(chosen="no-base" if environment is None else "never-deployed")

    def _present(self, name: str, what: str) -> Commit:
        commit = self._history.find(name)
        if commit is None:
            raise UndeterminedError(f"{what}: the commit {name} is neither in the clone nor at the remote; {ADVICE}")
        return commit

    def _base(self, chosen: Chosen, commit: Commit) -> Base:
        self._commits[commit.id] = commit
        return Base(chosen=chosen, commit=commit.id)


def is_meant(name: str, commit: Commit) -> bool:
    """A branch may have a name of hexadecimal digits: an id must be the id of what was found."""
    return name.startswith(("HEAD", "refs/")) or commit.id.startswith(name)
