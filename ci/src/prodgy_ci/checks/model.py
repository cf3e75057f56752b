"""What a check is, and what checks.json holds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ..records import Record

Status = Literal["passed", "failed", "warning", "not applicable"]
List = Literal["preflight", "verify"]


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    status: Status
    evidence: str
    """What was seen: a status, a time, an excerpt. Never a secret."""
    mend: str | None = None
    """What to do about it, where it did not pass."""
    final: bool = False
    """Whether looking again could not make it better: a wrong password that was let in once."""


@dataclass(frozen=True)
class Check:
    """One line of a checklist. `look` makes one observation; what it raises counts as failed."""

    name: str
    """Unique in its list: `health of api`, `TLS of gateway.example.com`."""
    look: Callable[[], Awaitable[Finding]]
    needs_network: bool = True
    retries: bool = False
    """Whether a failure is looked at again until the deadline: for what needs time to come up."""
    after: str | None = None
    """The check without whose passing this one says nothing: `login gives a JWT`."""


class Result(Record):
    """A check and what it found."""

    name: str
    status: Status
    evidence: str
    mend: str | None = None
    seconds: float = Field(ge=0, description="How long it took, with its retries")


class Checks(Record):
    """The file checks.json."""

    schema_version: Literal[1] = 1
    list: List
    environment: str = Field(description="The environment's name; `stack` for the stack at the desk")
    commit: str | None = Field(default=None, description="The revision that was to be served, where there is one")
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed."""
        done = [result for result in self.results if result.status != "not applicable"]
        return bool(done) and all(result.status != "failed" for result in done)
