"""Tests in containers: `python -m bench.tests`.

Images are warm, and unit tests of unchanged sources are taken from the cache: what remains is the way to them.
Integration tests really run each time.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from bench.podman import ENVIRONMENT, PROGRAM, REPOSITORY, Session, exists
from bench.timing import ratio, run, side_by_side, timed

REDIS = "localhost/dagger-podman/stand-in/redis:7-alpine"
INDEPENDENT = ("engine", "service")
"""Services whose integration tests need nothing of each other."""


started: list[str] = []


def call(*arguments: str) -> None:
    run([PROGRAM, "call", "--silent", *arguments], REPOSITORY)


def until_first_test(service: str) -> float:
    """Seconds from the command to the start of its test command."""
    start = time.monotonic()
    command = [PROGRAM, "call", "--progress=plain", "test", "--service", service]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr
        seconds = next(time.monotonic() - start for line in process.stderr if ": exec timeout" in line)
        process.stderr.read()
    return seconds


def outcomes(*arguments: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        call("test-report", *arguments, "-o", folder)
        found: list[dict[str, Any]] = json.loads((Path(folder) / "tests.json").read_text())["tests"]
        return found


def redis_by_session(session: Session, number: int) -> None:
    service = f'container {{ from(address: "redis:7-alpine") {{ withEnvVariable(name: "N", value: "{number}") {{'
    service += " withExposedPort(port: 6379) { asService(useEntrypoint: true) { start } } } } }"
    session.query(f"{{ {service} }}")


def redis_by_podman() -> None:
    """`podman run` and asking until PONG."""
    image = REDIS if exists(REDIS) else "redis:7-alpine"
    started.append(f"bench-redis-{len(started)}")
    run(["podman", "run", "--rm", "--detach", "--name", started[-1], image], environment=ENVIRONMENT)
    asking = ["podman", "exec", started[-1], "redis-cli", "ping"]
    while subprocess.run(asking, env=ENVIRONMENT, capture_output=True, check=False).stdout != b"PONG\n":
        time.sleep(0.02)


def main() -> None:
    call("test-report", "--integration", "-o", tempfile.mkdtemp())
    seconds = sorted(until_first_test("engine") for _ in range(5))
    print(
        f"\nFrom command to the test step (engine): min {seconds[0]:.2f} s, median {seconds[2]:.2f} s, max {seconds[-1]:.2f} s"
    )

    names = [o["service"] for o in outcomes()]
    single = {name: timed(partial(call, "test", "--service", name)) for name in names}
    together = timed(lambda: call("test-all"))
    print(f"\ntest-all, nothing changed: {together:.1f} s; its parts one after the other: {sum(single.values()):.1f} s")
    print(", ".join(f"{name} {s:.1f} s" for name, s in single.items()))

    alone = {name: timed(partial(call, "integration-test", "--service", name)) for name in INDEPENDENT}
    both = timed(lambda: call("integration-test-all", "--services", ",".join(INDEPENDENT)))
    slowest = max(alone.values())
    print(
        f"\nIntegration tests of {' and '.join(INDEPENDENT)} at once: {both:.1f} s; the slowest alone: {slowest:.1f} s"
    )

    with Session() as session:
        redis_by_session(session, 0)
        numbers = iter(range(1, 100))

        def ours() -> None:
            redis_by_session(session, next(numbers))

        figures = {"service that is ready": ours, "podman run until PONG": redis_by_podman}
        try:
            medians = side_by_side("An ephemeral Redis", figures, 7)
            ratio(medians, "service that is ready", "podman run until PONG")
        finally:
            run(["podman", "rm", "--force", "--time", "0", *started], environment=ENVIRONMENT)


if __name__ == "__main__":
    main()
