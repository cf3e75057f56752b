"""What plan.json holds. Equal input gives equal bytes: nothing in it comes from a clock or from the machine.

Plain dataclasses: pydantic, which takes longer to import than a plan to make, reads and describes them and is imported
for that alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..errors import InputError
from . import refs

if TYPE_CHECKING:
    from pydantic import TypeAdapter

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
_STRICT: Mapping[str, Any] = {"extra": "forbid", "use_attribute_docstrings": True}


@dataclass(frozen=True)
class Base:
    """What a service is compared with."""

    __pydantic_config__: ClassVar = _STRICT

    chosen: Chosen
    """How it was chosen, or why there is none."""
    commit: str | None = None
    """A key of `changed`; null where there is none."""
    recorded: str | None = None
    """base-lost: the recorded commit that is gone."""


@dataclass(frozen=True)
class Reason:
    """One cause of an action."""

    __pydantic_config__: ClassVar = _STRICT

    code: Code
    rule: str | None = None
    """The catalog's rule; a service's own has the service's name."""
    path: str | None = None
    """The first of the changed paths, or the service's folder."""
    count: int = 0
    """How many changed paths the rule names."""


@dataclass(frozen=True)
class ServicePlan:
    """What happens to a service, and why."""

    __pydantic_config__: ClassVar = _STRICT

    action: Action
    base: Base
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Changes:
    """What differs between a base and the head."""

    __pydantic_config__: ClassVar = _STRICT

    commits: int
    """Commits of the head that the base does not have."""
    days: int
    """Whole days between the two commits."""
    ignored: int
    """Paths that the catalog ignores."""
    outside: int
    """Paths outside the monorepo's root that select nothing."""
    paths: dict[str, str]
    """Each changed path with git's status letter; a name that is not UTF-8 or begins with a quotation mark stands in
    quotation marks, as git quotes it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a commit changes, what will run, and why."""

    __pydantic_config__: ClassVar = _STRICT

    schema_version: Literal[1] = 1
    ref: str
    event: Event
    environment: str | None
    """Where it goes; null where the ref stands for no environment."""
    head: str
    """The commit that the plan is for."""
    working_tree: bool = False
    """Whether uncommitted and untracked files are counted in."""
    notes: tuple[str, ...] = ()
    """What a reader should know about how this was found."""
    services: dict[str, ServicePlan]
    """By name; beside the catalog's, what is deployed and not in the catalog."""
    changed: dict[str, Changes] = field(default_factory=dict)
    """By the commit of a base."""

    @property
    def affected(self) -> tuple[str, ...]:
        """The names of the services to build."""
        return tuple(name for name, service in self.services.items() if service.action == "build")

    def json_bytes(self) -> bytes:
        """The content of plan.json."""
        text = json.dumps(self, default=vars, ensure_ascii=False, indent=2)
        # A path may read like a command to the CI server, which looks for ## in whatever a step prints.
        return text.replace("##", "#\\u0023").encode() + b"\n"


def read(text: str | bytes, source_name: str = "plan.json") -> Plan:
    """The plan that the text of a plan.json holds; raises InputError that names the key."""
    from pydantic import ValidationError

    try:
        plan = _adapter().validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise InputError(f"{source_name}: {where}: {fault['msg']}") from None
    refs.full_ref(plan.ref, f"{source_name}: ref")
    for commit in (plan.head, *plan.changed):
        refs.commit_id(commit, f"{source_name}: head and the keys of changed")
    return plan


def schema() -> str:
    """The text of docs/schemas/plan.schema.json."""
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_adapter().json_schema()}
    return json.dumps(described, indent=2) + "\n"


def _adapter() -> "TypeAdapter[Plan]":
    from pydantic import TypeAdapter

    return TypeAdapter(Plan)
