"""Paths as JSON and a terminal can hold them: git allows any byte but NUL in a name."""

import os

_LETTERS = dict(zip(b'\a\b\t\n\v\f\r"\\', 'abtnvfr"\\', strict=True))
"""The bytes for which git has an escape of one letter."""


def json_name(path: str) -> str:
    """The name itself; one that is not UTF-8, or begins with a quotation mark, in quotation marks as git writes it."""
    if not path.startswith('"'):
        try:
            path.encode()
        except UnicodeEncodeError:
            pass
        else:
            return path
    return '"' + "".join(map(_quoted, os.fsencode(path))) + '"'


def shown(name: str) -> str:
    """The name for people: no character that moves the cursor, hides, or begins a command to the CI server."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)
    return visible.replace("##", "#\\x23")


def _quoted(byte: int) -> str:
    letter = _LETTERS.get(byte)
    if letter:
        return f"\\{letter}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"
