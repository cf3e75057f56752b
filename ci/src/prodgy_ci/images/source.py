"""Whether the source is the very tree of a commit, and what git tells of that commit."""

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import NamedTuple

import dagger
from dagger import dag

from ..catalog import Catalog, Service
from ..errors import InputError, UndeterminedError
from .context import HEAVY, patterns

IMAGE = "python:3.13"
"""Official Python, which has git: the planner's image."""
SHOWN = 10

GIT = "git -c safe.directory='*' -c core.fsmonitor=false -c core.quotePath=false --git-dir=/repository/.git"
SCRIPT = f"""set -e
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_INDEX_FILE=/tmp/index GIT_NO_REPLACE_OBJECTS=1
commit=$1; shift
{GIT} show -s --format=%cI "$commit"
{GIT} config --get remote.origin.url || echo
{GIT} read-tree "$commit"
{GIT} --work-tree=/source status --porcelain -z --no-renames --untracked-files=all --ignored=matching -- "$@"
"""


class Commit(NamedTuple):
    """What images tell of the commit that they are built from."""

    date: str
    """When it was committed, ISO 8601."""
    url: str | None
    """Where the repository is, without a user."""


async def compare(
    source: dagger.Directory, git: dagger.Directory, catalog: Catalog, services: Sequence[Service], commit: str
) -> Commit:
    """The commit's date; raises InputError where what the builds may see is not what the commit holds.

    Ignored files count too, since a build sees them all the same.
    """
    seen = sorted({catalog.in_repository(path) for service in services for path in patterns(catalog, service)})
    container = (
        dag.container()
        .from_(IMAGE)
        .with_mounted_directory("/repository/.git", git)
        .with_mounted_directory("/source", source.filter(include=seen))
    )
    try:
        printed = await container.with_exec(["sh", "-c", SCRIPT, "compare", commit, *pathspecs(seen)]).stdout()
    except dagger.ExecError as error:
        raise UndeterminedError(
            f"could not compare the source with the commit {commit}: {error.stderr.strip()}"
        ) from None
    date, _, rest = printed.partition("\n")
    remote, _, status = rest.partition("\n")
    if found := differences(status):
        shown = "".join(f"\n  {line}" for line in found[:SHOWN])
        more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise InputError(
            f"the source is not what the commit {commit} holds, so its images could not carry that commit's name; "
            f"commit, remove or stash this, or plan the commit that is checked out:{shown}{more}"
        )
    return Commit(date.strip(), web_url(remote.strip()))


def pathspecs(paths: Sequence[str]) -> list[str]:
    """Git's words for the paths."""
    return [f":(literal){path}" for path in paths]


def differences(status: str) -> list[str]:
    """What `git status --porcelain -z` tells of the source, for people: one line for each path.

    What it tells of the commit that is checked out, which may be another, is passed over.
    """
    words = {"D": "missing", "?": "not in the commit", "!": "not in the commit (ignored)"}
    entries = [entry for entry in status.split("\0") if entry.strip() and entry[1] != " "]
    return [f"{entry[3:]}: {words.get(entry[1], 'changed')}{_left_out(entry[3:])}" for entry in entries]


def _left_out(path: str) -> str:
    """That a committed file is in no build, because of its name or a folder's."""
    parts = path.split("/")
    for pattern in HEAVY:
        anywhere = pattern.startswith("**/")
        if any(fnmatch(part, pattern.removeprefix("**/")) for part in (parts if anywhere else parts[:1])):
            return f" (no build takes {pattern} from a source; rename it)"
    return ""


def web_url(remote: str) -> str | None:
    """A remote's URL without user and password; None where it is none, such as a folder's path."""
    if scp := re.fullmatch(r"(?:[^@/\s]+@)?([A-Za-z0-9.-]+):(?!//)(\S+)", remote):
        return f"https://{scp[1]}/{scp[2].removesuffix('.git').lstrip('/')}"
    if url := re.fullmatch(r"(?:https?|ssh|git)://(?:[^@/\s]*@)?([^/\s]+)/(\S+)", remote):
        return f"https://{url[1]}/{url[2].removesuffix('.git')}"
    return None
