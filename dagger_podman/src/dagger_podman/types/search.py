"""Directory.search and File.search."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import DaggerPodmanError
from ..fields import computed, field
from ..gitignore import without_ignored
from ..patterns import regex
from ..session import Session
from ..tree import ROOT, Tree, lookup
from ..values import FileValue

NOTE = (
    "Python's regular expressions (no `\\p{L}`, `[[:alpha:]]`, `(?<name>…)`); what is no UTF-8 text is passed over; of "
    "ignore files .gitignore counts, where there is a .git; globs bring back nothing that is hidden or ignored"
)


@dataclass
class Found:
    """Lines that belong together; `submatches` are (text, start, end), and offsets are in bytes."""

    path: str
    line_number: int
    offset: int
    lines: str
    submatches: list[tuple[str, int, int]]


computed(
    "SearchResult",
    absoluteOffset=lambda r: r.offset,
    filePath=lambda r: r.path,
    lineNumber=lambda r: r.line_number,
    matchedLines=lambda r: r.lines,
    submatches=lambda r: r.submatches,
)
computed("SearchSubmatch", end=lambda m: m[2], start=lambda m: m[1], text=lambda m: m[0])


@field("Directory", note=NOTE)
@field("File", note=NOTE)
async def search(
    session: Session,
    of: Tree | FileValue,
    pattern: str,
    paths: Sequence[str] = (),
    globs: Sequence[str] = (),
    literal: bool = False,
    multiline: bool = False,
    dotall: bool = False,
    insensitive: bool = False,
    skip_ignored: bool = False,
    skip_hidden: bool = False,
    files_only: bool = False,
    limit: int | None = None,
) -> list[Found]:
    flags = re.MULTILINE | (re.DOTALL if dotall else 0) | (re.IGNORECASE if insensitive else 0)
    try:
        with warnings.catch_warnings(action="error"):
            expression = re.compile(re.escape(pattern) if literal else pattern, flags)
    except (re.error, FutureWarning) as error:
        raise DaggerPodmanError(f"regex parse error: {error}") from None
    tree, paths = (of, paths or ["."]) if isinstance(of, Tree) else (Tree({"": ROOT, of.name: of.entry}), [of.name])
    rules = [rule for glob in globs for rule in _rules(glob)]
    others = not any(lets_in for lets_in, _ in rules)
    kept = without_ignored(session.store, tree) if skip_ignored and ".git" in tree.entries else tree
    wanted = [
        path
        for path, entry in sorted(kept.entries.items(), key=lambda item: item[0].split("/"))
        if entry.kind == "file" and next((lets_in for lets_in, rule in reversed(rules) if rule.match(path)), others)
    ]

    def found() -> Iterator[Found]:
        for root, entry in (lookup(tree, path) for path in paths):
            above = f"{root}/" if root else ""
            below = [p for p in wanted if p.startswith(above) and not (skip_hidden and "/." in f"/{p[len(above) :]}")]
            for path in [root] if entry.kind == "file" else below:
                with contextlib.suppress(UnicodeDecodeError):
                    text = session.store.read_blob(tree.entries[path].content).decode("utf-8-sig")
                    lines = _lines(path, "" if "\0" in text else text, expression, multiline)
                    yield from [Found(path, 0, 0, "", []) for _ in lines[:1]] if files_only else lines

    limit = None if files_only or limit is None else max(limit, 1)  # as the engine counts
    return await asyncio.to_thread(lambda: list(itertools.islice(found(), limit)))


def _rules(glob: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Whether a glob lets in, and what; `{a,b}` are two, and one without a slash is of any folder."""
    if braces := re.search(r"\{([^{}]*)\}", glob):
        parts = (glob[: braces.start()] + part + glob[braces.end() :] for part in braces[1].split(","))
        return [rule for part in parts for rule in _rules(part)]
    lets_in, name = not glob.startswith("!"), glob.removeprefix("!").rstrip("/")
    return [(lets_in, regex(name.lstrip("/") if "/" in name else f"**/{name}", below=not lets_in))]


def _lines(path: str, text: str, expression: re.Pattern[str], multiline: bool) -> list[Found]:
    """The lines that each match lies in, together with those of matches that begin there."""

    def size(start: int, end: int) -> int:
        return len(text[start:end].encode())

    found: list[Found] = []
    number, offset, start, end = 1, 0, 0, 0
    stretches = [(0, len(text))] if multiline else [line.span() for line in re.finditer(r"(?m)^.*$", text)]
    for match in (match for stretch in stretches for match in expression.finditer(text, *stretch)):
        line = text.rfind("\n", 0, match.start()) + 1
        if line == len(text):
            break  # after the last line there is none
        if line >= end:
            number, offset, start = number + text.count("\n", start, line), offset + size(start, line), line
            found.append(Found(path, number, offset, "", []))
        end = text.find("\n", max(match.start(), match.end() - 1)) + 1 or len(text)
        found[-1].lines = text[start:end]
        found[-1].submatches.append((match[0], size(start, match.start()), size(start, match.end())))
    return found
