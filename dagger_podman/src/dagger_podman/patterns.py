"""Path patterns by Docker's rules: `*` stays within a name, `**` crosses folders, `!` takes a match back.

The rules are those of `.dockerignore` (docs.docker.com/build/concepts/context), which Dagger's
`include` and `exclude` follow too: a pattern that matches a folder matches all below it.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterable, Sequence


@functools.lru_cache(maxsize=4096)
def regex(pattern: str, below: bool = False) -> re.Pattern[str]:
    """The expression that a whole path must match; with `below`, that or a folder above it."""
    out, i = "", 0
    while i < len(pattern):
        c = pattern[i]
        if pattern.startswith("**/", i):
            out, i = out + "(?:.*/)?", i + 3
        elif pattern.startswith("**", i):
            out, i = out + ".*", i + 2
        elif c == "*":
            out, i = out + "[^/]*", i + 1
        elif c == "?":
            out, i = out + "[^/]", i + 1
        elif c == "[" and (end := pattern.find("]", i + 2)) > 0:
            body = pattern[i + 1 : end].replace("\\", r"\\")
            out, i = out + f"[{'^' + body[1:] if body[0] in '^!' else body}]", end + 1
        elif c == "\\" and i + 1 < len(pattern):
            out, i = out + re.escape(pattern[i + 1]), i + 2
        else:
            out, i = out + re.escape(c), i + 1
    return re.compile(out + ("(?:/.*)?" if below else "") + r"\Z", re.DOTALL)


def clean(pattern: str) -> str:
    return posixpath.normpath(pattern.strip())


class Patterns:
    """An ordered list of patterns; the last one that matches a path, or a folder above it, decides."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.rules: list[tuple[bool, re.Pattern[str]]] = []
        for pattern in patterns:
            negated = pattern.strip().startswith("!")
            text = clean(pattern.strip().removeprefix("!"))
            if text and text != ".":
                self.rules.append((not negated, regex(text, below=True)))
        self.has_negation = any(not positive for positive, _ in self.rules)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def match(self, path: str) -> bool:
        return next((positive for positive, expression in reversed(self.rules) if expression.match(path)), False)


def selected(paths: Iterable[str], include: Sequence[str], exclude: Sequence[str]) -> set[str]:
    """Of `paths`, those that `include` (if given) matches and `exclude` does not, with the folders above them."""
    wanted, unwanted = Patterns(include), Patterns(exclude)
    kept = {p for p in paths if (not include or wanted.match(p)) and not unwanted.match(p)}
    for path in list(kept):
        while (path := posixpath.dirname(path)) and path not in kept:
            kept.add(path)
    return kept


def parse_dockerignore(text: str) -> list[str]:
    """The patterns of a `.dockerignore` file."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return [re.sub(r"^(!?)\s*/+", r"\1", line) for line in lines if line and not line.startswith("#")]


def split_glob(pattern: str) -> re.Pattern[str]:
    """The expression of `Directory.glob`: `**` alone stands for everything."""
    return regex("**/*" if pattern == "**" else re.sub(r"/\*\*\Z", "/**/*", pattern))
