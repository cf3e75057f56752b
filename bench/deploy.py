"""Deploying: `python -m bench.deploy`. The servers are the tests' fakes on loopback, so they give an upper bound.

Of the container apps it is measured how much later than the server's own slowest app all seven serve the new release; of
the Windows machine the way of an archive to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
from pydantic import SecretStr

from bench.podman import REPOSITORY
from bench.timing import ratio, side_by_side

sys.path.insert(0, str(REPOSITORY / "tests"))
from fakes.resource_manager import App, Manager, resource_manager

from prodgy_ci.deploy import rollout
from prodgy_ci.deploy.container_apps.client import connect
from prodgy_ci.deploy.container_apps.target import ContainerApp
from prodgy_ci.deploy.target import Release
from prodgy_ci.deploy.windows_vm.client import shell
from prodgy_ci.deploy.windows_vm.settings import Settings
from prodgy_ci.deploy.windows_vm.upload import RAW, upload

OPERATION = 3.0
"""Seconds that the server takes for each change of an app."""
HEALTHY = {"api": 20.0, "web": 8.0, "service": 12.0, "studio": 9.0, "gateway": 6.0, "agentic": 17.0, "engine": 25.0}
"""Seconds until a new revision is healthy."""
READS_IN_FIVE_MINUTES = 1200
"""Azure Resource Manager's limit."""
COMMON = 85 * 1024
"""Bytes in one request where a client keeps to WinRM's older limit of 150 KB, as is common."""
ARCHIVE = 100_000_000
DELAY = 0.02


def seven_apps() -> None:
    """Until all serve, with default waits, beside the server's own slowest app."""
    apps = [App(name, seconds=seconds, operation_seconds=OPERATION) for name, seconds in HEALTHY.items()]
    with resource_manager(apps) as azure:
        began = time.monotonic()
        anyio.run(_deploy, azure)
        took = time.monotonic() - began
        slowest = max(HEALTHY.values()) + OPERATION
        reads = sum(request.startswith("GET /sub") for request in azure.requests)
        print(f"\nSeven apps: {took:.1f} s; the server's own slowest: {slowest:.1f} s; {took / slowest:.2f} times")
        per_five = reads / max(took, 300) * 300
        print(f"Requests to Resource Manager: {reads} reads, {len(azure.writes())} changes", end="")
        print(f" ({per_five:.0f} reads in five minutes; the limit is {READS_IN_FIVE_MINUTES})", flush=True)


async def _deploy(azure: Manager) -> None:
    commit, digest = "b" * 40, "sha256:" + "b" * 64
    releases = {n: Release(n, commit, digest, f"registry.test/prodgy-{n}:{commit}@{digest}") for n in HEALTHY}
    async with connect(SecretStr(azure.token), azure.group, azure.subscription, azure.url) as client:
        targets = [ContainerApp(name, name, client, public_url=azure.public_url) for name in HEALTHY]
        made = await rollout.deploy("development", commit, releases, targets)
    assert made.result == "deployed", made.table()


def archive_to_windows(delay: float, title: str) -> None:
    """A hundred megabytes in requests as large as WinRM's default takes, beside requests of the common size."""
    with tempfile.TemporaryDirectory() as name, _machine(Path(name) / "machine", delay) as machine:
        archive = Path(name) / "archive.zip"
        archive.write_bytes(os.urandom(ARCHIVE))
        ours, common = (f"{raw // 1024} KB in a request" for raw in (RAW, COMMON))
        contenders = {
            ours: lambda: _send(machine, archive, RAW),
            common: lambda: _send(machine, archive, COMMON),
        }
        medians = side_by_side(title, contenders, rounds=3)
    ratio(medians, common, ours)
    print(f"{ARCHIVE / 1e6 / medians[ours]:.1f} MB/s", flush=True)


@contextlib.contextmanager
def _machine(folder: Path, delay: float) -> Iterator[Settings]:
    """A server in a process of its own."""
    command = [sys.executable, "-m", "fakes.winrm", "--folder", str(folder), "--delay", str(delay)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            told = json.loads(server.stdout.readline())
            yield Settings(
                host=told["host"],
                port=told["port"],
                user=told["user"],
                password=SecretStr(told["password"]),
                ca=Path(told["ca"]),
                service="prodgy-assistant",
                folder=r"C:\prodgy\assistant\current",
                releases=r"C:\prodgy\assistant\releases",
                nssm=r"C:\nssm\nssm.exe",
                health="http://127.0.0.1:5000/health",
            )
        finally:
            server.terminate()


def _send(machine: Settings, archive: Path, raw: int) -> None:
    path = r"C:\prodgy\archive.zip"
    with shell(machine, threading.Event()) as opened:
        assert upload(opened, archive, path, raw)
        upload(opened, b"", path)  # so that the next one is sent too


def main() -> None:
    seven_apps()
    megabytes = ARCHIVE // 1_000_000
    archive_to_windows(0, f"An archive of {megabytes} MB over WinRM, loopback")
    archive_to_windows(DELAY, f"The same, each request {DELAY * 1000:.0f} ms late")


if __name__ == "__main__":
    main()
