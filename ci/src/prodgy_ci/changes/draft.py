"""A plan as the planner makes it, and how plan.json is written. The model that others read it by is in plan.py.

Named tuples: pydantic, and dataclasses too, take longer to import than a plan takes to make.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Action = Literal["build", "skip", "remove"]
Event = Literal["push", "tag", "pull-request", "manual"]
Chosen = Literal[
    "deployed",
    "deployed-ahead",
    "history-rewritten",
    "merge-base",
    "first-parent",
    "explicit",
    "never-deployed",
    "base-lost",
    "no-merge-base",
    "no-base",
    "requested",
]
Code = Literal[
    "rule",
    "pipeline",
    "unmapped",
    "never-deployed",
    "base-lost",
    "no-merge-base",
    "no-base",
    "requested",
    "not-requested",
    "unchanged",
    "folder-gone",
    "no-folder",
    "not-in-catalog",
]


class Base(NamedTuple):
    chosen: Chosen
    commit: str | None = None
    recorded: str | None = None


class Reason(NamedTuple):
    code: Code
    rule: str | None = None
    path: str | None = None
    count: int = 0  # type: ignore[assignment]  # the name plan.json has, not the tuple's method


class ServicePlan(NamedTuple):
    action: Action
    base: Base
    reasons: tuple[Reason, ...]

    def document(self) -> dict[str, Any]:
        reasons = [reason._asdict() for reason in self.reasons]
        return {"action": self.action, "base": self.base._asdict(), "reasons": reasons}


class Changes(NamedTuple):
    commits: int
    days: int
    ignored: int
    outside: int
    paths: Mapping[str, str]


class Draft(NamedTuple):
    ref: str
    event: Event
    environment: str | None
    head: str
    working_tree: bool
    notes: tuple[str, ...]
    services: Mapping[str, ServicePlan]
    changed: Mapping[str, Changes]

    def json_bytes(self) -> bytes:
        """The content of plan.json."""
        document = {"schema_version": 1, **self._asdict()}
        document["services"] = {name: service.document() for name, service in self.services.items()}
        document["changed"] = {commit: changes._asdict() for commit, changes in self.changed.items()}
        return written(document)


def written(document: Mapping[str, Any]) -> bytes:
    """A document as it is published: equal documents give equal bytes."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # A path may read like a command to the CI server, which looks for ## in whatever a step prints.
    return text.replace("##", "#\\u0023").encode() + b"\n"
