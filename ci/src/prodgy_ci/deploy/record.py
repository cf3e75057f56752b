"""What deployed.json and deployments.json hold."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from ..checks.model import Checks
from ..records import Record, aligned
from .target import Serving

Action = Literal["deploy", "rollback"]
Result = Literal["deployed", "unchanged", "would deploy", "rolled back", "restore failed"]


class Served(Record):
    """What a service serves, or served."""

    commit: str
    digest: str | None = None
    revision: str = Field(description="The target's own name for it: a Container Apps revision, a release's folder")
    since: str | None = Field(default=None, description="UTC, ISO 8601; null where the target does not know")


class Deployed(Record):
    """The file deployed.json: what runs in an environment, read from the targets. The base of the next plan."""

    schema_version: Literal[1] = 1
    environment: str
    services: dict[str, Served | None] = Field(description="By name; null where nothing was ever deployed")

    def commits(self) -> dict[str, str | None]:
        """What each service served, by its name."""
        return {name: one.commit if one else None for name, one in self.services.items()}


class Deployment(Record):
    """What became of one service."""

    result: Result = Field(
        description="`rolled back`: it was switched or prepared, and what served before serves again"
    )
    before: Served | None = Field(description="What served when the run began")
    after: Served | None = Field(default=None, description="What serves at the end; null where it could not be told")
    seconds: float = Field(ge=0)
    steps: tuple[str, ...] = Field(default=(), description="What was done, in order")
    error: str | None = None


class Deployments(Record):
    """The file deployments.json: what a run of deploy or rollback did."""

    schema_version: Literal[1] = 1
    environment: str
    action: Action
    commit: str | None = Field(default=None, description="The commit deployed; null for a rollback to several")
    result: Result = Field(
        description="`rolled back`: something failed, and every service is as it was before; `restore failed`: it is not"
    )
    error: str | None = Field(default=None, description="What the run as a whole failed at, beyond single services")
    services: dict[str, Deployment]
    checks: tuple[Checks, ...] = Field(default=(), description="The checklists before and after, as far as they came")

    @property
    def succeeded(self) -> bool:
        return self.result in {"deployed", "unchanged", "would deploy"}

    def table(self) -> str:
        """One line for each service."""
        rows = [("SERVICE", "RESULT", "BEFORE", "AFTER", "SECONDS", "")]
        for name, one in self.services.items():
            said = (one.error or "").partition("\n")[0]
            rows.append((name, one.result, _short(one.before), _short(one.after), f"{one.seconds:.1f}", said))
        return aligned(rows)


def served(serving: Serving | None) -> Served | None:
    """The same for the file."""
    if serving is None:
        return None
    return Served(commit=serving.commit, digest=serving.digest, revision=serving.revision, since=serving.since)


def deployed(environment: str, found: Mapping[str, Serving | None]) -> Deployed:
    """The file deployed.json of what the targets told."""
    return Deployed(environment=environment, services={name: served(one) for name, one in found.items()})


def _short(one: Served | None) -> str:
    return one.commit[:10] if one else "-"
