"""Publishing and promoting: `python -m bench.publish`. The registries are Debian's docker-registry on loopback.

Images are built before, so that what is measured is the way of seven images to a registry.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.podman import ENVIRONMENT, PROGRAM, REPOSITORY
from bench.timing import ratio, run, side_by_side

sys.path.insert(0, str(REPOSITORY / "tests"))
from fakes.registry import PASSWORD, USER, Registry, registry

SERVICES = ("api", "web", "service", "studio", "gateway", "agentic", "engine")
CREDENTIALS = f"{USER}:{PASSWORD}"
LOGIN = ("--username", USER, "--password", "env://BENCH_PASSWORD")


def call(repository: Path, *arguments: str) -> None:
    run([PROGRAM, "call", "--silent", *arguments], repository, {**ENVIRONMENT, "BENCH_PASSWORD": PASSWORD})


def published(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())["images"]
    return found


class Registries:
    """New, empty registries as often as wanted, gone at the end."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack, self.numbers = folder, stack, itertools.count()

    def new(self) -> Registry:
        return self.stack.enter_context(registry(self.folder / f"registry-{next(self.numbers)}", login=True))


@contextlib.contextmanager
def prepared() -> Iterator[tuple[Path, Path, Registries]]:
    """A clone with its plan and the seven images built."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        clone = folder / "clone"
        run(["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(clone)])
        call(clone, "plan", "--ref", "refs/heads/main", "--services", ",".join(SERVICES), "json", "-o", "plan.json")
        (clone / "plan.json").rename(folder / "plan.json")
        call(clone, "build-all", "--services", ",".join(SERVICES))
        for service in SERVICES:
            call(clone, "build", "--service", service, "export-image", "--name", f"localhost/bench-{service}")
        yield folder, clone, Registries(folder, stack)
    run(["podman", "rmi", "--force", *(f"localhost/bench-{service}" for service in SERVICES)], None, ENVIRONMENT)


def publish(folder: Path, clone: Path, to: Registry) -> dict[str, Any]:
    images = folder / "images.json"
    address = ("--registry", to.host, "--registry-service", f"tcp://{to.host}")
    call(clone, "publish", "--plan", str(folder / "plan.json"), *address, *LOGIN, "-o", str(images))
    return published(images)


def podman_push(to: Registry) -> None:
    for service in SERVICES:
        options = ("--quiet", "--tls-verify=false", "--creds", CREDENTIALS)
        target = f"docker://{to.host}/prodgy-{service}:bench"
        run(["podman", "push", *options, f"localhost/bench-{service}", target], None, ENVIRONMENT)


def unversioned(image: dict[str, Any]) -> str:
    """HOST/NAME@DIGEST: this skopeo takes no reference with both a tag and a digest."""
    repository: str = image["reference"].partition("@")[0].rpartition(":")[0]
    return f"docker://{repository}@{image['digest']}"


def inspect(images: dict[str, Any]) -> None:
    for image in images.values():
        run(["skopeo", "inspect", "--tls-verify=false", "--creds", CREDENTIALS, unversioned(image)])


def promote(folder: Path, clone: Path, source: Registry, to: Registry) -> None:
    services = ("--from-service", f"tcp://{source.host}", "--to-service", f"tcp://{to.host}")
    logins = [f"--{side}-{part}" for side in ("from", "to") for part in ("username", "password")]
    given = itertools.chain.from_iterable(zip(logins, (USER, "env://BENCH_PASSWORD") * 2, strict=True))
    call(
        clone, "promote", "--images", str(folder / "images.json"), "--to", to.host, *given, *services, "-o", "/dev/null"
    )


def skopeo_copy(images: dict[str, Any], to: Registry) -> None:
    for image in images.values():
        name = image["reference"].split("/", 1)[1]
        options = ("--quiet", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false")
        users = ("--src-creds", CREDENTIALS, "--dest-creds", CREDENTIALS)
        run(["skopeo", "copy", *options, *users, unversioned(image), f"docker://{to.host}/{name.partition('@')[0]}"])


def main() -> None:
    with prepared() as (folder, clone, registries):
        changed = {
            "publish": lambda: publish(folder, clone, registries.new()),
            "seven podman push": lambda: podman_push(registries.new()),
        }
        medians = side_by_side("Seven changed images to an empty registry", changed, 3)
        ratio(medians, "publish", "seven podman push")

        source = registries.new()
        images = publish(folder, clone, source)
        unchanged: dict[str, Callable[[], object]] = {
            "publish": lambda: publish(folder, clone, source),
            "seven skopeo inspect": lambda: inspect(images),
        }
        medians = side_by_side("Seven unchanged images (per image: a seventh)", unchanged, 5)
        ratio(medians, "publish", "seven skopeo inspect")

        copies = {
            "promote": lambda: promote(folder, clone, source, registries.new()),
            "seven skopeo copy": lambda: skopeo_copy(images, registries.new()),
        }
        medians = side_by_side("Seven images from one registry to another", copies, 3)
        ratio(medians, "promote", "seven skopeo copy")


if __name__ == "__main__":
    main()
