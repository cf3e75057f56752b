"""What happens to each service, once it is known what it is compared with and what changed."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .base import Bases
from .draft import Action, Base, Chosen, Code, Reason, ServicePlan
from .objects import Commit
from .rulebook import Rulebook, Service
from .rules import Hit, selected

_UNCHANGED = (Reason(code="unchanged"),)
_WITHOUT_BASE: Mapping[Chosen, Code] = {
    "never-deployed": "never-deployed",
    "base-lost": "base-lost",
    "no-merge-base": "no-merge-base",
    "no-base": "no-base",
    "requested": "requested",
}


class Facts(NamedTuple):
    """All that decides."""

    book: Rulebook
    bases: Bases
    hits: Mapping[str, tuple[Hit, ...]]
    """By the commit of a base: the rules that name its changes."""
    requested: frozenset[str] | None
    """The services asked for; None where the changes decide."""
    recorded: frozenset[str]
    """The names deployed.json has."""
    has_folder: Callable[[str], bool]
    """Whether the head has a folder of the repository."""
    had_folder: Callable[[Commit, str], bool]
    """Whether a commit had it."""


def decide(facts: Facts) -> dict[str, ServicePlan]:
    """An action for each service of the catalog, and for what runs though the catalog has it no more; by name."""
    reasons = _reasons(facts)
    planned = {name: _decide(facts, s, reasons.get(name, ())) for name, s in facts.book.services.items()}
    if facts.requested is None:
        unlisted = _planned("remove", Base(chosen="no-base"), "not-in-catalog")
        planned |= dict.fromkeys(facts.recorded - facts.book.services.keys(), unlisted)
    return dict(sorted(planned.items()))


def _reasons(facts: Facts) -> dict[str, tuple[Reason, ...]]:
    """Services of one base are looked at together: no rule is tried for each service alone."""
    groups: dict[str, list[Service]] = {}
    for name, base in facts.bases.by_service.items():
        groups.setdefault(base.commit or "", []).append(facts.book.services[name])
    found = (selected(facts.hits.get(commit, ()), services) for commit, services in groups.items())
    return {name: tuple(reasons) for group in found for name, reasons in group.items()}


def _decide(facts: Facts, service: Service, reasons: tuple[Reason, ...]) -> ServicePlan:
    base = facts.bases.by_service[service.name]
    if facts.requested is not None and service.name not in facts.requested:
        return _planned("skip", base, "not-requested")
    folder = facts.book.in_repository(service.path)
    if not facts.has_folder(folder):
        before = facts.bases.commits.get(base.commit or "")
        gone = service.name in facts.recorded or (before is not None and facts.had_folder(before, folder))
        return _planned("remove", base, "folder-gone", folder) if gone else _planned("skip", base, "no-folder", folder)
    if base.commit is None:
        return _planned("build", base, _WITHOUT_BASE[base.chosen])
    if not reasons:
        return ServicePlan(action="skip", base=base, reasons=_UNCHANGED)
    return ServicePlan(action="build", base=base, reasons=reasons)


def _planned(action: Action, base: Base, code: Code, path: str | None = None) -> ServicePlan:
    return ServicePlan(action=action, base=base, reasons=(Reason(code=code, path=path),))
