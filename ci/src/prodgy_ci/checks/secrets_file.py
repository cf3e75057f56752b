"""Reads --check-secrets: what the checks sign in with, as NAME=value lines."""

import difflib
from collections.abc import Sequence

from pydantic import SecretStr

from ..errors import InputError

DATABASE_URL, REDIS_URL, LOGIN_EMAIL, LOGIN_PASSWORD = "DATABASE_URL", "REDIS_URL", "LOGIN_EMAIL", "LOGIN_PASSWORD"


def parse(text: SecretStr | None, tokens: Sequence[str]) -> dict[str, SecretStr]:
    """The secrets by name; none of them has to be there. `tokens` are the names of the services' tokens.

    Empty lines and lines that begin with # are passed over; what stands after the first = is the value, as it is.
    Raises InputError with a line for each fault. Nothing of the file is shown, also not what stands before the =: it
    may be a part of a secret that stands on a line of its own.
    """
    known = (DATABASE_URL, REDIS_URL, *tokens, LOGIN_EMAIL, LOGIN_PASSWORD)
    found: dict[str, SecretStr] = {}
    faults = []
    for number, line in enumerate(text.get_secret_value().splitlines() if text else (), 1):
        name, separator, value = (part.strip() for part in line.partition("="))
        if not line.strip() or name.startswith("#"):
            continue
        if not separator:
            faults.append(f"line {number} is not NAME=value")
        elif name not in known:
            faults.append(f"line {number} has an unknown name{_nearest(name, known)}")
        elif name in found:
            faults.append(f"line {number} has {name} for the second time")
        else:
            found[name] = SecretStr(value)
    if faults:
        raise InputError("\n".join(f"--check-secrets: {fault}" for fault in faults))
    return found


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name.upper(), known, n=1)
    return (f": did you mean {close[0]}? " if close else ". ") + f"Known: {', '.join(known)}"
