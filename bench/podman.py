"""dagger-podman beside bare Podman: `python -m bench.podman`.

In a store and a cache of their own with the base images alone, since each call of Podman reads and writes the list of all images.
Stand-ins and the module's image are made before it starts.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

from bench.timing import ratio, run, side_by_side
from dagger_podman import host, stand_ins, store

REPOSITORY = Path(__file__).parents[1]
PROGRAM = str(Path(sys.executable).with_name("dagger-podman"))
DOCKERFILES = {name: f"apps/{name}/Dockerfile" for name in ("api", "web", "service", "studio", "gateway", "agentic")}
DOCKERFILES["engine"] = "Dockerfile.engine"
BASES = ("node:18-alpine", "python:3.13-slim", "python:3.13")
ENVIRONMENT = {**os.environ, **host.podman_environment(store.default_folder())}


@contextlib.contextmanager
def own_store() -> Iterator[None]:
    """Meanwhile Podman's images and dagger-podman's cache are elsewhere, on the same disk; stand-ins are taken along."""
    told = ["podman", "info", "--format", "{{.Store.GraphDriverName}} {{.Store.GraphRoot}}"]
    driver, graph = subprocess.run(told, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout.split()
    folder = Path(tempfile.mkdtemp(dir=Path(graph).parent, prefix="bench-"))
    roots = f'graphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    (folder / "storage.conf").write_text(f'[storage]\ndriver = "{driver}"\n{roots}')
    (folder / "cache").mkdir()
    own = {"CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf", "DAGGER_PODMAN_CACHE": f"{folder}/cache"}
    try:
        taken = [image for one in BASES if exists(image := stand_in(one))]
        if taken:
            run(["podman", "save", "--multi-image-archive", "-o", f"{folder}/bases", *taken], environment=ENVIRONMENT)
        with (
            mock.patch.dict(os.environ, own),
            mock.patch.dict(ENVIRONMENT, own | dict(host.podman_environment(folder / "cache"))),
        ):
            if taken:
                run(["podman", "load", "-i", f"{folder}/bases"], environment=ENVIRONMENT)
                (folder / "bases").unlink()
            yield
    finally:
        run(["podman", "unshare", "rm", "-rf", str(folder)] if os.geteuid() else ["rm", "-rf", str(folder)])


def stand_in(reference: str) -> str:
    return f"localhost/dagger-podman/stand-in/{reference}"


def copy() -> Path:
    """This repository's files in a folder of their own."""
    folder = Path(tempfile.mkdtemp(prefix="prodgy-bench-")) / "repository"
    ignored = shutil.ignore_patterns(".venv", ".git", "node_modules", "__pycache__", ".*_cache")
    shutil.copytree(REPOSITORY, folder, ignore=ignored)
    run(["git", "init", "--quiet", str(folder)])
    return folder


def make_cold(folder: Path) -> None:
    """Change every stage of every Dockerfile, so that no cached layer fits."""
    for name in DOCKERFILES.values():
        path = folder / "examples/prodgy" / name
        text = re.sub(r"\nENV BENCH=\S+", "", path.read_text())
        path.write_text(re.sub(r"^(FROM .*)$", rf"\1\nENV BENCH={uuid.uuid4().hex}", text, flags=re.MULTILINE))


def bare(folder: Path, service: str) -> None:
    """What a person without us types, on the same base images."""
    contexts = []
    for reference in BASES:
        if stand_ins.known(stand_ins.canonical(reference)) and exists(stand_in(reference)):
            contexts += ["--build-context", f"{reference}=container-image://{stand_in(reference)}"]
    arguments = [
        *contexts,
        *host.build_options(),
        "--layers",
        "-t",
        f"bench-{service}",
        "-f",
        DOCKERFILES[service],
        ".",
    ]
    run(["podman", "build", *arguments], folder / "examples/prodgy", ENVIRONMENT)


def exists(image: str) -> bool:
    return subprocess.run(["podman", "image", "exists", image], env=ENVIRONMENT, check=False).returncode == 0


class Session:
    """A `dagger-podman session`, and queries to it."""

    def __enter__(self) -> Session:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([PROGRAM, "session"], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
        assert self.process.stdout
        self.address = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def query(self, text: str) -> Any:
        token = base64.b64encode(f"{self.address['session_token']}:".encode()).decode()
        url = f"http://127.0.0.1:{self.address['port']}/query"
        request = urllib.request.Request(url, json.dumps({"query": text}).encode(), {"Authorization": f"Basic {token}"})
        with urllib.request.urlopen(request) as answer:
            found = json.load(answer)
        if "errors" in found:
            raise RuntimeError(found["errors"])
        return found["data"]

    def execute(self) -> None:
        command = f'["sh", "-c", "# {time.time_ns()}"]'
        self.query(
            f'{{ container {{ from(address: "python:3.13-slim") {{ withExec(args: {command}) {{ sync }} }} }} }}'
        )

    def memory(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024


def main() -> None:
    with own_store():
        _measure()


def _measure() -> None:
    folder = copy()
    call = [PROGRAM, "call", "--silent"]
    try:
        run([*call, "build-all"], folder)
        warm = {"call services": lambda: run([*call, "services"], folder)}
        warm["call build --service engine"] = lambda: run([*call, "build", "--service", "engine"], folder)
        side_by_side("A whole command with nothing changed (goal: 3 s)", warm, 5)

        def ours() -> None:
            make_cold(folder)
            run([*call, "build", "--service", "engine"], folder)

        def theirs() -> None:
            make_cold(folder)
            bare(folder, "engine")

        medians = side_by_side(
            "engine, no layer cached (goal: ratio 1.2)", {"dagger-podman": ours, "podman build": theirs}, 7
        )
        ratio(medians, "dagger-podman", "podman build")

        def all_ours() -> None:
            make_cold(folder)
            run([*call, "build-all", "--services", ",".join(DOCKERFILES)], folder)

        def all_theirs() -> None:
            make_cold(folder)
            for name in DOCKERFILES:
                bare(folder, name)

        title = "All seven images, no layer cached (goal: faster)"
        medians = side_by_side(title, {"build-all": all_ours, "podman build, one after the other": all_theirs}, 2)
        ratio(medians, "build-all", "podman build, one after the other")

        with Session() as session:
            session.execute()
            image = stand_in("python:3.13-slim")
            plain = [
                "podman",
                "run",
                "--rm",
                "--network",
                "none",
                image if exists(image) else "python:3.13-slim",
                "true",
            ]
            contenders = {"withExec": session.execute, "podman run": lambda: run(plain, environment=ENVIRONMENT)}
            medians = side_by_side("An empty command", contenders, 7)
            ratio(medians, "withExec", "podman run")
            side_by_side("A round trip", {"{ version }": lambda: session.query("{ version }")}, 50)
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: session.query("{ version }"), range(200)))
            print(f"\nMost memory that the session held: {session.memory():.0f} MiB")
    finally:
        shutil.rmtree(folder.parent)


if __name__ == "__main__":
    main()
