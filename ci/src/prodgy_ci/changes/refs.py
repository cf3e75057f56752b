"""The forms of refs, commit ids and release tags, checked before git or a file sees them."""

import re

from ..errors import InputError
from .rulebook import Environment, Rulebook

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[./]$")
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FROM_HEAD = re.compile(r"HEAD(?:~\d{1,6})?")
_SHORT_ID = re.compile(r"[0-9a-f]{7,64}")
_NUMBER = r"(?:0|[1-9]\d*)"
_PART = rf"(?:{_NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
_SEMANTIC_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?", re.ASCII
)


def full_ref(ref: str, option: str) -> str:
    """A full ref, such as refs/heads/main, as git would take it; raises InputError that names the option."""
    if not ref.startswith("refs/"):
        raise InputError(f"{option}: {ref!r} is not a full ref; write it as refs/heads/main or refs/tags/v1.2.3")
    if ref.count("/") < 2 or _FORBIDDEN.search(ref) or not _encodable(ref):
        raise InputError(f"{option}: {ref!r} is not a name that git takes for a ref")
    return ref


def commit_name(name: str, option: str) -> str:
    """A commit id (7 digits or more), a full ref, HEAD or HEAD~3; raises InputError that names the option."""
    if _FROM_HEAD.fullmatch(name) or _SHORT_ID.fullmatch(name):
        return name
    if name.startswith("refs/"):
        return full_ref(name, option)
    raise InputError(f"{option}: {name!r} is not a commit id (7 to 64 digits 0-9a-f), a full ref or HEAD")


def commit_id(text: str, option: str) -> str:
    """A whole commit id; raises InputError that names the option or key."""
    if not _ID.fullmatch(text):
        raise InputError(f"{option}: {text!r} is not a whole commit id (40 or 64 digits 0-9a-f)")
    return text


def environment_of(ref: str, book: Rulebook) -> Environment | None:
    """The environment of a full ref; raises InputError for a tag that is no release."""
    environment = book.environment(ref)
    if not ref.startswith("refs/tags/") or (environment and not environment.ref.endswith("*")):
        return environment
    prefix = environment.ref[:-1] if environment else "refs/tags/v"
    if not _SEMANTIC_VERSION.fullmatch(ref.removeprefix(prefix)):
        tag, before = ref.removeprefix("refs/tags/"), prefix.removeprefix("refs/tags/")
        raise InputError(
            f"--ref: the tag '{tag}' is not '{before}' and a semantic version, such as {before}1.2.3; no release"
        )
    return environment


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
