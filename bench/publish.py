"""Publishing and promoting: `python -m bench.publish`. The registries are Debian's docker-registry on this machine, ten
milliseconds away in each direction.

They hold the former images, as a registry does; the changed ones are built before, so that what is measured is their way.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.distance import distant
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


class Bench:
    """A clone to publish from, images for podman to push, and registries as often as wanted."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.clone, self.stack = folder, folder / "clone", stack
        self.numbers = itertools.count()
        run(["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(self.clone)])
        for service in SERVICES:
            call(self.clone, "build", "--service", service, "export-image", "--name", f"localhost/bench-{service}")

    def new_registry(self) -> Registry:
        """An empty one, some way off."""
        folder = self.folder / f"registry-{next(self.numbers)}"
        near = self.stack.enter_context(registry(folder, login=True))
        return replace(near, port=self.stack.enter_context(distant(near.port)))

    def change(self) -> None:
        """Changes a layer of each image, and builds them."""
        text = f"// {next(self.numbers)}\n"
        (self.clone / "examples/prodgy/packages/http-service/src/change.js").write_text(text)
        (self.clone / "examples/prodgy/apps/engine/engine/change.py").write_text(text.replace("//", "#"))
        run(["git", "add", "-A"], self.clone)
        run(["git", "-c", "user.name=bench", "-c", "user.email=@", "commit", "--quiet", "--message=change"], self.clone)
        plan = str(self.folder / "plan.json")
        call(self.clone, "plan", "--ref", "refs/heads/main", "--services", ",".join(SERVICES), "json", "-o", plan)
        call(self.clone, "build-all", "--services", ",".join(SERVICES), "-o", str(self.folder / "builds.json"))
        (self.folder / "change").write_text(text)
        for service in SERVICES:
            lines = f"FROM localhost/bench-{service}:latest\nCOPY change /change\n"
            (self.folder / "Dockerfile").write_text(lines)
            image = f"localhost/bench-{service}:changed"
            command = [
                "podman",
                "build",
                "--quiet",
                "--tag",
                image,
                "--file",
                "Dockerfile",
                "--ignorefile",
                "/dev/null",
            ]
            run([*command, "."], self.folder, ENVIRONMENT)

    def publish(self, to: Registry) -> dict[str, Any]:
        images = self.folder / "images.json"
        address = ("--registry", to.host, "--registry-service", f"tcp://{to.host}")
        call(self.clone, "publish", "--plan", str(self.folder / "plan.json"), *address, *LOGIN, "-o", str(images))
        return published(images)

    def promote(self, source: Registry, to: Registry) -> None:
        services = ("--from-service", f"tcp://{source.host}", "--to-service", f"tcp://{to.host}")
        logins = [f"--{side}-{part}" for side in ("from", "to") for part in ("username", "password")]
        given = itertools.chain.from_iterable(zip(logins, (USER, "env://BENCH_PASSWORD") * 2, strict=True))
        images = str(self.folder / "images.json")
        call(self.clone, "promote", "--images", images, "--to", to.host, *given, *services, "-o", "/dev/null")


def podman_push(to: Registry) -> None:
    for service in SERVICES:
        options = ("--quiet", "--tls-verify=false", "--creds", CREDENTIALS)
        image, target = f"localhost/bench-{service}:changed", f"docker://{to.host}/prodgy-{service}:bench"
        run(["podman", "push", *options, image, target], None, ENVIRONMENT)


def unversioned(image: dict[str, Any]) -> str:
    """HOST/NAME@DIGEST: this skopeo takes no reference with both a tag and a digest."""
    repository: str = image["reference"].partition("@")[0].rpartition(":")[0]
    return f"docker://{repository}@{image['digest']}"


def inspect(images: dict[str, Any]) -> None:
    for image in images.values():
        run(["skopeo", "inspect", "--tls-verify=false", "--creds", CREDENTIALS, unversioned(image)])


def skopeo_copy(images: dict[str, Any], to: Registry) -> None:
    for image in images.values():
        name = image["reference"].split("/", 1)[1]
        options = ("--quiet", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false")
        users = ("--src-creds", CREDENTIALS, "--dest-creds", CREDENTIALS)
        run(["skopeo", "copy", *options, *users, unversioned(image), f"docker://{to.host}/{name.partition('@')[0]}"])


def main() -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        bench = Bench(Path(name), stack)
        ours, theirs = bench.new_registry(), bench.new_registry()
        bench.change()
        images = bench.publish(ours)
        podman_push(theirs)

        unchanged: dict[str, Callable[[], object]] = {
            "publish": lambda: bench.publish(ours),
            "seven skopeo inspect": lambda: inspect(images),
        }
        medians = side_by_side("Seven unchanged images (per image: a seventh)", unchanged, 3)
        ratio(medians, "publish", "seven skopeo inspect")

        changed: dict[str, Callable[[], object]] = {
            "publish": lambda: bench.publish(ours),
            "seven podman push": lambda: podman_push(theirs),
        }
        medians = side_by_side("Seven changed images", changed, 3, bench.change)
        ratio(medians, "publish", "seven podman push")

        images = published(bench.folder / "images.json")
        copies = {
            "promote": lambda: bench.promote(ours, bench.new_registry()),
            "seven skopeo copy": lambda: skopeo_copy(images, bench.new_registry()),
        }
        medians = side_by_side("Seven images from one registry to an empty one", copies, 3)
        ratio(medians, "promote", "seven skopeo copy")
    every = (f"localhost/bench-{service}:{tag}" for service in SERVICES for tag in ("latest", "changed"))
    run(["podman", "rmi", "--force", *every], None, ENVIRONMENT)


if __name__ == "__main__":
    main()
