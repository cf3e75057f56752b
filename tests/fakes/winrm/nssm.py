"""NSSM 2.24 and the service control manager, as a state machine whose time passes only when somebody waits."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .disk import Disk

PATIENCE = 2.75
"""Seconds that nssm waits for a state, ten looks in all; then it says so and exits with 1."""
THROTTLE = 1.5
"""A program that ends earlier makes the service Paused."""
RESTART = 4.0


class Clock:
    """A virtual one: sleeping takes no time."""

    def __init__(self) -> None:
        self._start, self.seconds = datetime.now(UTC), 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Program:
    """What was in the folder when the service started."""

    files: frozenset[str]
    revision: str | None
    began: float


@dataclass
class Service:
    """One service that NSSM runs. Tests change its fields at any time."""

    clock: Clock
    disk: Disk
    name: str
    folder: str
    stop_seconds: float = 1.0
    """How long its program takes to end; more than 2.75 makes `nssm stop` exit with 1."""
    ready_seconds: float = 2.0
    """How long its program takes to become healthy."""
    exists: bool = True
    denied: bool = False
    """Whether the service control manager cannot be opened."""
    down: bool = False
    """Whether something that every release needs is away: none is healthy."""
    log: tuple[str, ...] = ("Unhandled exception: the program's last words",)
    starts: int = 0
    _state: str = "Stopped"
    _then: tuple[float, str] | None = None
    _program: Program | None = None

    @property
    def state(self) -> str:
        """As Get-Service names it."""
        if self._then and self.clock.seconds >= self._then[0]:
            self._state, self._then = self._then[1], None
            if self._state in ("Stopped", "Paused"):
                self._program = None
        return self._state

    @property
    def serves(self) -> str | None:
        """The revision of the program that runs."""
        return self._program.revision if self._program and self.state == "Running" else None

    def uses(self, path: str) -> bool:
        """Whether its program runs in there."""
        return self.state != "Stopped" and self._program is not None and path.casefold() == self.folder.casefold()

    def nssm(self, verb: str) -> tuple[int, str]:
        """What `nssm VERB NAME` does: its exit code and words."""
        if self.denied:
            return 2, "Can't open service manager! Perhaps you need to be an administrator..."
        if not self.exists:
            return 3, f"Can't open service! {self.name}"
        return self._stop() if verb == "stop" else self._start()

    def _stop(self) -> tuple[int, str]:
        if self.state == "Stopped":
            return 0, f"{self.name}: The service has not been started."
        if self.state == "StopPending":
            return 1, f"{self.name}: STOP: The service cannot accept control messages at this time."
        needed = 0.0 if self._state == "Paused" else self.stop_seconds
        self._state, self._then = "StopPending", (self.clock.seconds + needed, "Stopped")
        self.clock.sleep(min(needed, PATIENCE))
        if self.state == "Stopped":
            return 0, f"{self.name}: STOP: The operation completed successfully."
        return 1, f"{self.name}: Unexpected status SERVICE_STOP_PENDING in response to STOP control."

    def _start(self) -> tuple[int, str]:
        if self.state != "Stopped":
            return 1, f"{self.name}: START: An instance of the service is already running."
        self.starts += 1
        files = self.disk.tree(self.folder)
        self._program = Program(frozenset(files), _revision(files), self.clock.seconds)
        crashes = not files or "CRASH" in files
        self._state = "StartPending"
        self._then = (self.clock.seconds + THROTTLE, "Paused" if crashes else "Running")
        self.clock.sleep(THROTTLE)
        if self.state == "Paused":
            return 1, f"{self.name}: Unexpected status SERVICE_PAUSED in response to START control."
        return 0, f"{self.name}: START: The operation completed successfully."

    def program_ids(self) -> str:
        """Of NSSM's children; another one when the program ended and was started again."""
        if self._program is None or self.state != "Running":
            return ""
        if "CRASH-LATER" not in self._program.files:
            return str(4000 + 4 * self.starts)
        return str(5000 + int((self.clock.seconds - self._program.began) / RESTART))

    def unhealthy(self, commit: str | None) -> str | None:
        """Why its health URL does not answer well, asked from the machine itself."""
        if self.state != "Running" or self._program is None:
            return "the remote server refused the connection"
        if self.down or "BROKEN" in self._program.files:
            return "the health URL answers 503"
        if self.clock.seconds < self._program.began + self.ready_seconds:
            return "the remote server refused the connection"
        revision = self._program.revision
        if commit and revision and revision != commit:
            return f"the program reports revision {revision}"
        return None


def _revision(files: dict[str, bytes]) -> str | None:
    try:
        found = json.loads(files.get("release.json", b"null"))
    except ValueError:
        return None
    return found.get("commit") if isinstance(found, dict) else None
