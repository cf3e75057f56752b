"""Several commands side by side in one container, and what each of them said."""

import base64
import shlex
import uuid
from collections.abc import Sequence

import dagger

from .answers import Said

AT_ONCE = 8


async def side_by_side(
    container: dagger.Container, commands: Sequence[Sequence[str]], first_alone: bool = False
) -> list[Said]:
    """Runs them now: what they ask can change at any time, so that no answer comes from the cache."""
    asked = container.with_env_variable("PRODGY_ASKED", uuid.uuid4().hex)
    printed = await asked.with_exec(["sh", "-c", script(commands, first_alone)]).stdout()
    return [_said(line) for line in printed.splitlines()]


def script(commands: Sequence[Sequence[str]], first_alone: bool = False) -> str:
    """A shell script that runs the commands side by side and prints of each its exit code, output and errors.

    `first_alone`: the first ends before the others begin, so that copies find the layers that they share.
    """
    lines = ['one() { n=$1; shift; "$@" >/tmp/$n.out 2>/tmp/$n.err; echo $? >/tmp/$n.code; }']
    for number, command in enumerate(commands):
        full = number % AT_ONCE == AT_ONCE - 1 or (first_alone and number == 0)
        lines += [f"one {number} {shlex.join(command)} &", *(["wait"] if full else [])]
    show = 'echo "$(cat /tmp/$n.code) $(base64 -w0 /tmp/$n.out) $(base64 -w0 /tmp/$n.err)"'
    return "\n".join([*lines, "wait", f"for n in $(seq 0 {len(commands) - 1}); do {show}; done"])


def _said(line: str) -> Said:
    code, output, errors = line.split(" ")
    read = [base64.b64decode(text) for text in (output, errors)]
    return Said(int(code), read[0], read[1].decode(errors="replace"))
