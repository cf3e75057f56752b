"""Whether every variable of an environment's group has a value that can be one."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from pydantic import SecretStr

from .model import Check, Finding

_MACRO = re.compile(r"\$\([\w. -]+\)")
_PLACEHOLDER = re.compile(
    r"<[^<>]*>|\{\{.*\}\}|-{2,}.*-{2,}|x{3,}|\*{3,}|\.{3,}|\?+|-"
    r"|(to-?do|tb[ad]|fix-?me|change-?(me|it|this)|replace-?(me|this)?|set-?me|fill-?me-?in|placeholder|dummy|example"
    r"|(your|insert)[- ].*|none|null|undefined)\W*",
    re.IGNORECASE,
)
"""Whole values that somebody meant to replace. A word inside a longer value is none: `change-me-not` may be a name."""


def fault(value: str) -> str | None:
    """Why a value cannot be one, without the value; None if it can."""
    text = value.strip().strip("'\"").strip()
    if not text:
        return "is empty"
    if _MACRO.search(text):
        return "holds a macro $(…) that the pipeline did not replace: the group does not have that variable"
    if _PLACEHOLDER.fullmatch(text.replace("_", "-")):
        return "holds a placeholder, such as changeme, TODO or <…>"
    return None


def checks(names: Sequence[str], values: Mapping[str, str | SecretStr], group: str) -> list[Check]:
    """A check for each variable that the group must have. No value is shown."""

    async def look(name: str) -> Finding:
        value = values.get(name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        wrong = "is not there" if plain is None else fault(plain)
        if wrong:
            return Finding("failed", f"{name} {wrong}", f"set {name} in the variable group {group}")
        return Finding("passed", f"{name} is set")

    return [Check(f"variable {name}", partial(look, name), needs_network=False) for name in names]
