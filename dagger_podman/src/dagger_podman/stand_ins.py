"""Stand-ins: images built from Debian's packages for the few bases whose registry cannot be reached.

Each has a recipe: a Dockerfile in `stand_in_recipes/` whose first line names the image that it stands for.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import hashlib
import importlib.resources
import json
import shutil
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .errors import DaggerPodmanError, PodmanError, UsageError
from .host import build_options
from .podman import IMAGES, LABEL, Podman

ASK_AGAIN_AFTER = 600.0
"""Seconds for which it is remembered that a registry did not answer."""
ANSWERS_WITHIN = 5.0
LOOPBACK_ANSWERS_WITHIN = 2.0
FIRST_LINE = "# stand-in for "
ALSO = {"docker.io/library/node:22-bookworm-slim": "docker.io/library/node:18-alpine"}
"""Images for which the stand-in of another one does too."""
FAKE_MKNOD = """#!/bin/sh
for word; do case $word in /*) touch "$word"; chmod 666 "$word" ;; esac; done
"""


# --- names --------------------------------------------------------------------------------------------
def canonical(reference: str) -> str:
    """`node:18` → `docker.io/library/node:18`: the one spelling of an image's name."""
    name, at, digest = reference.partition("@")
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", name
    if first in ("docker.io", "index.docker.io") and "/" not in rest:
        rest = f"library/{rest}"
    tag = "" if at or ":" in rest else ":latest"
    return f"{first.replace('index.docker.io', 'docker.io')}/{rest}{tag}{at}{digest}"


def registry_of(reference: str) -> str:
    """The registry of a name in its one spelling."""
    return reference.partition("/")[0]


# --- whether to use one -------------------------------------------------------------------------------
def registry_reachable(registry: str, folder: Path) -> bool:
    """Whether a registry speaks its protocol. That one does not is remembered for a while, also across runs.

    Loopback registries come and go with tests: they are asked each time.
    """
    from .images import is_loopback

    if registry == "localhost":
        return False
    if is_loopback(registry):
        return any(_answers(scheme, registry, LOOPBACK_ANSWERS_WITHIN) for scheme in ("http", "https"))
    path = folder / "unreachable" / f"{hashlib.sha256(registry.encode()).hexdigest()[:16]}.json"
    with contextlib.suppress(OSError, ValueError, TypeError):
        if 0 <= time.time() - float(json.loads(path.read_text())) < ASK_AGAIN_AFTER:
            return False
    if _answers("https", {"docker.io": "registry-1.docker.io"}.get(registry, registry)):
        return True
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(time.time()))
    return False


def _answers(scheme: str, host: str, within: float = ANSWERS_WITHIN) -> bool:
    try:
        with urllib.request.urlopen(f"{scheme}://{host}/v2/", timeout=within) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        return error.code == 401  # it wants a log-in, which podman has or brings
    except OSError as error:
        return isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError)  # podman knows its certificate


# --- making one ---------------------------------------------------------------------------------------
@functools.cache
def recipes() -> dict[str, str]:
    """The recipes' texts by what they stand for."""
    files = importlib.resources.files(__package__) / "stand_in_recipes"
    texts = (file.read_text() for file in files.iterdir() if file.name.endswith(".Dockerfile"))
    found = {text.partition("\n")[0].removeprefix(FIRST_LINE).strip(): text for text in texts}
    return found | {name: found[other] for name, other in ALSO.items()}


def known(reference: str) -> bool:
    """Whether there is a stand-in for a name in its one spelling."""
    return reference in recipes()


def image_name(reference: str) -> str:
    """The name of the stand-in for a name in its one spelling."""
    return f"{IMAGES}/stand-in/{ALSO.get(reference, reference).rpartition('/')[2]}"


def notice(reference: str) -> str:
    """What nobody may miss who gets a stand-in."""
    return (
        f"{registry_of(reference)} cannot be reached: a STAND-IN built from Debian's packages is used for {reference}.\n"
        "It is not the official image, and what is built on it can be published to a loopback registry only."
    )


def is_current(reference: str, image: Mapping[str, Any]) -> bool:
    """Whether an image, as Podman describes it, was made by today's recipe."""
    return bool((image.get("Labels") or {}).get(f"{LABEL}.recipe") == _digest(reference))


def _digest(reference: str) -> str:
    return hashlib.sha256(recipes()[reference].encode()).hexdigest()


async def make(reference: str, podman: Podman, folder: Path, say: Callable[[str], None]) -> None:
    """Build the stand-in's image, unless another session has done so in the meantime."""
    recipe, image, digest = recipes()[reference], image_name(reference), _digest(reference)
    with (folder / "stand-ins.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)  # the holder may be of this very process
        if await _label(podman, image, "recipe") == digest:
            return
        suite = recipe.partition("FROM debian:")[2].split()[0]
        base = await _debian(podman, suite, say)
        say(f"Building the stand-in for {reference} (once)")
        with tempfile.TemporaryDirectory() as context:
            (Path(context) / "Dockerfile").write_text(recipe)
            labels = {LABEL: "stand-in", f"{LABEL}.stand-in-for": reference, f"{LABEL}.recipe": digest}
            options = [f"--label={name}={value}" for name, value in labels.items()]
            try:
                await podman(
                    *("build", "--pull=never", "--layers=false", "--tag", image, *options, *build_options()),
                    *("--build-context", f"debian:{suite}=container-image://{base}", context),
                )
            except PodmanError as error:
                raise DaggerPodmanError(f"the stand-in for {reference} could not be built:\n{error.stderr}") from None


async def _label(podman: Podman, image: str, name: str) -> str:
    done = await podman.run("image", "inspect", "--format", f'{{{{index .Labels "{LABEL}.{name}"}}}}', image)
    return done.stdout.decode().strip() if done.exit_code == 0 else ""


async def _debian(podman: Podman, suite: str, say: Callable[[str], None]) -> str:
    """The id of a minimal Debian, made with debootstrap."""
    image = f"{IMAGES}/stand-in/debian:{suite}"
    if await _label(podman, image, "suite") != suite:
        say(f"Making a minimal Debian {suite} for stand-ins (once)")
        if not shutil.which("debootstrap"):
            raise UsageError("debootstrap is not installed; `dagger-podman doctor` says how to install it")
        folder = Path(tempfile.mkdtemp(prefix="dagger-podman-debian-"))
        try:
            await _debootstrap(podman, suite, folder / "root", folder / "root.tar")
            labels = [f"--change=LABEL {LABEL}=stand-in", f"--change=LABEL {LABEL}.suite={suite}"]
            await podman("import", "--quiet", *labels, str(folder / "root.tar"), image)
        finally:
            await _run(podman, "rm", "-rf", str(folder))
    return await podman("image", "inspect", "--format", "{{.Id}}", image)


async def _debootstrap(podman: Podman, suite: str, root: Path, archive: Path) -> None:
    program = ["debootstrap"]
    if (
        podman.rootless
    ):  # no device can be made there; a file does for the installation, and no device goes into the image
        fake = root.parent / "mknod"
        fake.write_text(FAKE_MKNOD)
        fake.chmod(0o755)
        path = f"PATH={root.parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        program = ["env", path, "unshare", "--pid", "--fork", "debootstrap"]
    await _run(podman, *program, "--variant=minbase", "--include=ca-certificates", suite, str(root), *_mirror())
    policy = root / "usr/sbin/policy-rc.d"  # a package's installation starts no service
    await _run(podman, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' > {policy} && chmod 755 {policy}")
    left_out = ("--exclude=*.deb", "--exclude=./dev/*")
    await _run(podman, "tar", "-C", str(root), "--numeric-owner", *left_out, "-cf", str(archive), ".")


async def _run(podman: Podman, *command: str) -> None:
    """Run a command of the host; without root, in Podman's user namespace."""
    words = ["podman", "unshare", *command] if podman.rootless else list(command)
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
    if process.returncode:
        last = "\n".join(said.decode(errors="replace").splitlines()[-15:])
        raise DaggerPodmanError(f"{command[0]} failed with exit code {process.returncode}:\n{last}")


def _mirror() -> list[str]:
    """The mirror that this host's own packages come from; nothing where it is no Debian (debootstrap has a default)."""
    release = Path("/etc/os-release")
    if not release.exists() or "\nID=debian" not in "\n" + release.read_text():
        return []
    for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for block in path.read_text().split("\n\n"):
            fields = dict(line.split(":", 1) for line in block.splitlines() if ":" in line and not line.startswith("#"))
            suites = fields.get("Suites", "").split()
            if "main" in fields.get("Components", "").split() and suites and "-" not in suites[0]:
                if "debian-archive-keyring" in fields.get("Signed-By", ""):
                    return [fields["URIs"].split()[0]]
    listing = Path("/etc/apt/sources.list")
    lines = listing.read_text().splitlines() if listing.exists() else []
    words = [w.split() for w in lines if w.startswith("deb ") and "[" not in w and " main" in w]
    return [words[0][1]] if words else []
