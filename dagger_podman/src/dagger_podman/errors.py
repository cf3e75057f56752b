"""What can go wrong, each with the exit code of the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


class DaggerPodmanError(Exception):
    """Anything a user can mend; its message stands alone."""

    exit_code = 1

    def extensions(self) -> dict[str, Any] | None:
        """What a GraphQL answer carries beside the message."""
        return None


class UsageError(DaggerPodmanError):
    """The command line or the module's files are not what they must be."""


class MissingPathError(DaggerPodmanError):
    """There is no file or folder of that path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"stat {path}: no such file or directory")


class NotAvailableError(DaggerPodmanError):
    """The Dagger API has it, Podman cannot serve it."""

    def __init__(self, what: str, why: str = "") -> None:
        super().__init__(f"{what} is not available on Podman; use the Dagger engine" + (f" ({why})" if why else ""))


class PodmanError(DaggerPodmanError):
    """Podman itself failed."""

    def __init__(self, command: str, exit_code: int, stderr: str) -> None:
        self.stderr = stderr.strip()
        super().__init__(f"podman {command}: {self.stderr or f'exit code {exit_code}'}")


class ExecError(DaggerPodmanError):
    """A command in a container ended with an exit code that was not expected."""

    def __init__(
        self, command: list[str], exit_code: int, stdout: str, stderr: str, what: str = "", hint: str = ""
    ) -> None:
        self.command, self.exit_code, self.stdout, self.stderr = command, exit_code, stdout, stderr
        killed = " (killed; often the machine ran out of memory)" if exit_code == 137 else ""
        message = f"{what + ': ' if what else ''}exit code: {exit_code}{killed}"
        super().__init__(message + (f"\n{hint}" if hint else ""))

    def extensions(self) -> dict[str, Any]:
        return {
            "_type": "EXEC_ERROR",
            "cmd": self.command,
            "exitCode": self.exit_code,
            "stdout": self.stdout,
            "stderr": self.stderr,
        }


class FunctionError(DaggerPodmanError):
    """A function of the module raised."""

    def __init__(self, message: str, values: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.values = values or {}
        if self.values.get("_type") == "EXEC_ERROR":
            self.exit_code = int(self.values.get("exitCode") or 1)

    def extensions(self) -> dict[str, Any] | None:
        return self.values or None


@contextlib.contextmanager
def concerning(file: object) -> Iterator[None]:
    """What the system refuses meanwhile is said of this file: of a failing write it names none."""
    try:
        yield
    except OSError as error:
        error.filename = str(file)
        raise
