"""A command in a shell: its streams, its end, and the faults that meet it on the way."""

import threading
import time
from dataclasses import dataclass, field

from .faults import Faults


class Killed(BaseException):
    """The process was ended from outside."""


@dataclass
class Process:
    """What runs is a thread or the receiver; what asks is a request."""

    line: str
    faults: Faults
    code: int | None = None
    """Its exit code; None while it runs."""
    cut: bool = False
    """Whether the next request that waits for its output loses its connection."""
    _out: bytes = b""
    _error: bytes = b""
    _killed: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def write(self, text: str) -> None:
        with self._changed:
            self._out += text.encode()
            self._changed.notify_all()

    def end(self, code: int, error: str = "") -> None:
        with self._changed:
            if self.code is None:
                self.code, self._error = code, self._error + error.encode()
            self._changed.notify_all()

    def kill(self) -> None:
        with self._changed:
            self._killed = True
            self._changed.notify_all()

    def lose(self) -> None:
        """Cuts the connection of who waits for its output."""
        with self._changed:
            self.cut = True
            self._changed.notify_all()

    def point(self, at: str) -> str | None:
        """A place on the way: raises Killed or Exception where a fault says so; returns the fault's kind otherwise."""
        fault = self.faults.take(at, self.line)
        if fault is not None:
            if fault.kind in ("cut", "lost"):
                self.lose()
            if fault.kind in ("cut", "kill"):
                raise Killed
            if fault.kind == "error":
                raise Exception(f"injected at {at}")
            if fault.kind == "hang":
                self.wait(fault.seconds)
        if self._killed:
            raise Killed
        return fault.kind if fault else None

    def wait(self, seconds: float) -> None:
        """Of real time, or until it is killed."""
        with self._changed:
            self._changed.wait_for(lambda: self._killed, seconds)

    def output(self, seconds: float) -> tuple[bytes, bytes, int | None] | None:
        """What was written since the last time, and the exit code once it has ended; None where nothing came."""
        until = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(lambda: self._out or self.code is not None or self.cut, until - time.monotonic())
            if self.cut:
                self.cut = False
                raise ConnectionAbortedError
            if not self._out and self.code is None:
                return None
            out, self._out = self._out, b""
            return out, self._error if self.code is not None else b"", self.code
