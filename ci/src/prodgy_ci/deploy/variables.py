"""Reads vars.env: an environment's variable group as NAME=value lines."""

import re
from collections.abc import Mapping, Sequence

from ..errors import InputError
from ..nearest import hint

SECRET = frozenset({"AZURE_STATIC_WEB_APP_API_TOKEN", "VM_PASSWORD"})
"""Variables of the group that are secrets: they may come as an option instead, and are then left out of the file."""

_MACRO = re.compile(r"\$\([^)]*\)")


def parse(text: str, known: Sequence[str], group: str) -> dict[str, str]:
    """The variables by name.

    A line is NAME=value; empty lines and lines that begin with # are passed over; what stands after the first = is the
    value, as it is. Raises InputError with one line for each name that is misspelt, unknown, there twice, empty or not
    replaced by the pipeline.
    """
    found, faults = _read(text, known)
    return _sound(found, [*faults, *(fault for name, value in found.items() if (fault := wrong(name, value, group)))])


def read(text: str, known: Sequence[str]) -> dict[str, str]:
    """The same, whatever the values: they are looked at one by one elsewhere."""
    return _sound(*_read(text, known))


def _sound(found: dict[str, str], faults: Sequence[str]) -> dict[str, str]:
    if faults:
        raise InputError("\n".join(f"--variables: {fault}" for fault in faults))
    return found


def _read(text: str, known: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    found: dict[str, str] = {}
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, separator, value = line.partition("=")
        name, value = name.strip(), value.strip()
        if not separator:
            faults.append(f"line {number}: is not NAME=value")
        elif name not in known:
            faults.append(f"line {number}: unknown variable '{name}'{hint(name, known)}")
        elif name in found:
            faults.append(f"line {number}: {name} stands there twice")
        else:
            found[name] = value
    return found, faults


def wrong(name: str, value: str, group: str) -> str | None:
    """Why a value cannot be one, without the value; None if it can."""
    if not value:
        return f"{name} is empty; set it in the variable group {group}"
    if _MACRO.fullmatch(value):
        return (
            f"{name} is still the pipeline's macro {value}: the variable group {group} does not have it; set it there"
        )
    return None


def required(variables: Mapping[str, str], name: str, what_for: str, group: str) -> str:
    """The value of a variable; raises InputError that says what it is for where it is missing."""
    if name not in variables:
        raise InputError(f"--variables: {name} is missing: {what_for}; set it in the variable group {group}")
    return variables[name]
