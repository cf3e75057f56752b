"""What deployed.json and deployments.json hold."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..checks.model import Checks
from .target import Serving

Action = Literal["deploy", "rollback"]
Result = Literal["deployed", "unchanged", "would deploy", "rolled back", "restore failed"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Served(_Frozen):
    """What a service serves, or served."""

    commit: str
    digest: str | None = None
    revision: str = Field(description="The target's own name for it: a Container Apps revision, a release's folder")
    since: str | None = Field(default=None, description="UTC, ISO 8601; null where the target does not know")


class Deployed(_Frozen):
    """The file deployed.json: what runs in an environment, read from the targets. The base of the next plan."""

    schema_version: Literal[1] = 1
    environment: str
    services: dict[str, Served | None] = Field(description="By name; null where nothing was ever deployed")


class Deployment(_Frozen):
    """What became of one service."""

    result: Result = Field(
        description="`rolled back`: it was switched or prepared, and what served before serves again"
    )
    before: Served | None = Field(description="What served when the run began")
    after: Served | None = Field(default=None, description="What serves at the end; null where it could not be told")
    seconds: float = Field(ge=0)
    steps: tuple[str, ...] = Field(default=(), description="What was done, in order")
    error: str | None = None


class Deployments(_Frozen):
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


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """The rows as lines with columns of equal width; the last is as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] + [0]
    return "".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)


def served(serving: Serving | None) -> Served | None:
    """The same for the file."""
    if serving is None:
        return None
    return Served(commit=serving.commit, digest=serving.digest, revision=serving.revision, since=serving.since)


def deployed(environment: str, found: Mapping[str, Serving | None]) -> Deployed:
    """The file deployed.json of what the targets told."""
    return Deployed(environment=environment, services={name: served(one) for name, one in found.items()})


def json_text(record: BaseModel) -> str:
    """The content of the file."""
    return json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def _short(one: Served | None) -> str:
    return one.commit[:10] if one else "-"
