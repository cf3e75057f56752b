"""Builds Dockerfiles with `podman build`: once for equal input, quietly from the cache afterwards."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence

from . import host, images
from .dockerfile import outside_images, stages
from .errors import DaggerPodmanError, ExecError
from .files import MTIME, write_out
from .patterns import parse_dockerignore
from .podman import IMAGES
from .session import SecretValue, Session
from .store import digest_of
from .tree import Tree, filtered


async def build(
    session: Session,
    context: Tree,
    dockerfile: str,
    platform: str,
    build_args: Sequence[dict[str, str]],
    target: str,
    secrets: Sequence[SecretValue],
) -> str:
    """The id of the image that a Dockerfile of the context gives."""
    text = _read(session, context, dockerfile)
    arguments = {a["name"]: a.get("value", "") for a in build_args}
    bases = outside_images(stages(text, arguments, platform or host.own_platform(), dockerfile), target)
    ids = dict(zip(bases, await asyncio.gather(*(images.pulled(session, b, platform) for b in bases)), strict=True))
    ignored = next((p for p in (f"{dockerfile}.dockerignore", ".dockerignore") if p in context.entries), None)
    if ignored:
        context = filtered(context, exclude=parse_dockerignore(_read(session, context, ignored)))
    decides = [context.digest, text, sorted(arguments.items()), target, platform, ids, sorted(s.name for s in secrets)]
    key = digest_of(["build", *decides])

    async def known_or_built() -> str:
        async with session.store.lock(f"build-{key}"):
            title = f"build {dockerfile}" + (f" --target {target}" if target else "")
            if (known := session.store.read("images", key)) and await images.present(session, known):
                await session.progress.cached(title)
                return str(known)
            options = [
                *(["--platform", platform] if platform else []),
                *(["--target", target] if target else []),
                *(["--format", "docker"] if DOCKER_ONLY.search(text) else []),
                *(w for name, image in ids.items() for w in ("--build-context", f"{name}=container-image://{image}")),
                *(w for name, value in arguments.items() for w in ("--build-arg", f"{name}={value}")),
                *("--tag", f"{IMAGES}/build:{key[:32]}"),
            ]
            image, steps = await _build(session, context, text, title, options, secrets)
            session.store.write("steps", key, steps)
            session.store.write("images", key, image)
            return image

    return await session.once(f"build {key}", known_or_built)


def _read(session: Session, context: Tree, path: str) -> str:
    entry = context.entries.get(os.path.normpath(path))
    if entry is None or entry.kind != "file":
        raise DaggerPodmanError(f"failed to read dockerfile: open {path}: no such file or directory")
    return session.store.read_blob(entry.content).decode(errors="replace")


async def _build(
    session: Session, context: Tree, text: str, title: str, options: list[str], secrets: Sequence[SecretValue]
) -> tuple[str, list[str]]:
    """The image, and the images of its steps."""
    with session.secret_folder() as secret_folder, session.store.temporary_folder() as folder:
        await asyncio.to_thread(write_out, session.store, context, folder / "context")
        (folder / "Dockerfile").write_text(text, encoding="utf-8")
        for i, secret in enumerate(secrets):
            path = secret_folder / str(i)
            path.write_bytes(await secret.read())
            path.chmod(0o600)
            options = [*options, "--secret", f"id={secret.name},src={path}"]
        command = [
            *("build", "--layers", "--pull=never", "--timestamp", str(MTIME), "--iidfile", str(folder / "id")),
            *("--file", str(folder / "Dockerfile"), *host.build_options(), *options, str(folder / "context")),
        ]
        async with session.building, session.progress.step(title) as step:
            done = await session.podman.run(*command, listener=step.output)
            if done.exit_code:
                raise _failure(session, text, done.stdout, done.stderr)
        image = (folder / "id").read_text().strip().removeprefix("sha256:")
        return image, STEP.findall(done.stdout.decode(errors="replace"))


STEP = re.compile(r"^--> ([0-9a-f]{11,64})$", re.MULTILINE)
"""What Podman says of the image that it keeps of a step. A command may print the same: prune looks at the image too."""
DOCKER_ONLY = re.compile(r"^\s*(?:HEALTHCHECK|SHELL|ONBUILD)\s", re.IGNORECASE | re.MULTILINE)
"""Instructions that OCI's format of images has no place for."""
HEREDOC = re.compile(r"\s*(?:RUN|COPY|ADD)\s.*<<-?[\"']?\w+", re.IGNORECASE)


def _failure(session: Session, dockerfile: str, stdout: bytes, stderr: bytes) -> Exception:
    """The failing instruction's own output and exit code, or what Podman says of the Dockerfile."""
    out = session.scrubber.clean(stdout).decode(errors="replace")
    lines = session.scrubber.clean(stderr).decode(errors="replace").splitlines()
    own = "\n".join(line for line in lines if line.startswith("Error:")).strip()
    step = re.search(r'STEP "(.*?)": ', own)
    if status := re.search(r"exit status (\d+)", own):
        last = re.split(r"^(?:\[\d+/\d+\] )?STEP \d+/\d+: .*\n", out, flags=re.MULTILINE)[-1]
        rest = "\n".join(line for line in lines if not line.startswith(("Error:", "time="))).strip()
        instruction = [step[1]] if step else []
        return ExecError(
            instruction, int(status[1]), last.strip(), rest, hint=_where(dockerfile, step[1] if step else "")
        )
    said = own.removeprefix("Error: ") or out.strip()[-500:]
    return DaggerPodmanError(f"failed to build: {_explained(dockerfile, step[1] if step else '', said)}")


def _explained(dockerfile: str, instruction: str, said: str) -> str:
    """Podman's words for a Dockerfile that it refuses, with the line, and in words that tell what to do."""
    if heredoc := next((line for line in dockerfile.splitlines() if HEREDOC.match(line)), ""):
        if "Unknown instruction" in said:
            return f"{_where(dockerfile, heredoc)}: this Podman does not know here-documents; 4.8 and newer do"
    place = f"{where}: " if (where := _where(dockerfile, instruction)) else ""
    said = re.sub(r'^building at STEP ".*?": ', "", said)
    if missing := re.search(r'copier: stat: "/?(.*?)": no such file', said):
        return f"{place}the build context holds no {missing[1]!r}, or .dockerignore leaves it out"
    if "only supports the" in said or "Unknown flag" in said or "unknown flag" in said:
        return f"{place}this Podman does not know the instruction's flags ({said}); a newer one may"
    return place + said.partition(" &imagebuilder.Step")[0]


def _where(dockerfile: str, instruction: str) -> str:
    start = " ".join(instruction.split())[:40]
    for number, line in enumerate(dockerfile.splitlines(), 1):
        if start and " ".join(line.split()).startswith(start[:20]):
            return f"Dockerfile line {number}: {line.strip()}"
    return ""
