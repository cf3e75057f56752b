"""What Azure's agent is told, and what keeps anybody else's words from telling it anything."""

import re
from collections.abc import Mapping

from .verdict import Verdict

_COMMAND = re.compile(r"##(?=(?:vso)?\[)", re.IGNORECASE)


def neutralise(text: str) -> str:
    """The text with every `##vso[` and `##[` broken by a blank: the agent obeys them anywhere in a line it reads."""
    return _COMMAND.sub("# #", text)


def neutralise_file(path: str, text: str) -> str:
    """The same for a file; in JSON and XML the signs are written otherwise, so that a reader gets the very same text."""
    if path.endswith(".json"):
        return text.replace("##", "#\\u0023")
    if path.endswith((".xml", ".html")):
        return text.replace("##", "#&#35;")
    return neutralise(text)


def neutralise_files(files: Mapping[str, str]) -> dict[str, str]:
    """All of them, by path."""
    return {path: neutralise_file(path, text) for path, text in files.items()}


def azure(verdict: Verdict, summary: str | None = None) -> str:
    """The lines a step prints: an issue for each failure, its last lines in a folded group, and the summary's upload.

    summary: the absolute path of summary.md on the agent; without one nothing is uploaded.
    """
    lines: list[str] = []
    for failure in verdict.failures:
        lines += _group(failure.title, failure.log)
        lines.append(_issue("error", f"{failure.title}: {failure.why}"))
    lines += [_issue("error", f"could not tell: {line}") for line in verdict.incomplete]
    lines += [_issue("warning", line) for line in verdict.warnings]
    if summary is not None:
        lines.append(f"##vso[task.uploadsummary]{_message(summary)}")
    return "".join(f"{line}\n" for line in lines)


def _group(title: str, log: str) -> list[str]:
    if not log:
        return []
    return [f"##[group]{_line(title)}", *map(neutralise, log.splitlines()), "##[endgroup]"]


def _issue(kind: str, text: str) -> str:
    return f"##vso[task.logissue type={kind};]{_message(_line(text))}"


def _line(text: str) -> str:
    return neutralise(" ".join(text.split()))


def _message(text: str) -> str:
    """As the agent unescapes it."""
    for sign, written in (("%", "%AZP25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(sign, written)
    return text
