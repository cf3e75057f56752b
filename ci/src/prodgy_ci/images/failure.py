"""The words for a build that failed."""

import shlex

import dagger

from ..errors import ProdgyError

LAST_LINES = 20
LONGEST_LINE = 500


def words(error: Exception) -> str:
    """What went wrong, with the failing command's last lines."""
    if isinstance(error, dagger.ExecError):
        said = (tail(error.stdout), tail(error.stderr))
        # A Dockerfile's instruction comes as one text, to be shown as it stands there.
        command = error.command[0] if len(error.command) == 1 else shlex.join(error.command)
        return "\n".join((f"exit code {error.exit_code}: {command}", *filter(None, said)))
    known = isinstance(error, ProdgyError | dagger.DaggerError)
    return str(error) if known else f"{type(error).__name__}: {error}"


def tail(text: str) -> str:
    """The last lines that are not empty, the long ones cut."""
    lines = [line.rstrip()[:LONGEST_LINE] for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-LAST_LINES:])
