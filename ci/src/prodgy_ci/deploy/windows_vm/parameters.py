"""What deploy.ps1 is given, and what it answers: its steps, results and exit codes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import ProdgyError
from .settings import Settings

Mode = Literal["Deploy", "Stage", "Switch", "Rollback", "Discard", "Status"]

STEPS = (
    "preflight",
    "lock",
    "repair",
    "verify",
    "extract",
    "preserve",
    "stop",
    "swap",
    "start",
    "stable",
    "health",
    "undo",
    "prune",
    "discard",
)
"""The script's steps, each as it stands in the lines it writes."""

RESULTS = ("staged", "switched", "unchanged", "discarded", "status", "failed")
"""What its last line can say. A Rollback that went well has `switched`."""

FAILED = 1
PREFLIGHT, BUSY, ARCHIVE, NOT_STOPPED = 10, 11, 12, 20
UNDONE, UNDONE_UNHEALTHY, NOT_UNDONE = 30, 31, 32


UNTOUCHED = (FAILED, PREFLIGHT, BUSY, ARCHIVE)
"""With these nothing was changed."""


@dataclass(frozen=True)
class Ending:
    """What an exit code says."""

    meaning: str
    mend: str


EXIT_CODES = {
    FAILED: Ending("the script failed before it touched what serves", "read the lines above; then deploy again"),
    PREFLIGHT: Ending("the machine is not ready; nothing was changed", "mend what the message names on the machine"),
    BUSY: Ending("another deployment is at work on the machine; nothing was changed", "wait for it; then deploy again"),
    ARCHIVE: Ending("the archive is not what was published; nothing was changed", "deploy again: it is sent anew"),
    NOT_STOPPED: Ending(
        "the service did not stop in time; what served before was started again",
        "look at the service on the machine; a program that needs longer needs a longer stop timeout",
    ),
    UNDONE: Ending(
        "the new release did not become healthy; the former one serves again, healthy",
        "read the program's last lines above; mend the release",
    ),
    UNDONE_UNHEALTHY: Ending(
        "the new release did not become healthy; the former one was put back, and is not healthy either",
        "look at the service on the machine: what both need may be down",
    ),
    NOT_UNDONE: Ending(
        "the former release could not be put back",
        "on the machine: the message names the folders; move the former one back and start the service",
    ),
}
"""Each exit code but 0."""


@dataclass(frozen=True)
class Wanted:
    """What a run is about: the release to stage, to switch to, to go back to, or to discard."""

    release: str
    """Its name, which is its folder's."""
    commit: str | None = None
    digest: str | None = None
    archive: str | None = None
    """Where its archive lies on the machine, for Stage."""
    sha256: str | None = None
    """The archive's."""
    expected: str | None = None
    """For Switch and Rollback: what must serve still; None where anything may."""


def parameters(settings: Settings, wanted: Wanted | None = None) -> str:
    """The content of the parameter file. It holds no secret, and is ASCII: Windows PowerShell guesses encodings."""
    what = wanted or Wanted("")
    content = {
        "service": settings.service,
        "nssm": settings.nssm,
        "folder": settings.folder,
        "releases": settings.releases,
        "release": what.release,
        "commit": what.commit,
        "digest": what.digest,
        "archive": what.archive,
        "sha256": what.sha256,
        "expected": what.expected,
        "preserve": list(settings.preserve),
        "healthUrl": settings.health,
        "keep": settings.keep,
        "stopSeconds": settings.stop_seconds,
        "startSeconds": settings.start_seconds,
        "stableSeconds": settings.stable_seconds,
        "healthSeconds": settings.health_seconds,
    }
    return json.dumps(content, indent=2) + "\n"


@dataclass(frozen=True)
class Kept:
    """A release on the machine."""

    release: str
    commit: str | None
    """None for what was put there by hand."""
    digest: str | None
    since: str | None


@dataclass(frozen=True)
class Status:
    """What is on the machine."""

    serving: Kept | None
    """What lies in the service's folder; None where there is nothing."""
    former: tuple[Kept, ...]
    """The newest first."""
    service: str | None
    """The state of the service; None where there is none."""
    healthy: bool
    staged: str | None
    journal: str | None
    """The step that a run is at, or at which it was broken off."""
    machine: dict[str, Any]
    """The line as it is, with what else the script tells of the machine."""

    @property
    def busy(self) -> bool:
        """Whether a run is at work now."""
        return bool(self.machine.get("busy"))


class ScriptFailed(ProdgyError):
    """The script ended with an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Unanswered(ProdgyError):
    """The script's end is not known: its last line is missing or is none."""


@dataclass
class Answer:
    """Takes the script's output as it comes; `seen` is told each line of a step."""

    seen: Callable[[str], None]
    result: dict[str, Any] | None = None
    _rest: str = ""
    _last: str = ""

    def feed(self, text: str) -> None:
        """Takes some more; what is no JSON object is passed over: the host's own words."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line.strip())

    def _line(self, line: str) -> None:
        try:
            value = json.loads(line)
        except ValueError:
            return
        if not isinstance(value, dict):
            return
        if "result" in value:
            self.result = value
        elif "step" in value:
            level = f"{value['level']}: " if value.get("level") not in (None, "info") else ""
            self._last = f"{value['step']}: {value.get('msg', '')}"
            self.seen(f"{value['step']}: {level}{value.get('msg', '')}")

    def end(self, code: int) -> dict[str, Any]:
        """The last line; raises ScriptFailed where it tells a failure, Unanswered where it does not tell the end."""
        self.feed("\n")
        result = self.result or {}
        if code in EXIT_CODES and result.get("result") == "failed":
            raise ScriptFailed(failure(code, result, self._last), code)
        if code != 0 or result.get("result") not in RESULTS or result["result"] == "failed":
            said = self._last or "nothing"
            raise Unanswered(f"deploy.ps1 ended (exit {code}) without its last line; it said last: {said}")
        return result


def failure(code: int, result: dict[str, Any], last: str) -> str:
    """The message for an exit code but 0."""
    ending = EXIT_CODES[code]
    error = result.get("error") or last or "it said nothing"
    return f"deploy.ps1 (exit {code}): {ending.meaning}: {error}; {ending.mend}"


def status(line: dict[str, Any]) -> Status:
    """The answer of the mode Status; raises Unanswered where it is none."""
    try:
        serving = _kept(line) if line.get("release") else None
        return Status(
            serving=serving,
            former=tuple(_kept(one) for one in line.get("former") or ()),
            service=line.get("service"),
            healthy=line.get("healthy") is True,
            staged=line.get("staged"),
            journal=line.get("journal"),
            machine=line,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Unanswered(f"deploy.ps1: the line of its status is not one: {error!r}") from None


def _kept(line: dict[str, Any]) -> Kept:
    return Kept(line["release"], line.get("commit"), line.get("digest"), line.get("since"))
