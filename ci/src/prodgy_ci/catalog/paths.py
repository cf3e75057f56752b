"""The forms a path may have in a catalog. Each function returns the path in its one spelling or raises ValueError."""

import re

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")


def relative(path: str) -> str:
    """A file or folder below the root, without a slash at its end."""
    trimmed = path.removesuffix("/") if path != "/" else path
    _refuse_unless_inside(trimmed)
    return trimmed


def root(path: str) -> str:
    """A folder of the repository, without a slash at its end; `.` is the repository itself."""
    return "." if path in (".", "./") else relative(path)


def rule(path: str) -> str:
    """A folder with a slash at its end, or one exact file."""
    if any(character in path for character in "*?["):
        raise ValueError(f"'{path}' holds a wildcard; give a folder that ends in '/' or one exact file")
    _refuse_unless_inside(path.removesuffix("/"))
    return path


def ignored(pattern: str) -> str:
    """A folder with a slash at its end, one exact file, or `*` and the end of a file's name in the root."""
    if pattern.startswith("*"):
        if len(pattern) == 1 or any(character in pattern[1:] for character in "*?[/\\"):
            raise ValueError(f"'{pattern}' is not '*' and the end of a file's name, such as '*.md'")
        return pattern
    return rule(pattern)


def _refuse_unless_inside(path: str) -> None:
    if _UNSAFE.search(path):
        raise ValueError(f"{path!r} holds a backslash or a control character; write paths with '/'")
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        raise ValueError(f"'{path}' is absolute; write it relative to the root")
    parts = path.split("/")
    if ".." in parts:
        raise ValueError(f"'{path}' leaves the repository")
    if "" in parts or "." in parts:
        raise ValueError(f"'{path}' is empty or holds an empty or '.' part")
