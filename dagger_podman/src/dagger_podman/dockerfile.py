"""What a Dockerfile refers to: its stages, and the images from outside that a target needs."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Mapping

from .errors import DaggerPodmanError

KNOWN = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
HEREDOC = re.compile(r"(?<!\S)\d*<<-?[\"']?(\w+)[\"']?")


@dataclasses.dataclass(frozen=True)
class Instruction:
    name: str
    text: str
    line: int


@dataclasses.dataclass(frozen=True)
class Stage:
    name: str
    base: str
    uses: tuple[str, ...]
    """Stages and images that COPY, ADD and RUN --mount take files from."""


def instructions(text: str) -> list[Instruction]:
    """The instructions with continued lines joined; here-documents are left out of the text."""
    escape = "\\"
    if match := re.match(r"(?:#.*\n)*#\s*escape\s*=\s*(\S)", text, re.IGNORECASE):
        escape = match[1]
    found: list[Instruction] = []
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        start, joined = i + 1, ""
        while i < len(lines):
            line = lines[i].rstrip()
            i += 1
            if line.lstrip().startswith("#") or (joined and not line.strip()):
                continue
            continued = line.endswith(escape)
            joined += line[:-1] + " " if continued else line
            if not continued:
                break
        name, rest = [*joined.split(None, 1), "", ""][:2]
        if name:
            found.append(Instruction(name.upper(), rest.strip(), start))
            for word in HEREDOC.findall(rest) if name.upper() in ("ADD", "COPY", "RUN") else ():
                while i < len(lines) and lines[i].strip() != word:
                    i += 1
                i += 1
    return found


def stages(
    text: str, build_args: Mapping[str, str], platform: str = "linux/amd64", file: str = "the Dockerfile"
) -> list[Stage]:
    """The stages in order, with the arguments that stand before the first FROM replaced. `file` is for errors."""
    values = {"TARGETPLATFORM": platform, "BUILDPLATFORM": platform}
    found: list[Stage] = []
    for instruction in instructions(text):
        if instruction.name not in KNOWN:  # Podman looks only at the stages that it builds
            where = f"{file}: dockerfile parse error on line {instruction.line}"
            raise DaggerPodmanError(f"{where}: unknown instruction: {instruction.name}")
        if instruction.name == "ARG" and not found:
            for word in shlex.split(instruction.text):
                name, _, default = word.partition("=")
                values[name] = build_args.get(name, substitute(default, values))
        elif instruction.name == "FROM":
            words = [w for w in instruction.text.split() if not w.startswith("--")]
            if not words:
                raise DaggerPodmanError(f"{file} line {instruction.line}: FROM names no image")
            name = words[2].lower() if len(words) == 3 and words[1].lower() == "as" else str(len(found))
            found.append(Stage(name, substitute(words[0], values), ()))
        elif found and (used := _sources(instruction)):
            uses = found[-1].uses + tuple(substitute(u, values) for u in used)
            found[-1] = dataclasses.replace(found[-1], uses=uses)
    if not found:
        raise DaggerPodmanError(f"{file} has no FROM")
    return found


def _sources(instruction: Instruction) -> list[str]:
    if instruction.name in ("COPY", "ADD"):
        return re.findall(r"--from=(\S+)", instruction.text)
    if instruction.name == "RUN":
        return [
            m for mount in re.findall(r"--mount=(\S+)", instruction.text) for m in re.findall(r"from=([^,]+)", mount)
        ]
    return []


def substitute(text: str, values: Mapping[str, str]) -> str:
    """`$A`, `${A}`, `${A:-default}` and `${A:+other}` replaced."""

    def replace(match: re.Match[str]) -> str:
        name, operator, other = match[1] or match[4], match[2], match[3] or ""
        value = values.get(name, "")
        if operator == ":-":
            return value or other
        if operator == ":+":
            return other if value else ""
        return value

    return re.sub(r"\$\{(\w+)(?:(:[-+])([^}]*))?\}|\$(\w+)", replace, text)


def outside_images(found: list[Stage], target: str = "") -> list[str]:
    """The images that building `target` (default: the last stage) takes from outside the Dockerfile."""
    names = {stage.name: i for i, stage in enumerate(found)} | {str(i): i for i in range(len(found))}
    if target and target.lower() not in names:
        known = ", ".join(stage.name for stage in found if not stage.name.isdigit()) or "none has a name"
        raise DaggerPodmanError(f"target stage {target!r} could not be found in the Dockerfile (stages: {known})")
    images: dict[str, None] = {}
    pending = [names[target.lower()] if target else len(found) - 1]
    done: set[int] = set()
    while pending:
        index = pending.pop()
        if index in done:
            continue
        done.add(index)
        for i, reference in enumerate((found[index].base, *found[index].uses)):
            earlier = names.get(reference.lower())
            if earlier is not None and (i > 0 or earlier < index):
                pending.append(earlier)
            elif reference != "scratch":
                images[reference] = None
    return list(images)
