"""What plan.json holds. Equal input gives equal bytes: nothing in it comes from a clock or from the machine."""

from typing import Annotated, Literal

from pydantic import Field

from ..records import Record, read
from .draft import Action, Chosen, Code, Event, written

CommitId = Annotated[str, Field(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]


class Base(Record):
    """What a service is compared with."""

    chosen: Chosen = Field(description="How it was chosen, or why there is none")
    commit: CommitId | None = Field(default=None, description="A key of `changed`; null where there is none")
    recorded: CommitId | None = Field(default=None, description="base-lost: the recorded commit that is gone")


class Reason(Record):
    """One cause of an action."""

    code: Code
    rule: str | None = Field(default=None, description="The catalog's rule; a service's own has the service's name")
    path: str | None = Field(default=None, description="The first of the changed paths, or the service's folder")
    count: int = Field(default=0, ge=0, description="How many changed paths the rule names")


class ServicePlan(Record):
    """What happens to a service, and why."""

    action: Action
    base: Base
    reasons: tuple[Reason, ...] = Field(min_length=1)


class Changes(Record):
    """What differs between a base and the head."""

    commits: int = Field(ge=0, description="Commits of the head that the base does not have")
    days: int = Field(ge=0, description="Whole days between the two commits")
    ignored: int = Field(ge=0, description="Paths that the catalog ignores")
    outside: int = Field(ge=0, description="Paths outside the monorepo's root that select nothing")
    paths: dict[str, str] = Field(
        description="Each changed path with git's status letter; a name that is not UTF-8 or begins with a quotation "
        "mark stands in quotation marks, as git quotes it"
    )


class Plan(Record):
    """What a commit changes, what will run, and why."""

    schema_version: Literal[1]
    ref: str
    event: Event
    environment: str | None = Field(description="Where it goes; null where the ref stands for no environment")
    head: CommitId = Field(description="The commit that the plan is for")
    working_tree: bool = Field(description="Whether uncommitted and untracked files are counted in")
    notes: tuple[str, ...] = Field(description="What a reader should know about how this was found")
    services: dict[str, ServicePlan] = Field(description="By name; also what is deployed and not in the catalog")
    changed: dict[CommitId, Changes] = Field(description="By the commit of a base")

    @property
    def affected(self) -> tuple[str, ...]:
        """The names of the services to build."""
        return tuple(name for name, service in self.services.items() if service.action == "build")

    def json_bytes(self) -> bytes:
        """The content of plan.json."""
        return written(self.model_dump())


def load(text: str) -> Plan:
    """The plan that the text of a plan.json holds; raises InputError."""
    return read(Plan, text, "--plan", "the file that `plan json` wrote")
