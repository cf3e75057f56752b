"""A failed build is told by the failing command's last lines."""

from typing import Any
from unittest.mock import MagicMock

import dagger
import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.images.failure import LAST_LINES, LONGEST_LINE, tail, words


@pytest.mark.parametrize(
    ("command", "shown"),
    [(["sh", "-c", "pnpm build"], "sh -c 'pnpm build'"), (["RUN exit 7 # so"], "RUN exit 7 # so")],
)
def test_a_failing_command_is_told_with_its_exit_code_and_output(command: list[str], shown: str) -> None:
    error: Any = MagicMock(spec=dagger.ExecError)
    error.exit_code, error.command = 7, command
    error.stdout, error.stderr = "building\n", "no such module\n"
    assert words(error) == f"exit code 7: {shown}\nbuilding\nno such module"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InputError("no such file"), "no such file"),
        (dagger.DaggerError("connection lost"), "connection lost"),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_other_errors_say_what_they_are(error: Exception, expected: str) -> None:
    assert words(error) == expected


def test_only_the_last_lines_are_told() -> None:
    lines = [f"line {number}" for number in range(LAST_LINES + 5)]
    assert tail("\n\n".join(lines)).splitlines() == lines[5:]
    assert len(tail("x" * 5000)) == LONGEST_LINE
