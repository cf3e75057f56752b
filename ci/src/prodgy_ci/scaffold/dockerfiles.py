"""What a Dockerfile tells of the service that it builds."""

import json
import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass

_NAMED = re.compile(r"(?:(?P<before>[\w-]+)\.)?Dockerfile(?:\.(?P<after>[\w-]+))?", re.IGNORECASE)
_OPTION = re.compile(r"--[\w-]+(?:=\S+)?\s+")
_NO_SERVICE = re.compile(r"(^|/)(\.devcontainer|tests?|e2e|examples?|fixtures?|templates?|demos?)(/|$)", re.IGNORECASE)
_BUILD_FOLDERS = ("docker", ".docker", "deploy", "deployment", "build", "infra", "ops", "dockerfiles")
_VARIANTS = ("dev", "development", "test", "local", "ci", "debug", "base", "dockerignore")
_ALL = (".", "./", "*", "/")


@dataclass(frozen=True)
class Dockerfile:
    """What stands in one."""

    path: str
    copied: tuple[str, ...]
    """What it copies from the context, as it stands there, without ./ and the slash at the end; `.` is all of it."""
    port: int | None
    stages: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Where it lies; empty for the root."""
        return self.path.rpartition("/")[0]

    @property
    def is_apart(self) -> bool:
        """Whether it lies in a folder for Dockerfiles, not in its service's."""
        return self.folder.rpartition("/")[2].lower() in _BUILD_FOLDERS

    @property
    def word(self) -> str | None:
        """`engine` for Dockerfile.engine and engine.Dockerfile."""
        match = _NAMED.fullmatch(self.path.rpartition("/")[2])
        return (match["before"] or match["after"]) if match else None

    def context(self, root: Collection[str], own: Collection[str]) -> str:
        """The folder that it copies from: the root or its own, of which the names are given."""
        if not self.folder or any(f"{copied}/".startswith(f"{self.folder}/") for copied in self.copied):
            return "."
        firsts = {copied.partition("/")[0] for copied in self.copied} - {"."}
        only_own = [first for first in firsts if _there(first, own) and not _there(first, root)]
        only_root = [first for first in firsts if _there(first, root) and not _there(first, own)]
        return "." if len(only_root) > len(only_own) - self.is_apart else self.folder


def is_service(path: str) -> bool:
    """Whether a file is the Dockerfile of something that is deployed."""
    folder, _, name = path.rpartition("/")
    match = _NAMED.fullmatch(name)
    if match is None or _NO_SERVICE.search(folder):
        return False
    return not any((match[group] or "").lower() in _VARIANTS for group in ("before", "after"))


def read(path: str, text: str) -> Dockerfile:
    """What the text of a Dockerfile tells."""
    copied: dict[str, None] = {}
    stages: list[str] = []
    port = None
    for line in _instructions(text):
        word, _, rest = line.partition(" ")
        if word.upper() in ("COPY", "ADD") and not re.search(r"--from=", rest):
            copied |= dict.fromkeys(_sources(rest))
        elif word.upper() == "RUN":
            binds = [
                mount for mount in re.findall(r"--mount=(\S+)", rest) if "type=bind" in mount and "from=" not in mount
            ]
            sources = [s for bind in binds for s in re.findall(r"(?:source|src)=([^,\s]+)", bind)]
            copied |= dict.fromkeys(
                "." if source in _ALL else source.removeprefix("./").strip("/") for source in sources
            )
        elif word.upper() == "EXPOSE" and port is None:
            found = re.match(r"\d+", rest.strip())
            port = int(found[0]) if found else None
        elif word.upper() == "FROM" and (named := re.search(r"\sAS\s+(\S+)", rest, re.IGNORECASE)):
            stages.append(named[1].lower())
    return Dockerfile(path, tuple(copied), port, tuple(stages))


def _instructions(text: str) -> list[str]:
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if not line.lstrip().startswith("#")]
    return [line.strip() for line in re.sub(r"\\\s*\n", " ", "\n".join(lines)).splitlines() if line.strip()]


def _sources(words: str) -> list[str]:
    plain = _OPTION.sub("", words).strip()
    try:
        listed = json.loads(plain) if plain.startswith("[") else shlex.split(plain)
    except ValueError:
        return []
    sources = [source for source in listed[:-1] if not re.match(r"https?:|git@|<<|\$|\.\./", source)]
    return ["." if source in _ALL else source.removeprefix("./").strip("/") for source in sources]


def _there(name: str, names: Collection[str]) -> bool:
    pattern = re.compile(re.escape(name).replace(r"\*", ".*").replace(r"\?", "."))
    return any(pattern.fullmatch(other) for other in names)
