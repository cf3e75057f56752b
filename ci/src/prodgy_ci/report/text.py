"""Output of programs as people can read it: nothing in it moves a cursor, hides, or ends what it stands in."""

import re
import unicodedata

LAST_LINES = 60
LONGEST_LINE = 500
LONGEST = 1_000_000

_ESCAPES = re.compile(
    r"""
    (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]                      # colours and cursor movements
  | (?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])                  # titles, links and other strings, to their end
    [^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?
  | \x1b[ -/]*[0-~]?                                      # the rest
    """,
    re.VERBOSE,
)
_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_HIDDEN = ("Cc", "Cf", "Cs", "Co")


def clean(text: str) -> str:
    """The text without escape sequences and without characters that hide or turn others round; lines end in \\n."""
    lines = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
    return "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in _HIDDEN)


def last_lines(text: str, count: int = LAST_LINES) -> str:
    """The last lines that are not blank, cleaned; the long ones cut."""
    lines = [line.rstrip() for line in clean(text[-LONGEST:]).splitlines() if line.strip()]
    return "\n".join(line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "…" for line in lines[-count:])


def first_line(text: str) -> str:
    """The first line that is not blank, cleaned; cut if it is long."""
    line = next((line.strip() for line in clean(text[:LONGEST]).splitlines() if line.strip()), "")
    return line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + "…"


def duration(seconds: float) -> str:
    """2.3 s, 45 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: int | None) -> str:
    """Bytes in MB, as registries count them."""
    return "-" if count is None else f"{count / 1e6:.1f} MB"


def counted(count: int, what: str) -> str:
    """1 service, 2 services."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
