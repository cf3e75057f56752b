"""The plan as a text for people: every service, whether it is in or out, and why."""

import json
from collections.abc import Mapping, Sequence

from ..records import aligned
from .draft import Code
from .names import shown
from .plan import Base, Changes, Plan, Reason, ServicePlan

_WHY: Mapping[Code, str] = {
    "never-deployed": "nothing is recorded as deployed, so all of it is new",
    "base-lost": "what is deployed was built from a commit that is gone, so all of it counts as changed",
    "no-merge-base": "it shares no history with the target branch, so all of it counts as changed",
    "no-base": "there is nothing to compare with: the ref stands for no environment and is no pull request",
    "requested": "asked for by --services",
    "not-requested": "not asked for by --services",
    "unchanged": "no rule of it names a changed path",
    "not-in-catalog": "it is deployed, and the catalog has no such service",
}


def matrix(names: Sequence[str]) -> str:
    """What Azure Pipelines' `strategy.matrix` takes: for each service a leg that sets the variable `service`."""
    return json.dumps({name.replace("-", "_"): {"service": name} for name in names})


def table(plan: Plan) -> str:
    """Lines that end in a newline; whatever a path is called, it cannot look like a line of its own or a command."""
    rows = [("service", "action", "compared with", "why")]
    rows += [
        (shown(name), service.action, _base(service.base), _why(service, plan))
        for name, service in plan.services.items()
    ]
    return "\n".join([*_head(plan), "", aligned(rows), *_foot(plan)]).rstrip() + "\n"


def _head(plan: Plan) -> list[str]:
    counts: dict[str, int] = dict.fromkeys(("build", "remove", "skip"), 0)
    for service in plan.services.values():
        counts[service.action] += 1
    to = f"for {plan.environment}" if plan.environment else "for no environment"
    files = " with uncommitted and untracked files" if plan.working_tree else ""
    summary = ", ".join(f"{count} to {action}" for action, count in counts.items())
    return [f"{plan.event} {shown(plan.ref)} at {plan.head[:10]}{files}, {to}: {summary}"]


def _foot(plan: Plan) -> list[str]:
    lines = [f"{commit[:10]}: {_size(changes)}" for commit, changes in plan.changed.items()]
    return [*lines, *(f"note: {shown(note)}" for note in plan.notes)]


def _size(changes: Changes) -> str:
    without = [
        f"{count} {what}"
        for count, what in ((changes.ignored, "ignored"), (changes.outside, "outside of the root"))
        if count
    ]
    behind = f"{_counted(changes.commits, 'commit')} and {_counted(changes.days, 'day')} before the head"
    differ = f"{_counted(len(changes.paths), 'path')} {'differs' if len(changes.paths) == 1 else 'differ'}"
    return f"{behind}, {differ}" + (f" ({', '.join(without)})" if without else "")


def _base(base: Base) -> str:
    if base.commit:
        return f"{base.commit[:10]} ({base.chosen})"
    lost = f" {base.recorded[:10]}" if base.recorded else ""
    return f"nothing ({base.chosen}{lost})"


def _why(service: ServicePlan, plan: Plan) -> str:
    commit = service.base.commit
    if service.reasons[0].code == "unchanged" and commit and not plan.changed[commit].paths:
        return "nothing differs"
    return "; ".join(map(_reason, service.reasons))


def _reason(reason: Reason) -> str:
    path = shown(reason.path or "")
    if reason.code == "folder-gone":
        return f"its folder {path} is gone"
    if reason.code == "no-folder":
        return f"there is no folder {path}, and nothing of it is deployed"
    if reason.code in _WHY:
        return _WHY[reason.code]
    more = f" and {reason.count - 1} more" if reason.count > 1 else ""
    if reason.code == "unmapped":
        return f"unmapped, so it may affect everything: {path}{more}"
    if reason.code == "pipeline":
        return f"the pipeline itself: {path}{more}"
    return f"{reason.rule}: {path}{more}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
