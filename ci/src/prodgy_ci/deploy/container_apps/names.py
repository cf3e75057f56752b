"""The names of apps and their revisions, by the service's rules. Pure."""

import re
from collections.abc import Iterable

from ...errors import InputError

LONGEST_APP, LONGEST_REVISION = 32, 54

_APP = re.compile(r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]")
_COMMIT = re.compile(r"[0-9a-f]{10,64}")
_SUFFIX = re.compile(r"r[0-9a-f]{10}-[1-9][0-9]*")


def app_name(text: str, what: str) -> str:
    """The name of a container app; raises InputError that begins with `what`, such as the variable that holds it."""
    if not _APP.fullmatch(text) or len(text) > LONGEST_APP:
        raise InputError(
            f"{what}: {text!r} cannot be the name of a container app: 2 to {LONGEST_APP} lower case letters, digits "
            "and single dashes, a letter first and no dash last"
        )
    return text


def suffix(commit: str, attempt: int) -> str:
    """A revision's suffix; it begins with a letter, since the service refuses a digit. Raises InputError."""
    if not _COMMIT.fullmatch(commit):
        raise InputError(f"{commit!r} is not a commit: 10 to 64 lower case hexadecimal digits")
    return f"r{commit[:10]}-{attempt}"


def revision_name(app: str, ending: str) -> str:
    """A revision's whole name; raises InputError where the service would wait for ever instead of refusing it."""
    name = f"{app}--{ending}"
    if len(name) > LONGEST_REVISION:
        raise InputError(f"the revision name {name} is longer than {LONGEST_REVISION} characters: shorten the app's")
    return name


def next_suffix(app: str, commit: str, existing: Iterable[str]) -> str:
    """The suffix of the commit's next attempt: one that none of the existing revisions has."""
    beginning = f"{app}--{suffix(commit, 1).removesuffix('1')}"
    endings = (name.removeprefix(beginning) for name in existing if name.startswith(beginning))
    return suffix(commit, 1 + max((int(ending) for ending in endings if ending.isdigit()), default=0))


def is_made_here(app: str, name: str) -> bool:
    """Whether a revision's name is one that this package gives."""
    return name.startswith(f"{app}--") and _SUFFIX.fullmatch(name.removeprefix(f"{app}--")) is not None
