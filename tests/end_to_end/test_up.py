"""`dev up` brings Redis, Redis Commander and the engine to this machine's ports; `stack up` all services."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from end_to_end.conftest import REPOSITORY

WITHIN = 240


def taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def up(runner: str, function: str, log: Path, *flags: str) -> Iterator[None]:
    """`RUNNER call FUNCTION up FLAGS`, interrupted at the end."""
    with log.open("w") as file:
        command = [runner, "call", "--progress=plain", function, "up", *flags]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=file, stderr=file)
        try:
            yield
            process.send_signal(signal.SIGINT)
            process.wait(90)
        finally:
            process.kill()
            process.wait()


def answer(url: str, log: Path) -> str:
    end = time.monotonic() + WITHIN
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as found:
                return str(found.read().decode())
        except OSError:
            if time.monotonic() > end:
                pytest.fail(f"{url} does not answer; the command said:\n{log.read_text()[-3000:]}")
            time.sleep(0.5)


@pytest.fixture
def free_ports() -> None:
    for port in (6379, 8081, 8001, 3000, 3001, 3002, 3003, 3004, 3005):
        if taken(port):
            missed = pytest.fail if "PRODGY_CI_RUNNER" in os.environ else pytest.skip
            missed(f"port {port} of this machine is taken")


@pytest.mark.usefixtures("free_ports")
def test_dev_up_serves_redis_redis_commander_and_the_engine(runner: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with up(runner, "dev", log):
        assert '"service":"engine"' in answer("http://127.0.0.1:8001/health", log).replace(" ", "")
        assert "Redis Commander" in answer("http://127.0.0.1:8081/", log)
        with socket.create_connection(("127.0.0.1", 6379), 5) as redis:
            redis.sendall(b"PING\r\n")
            assert redis.recv(100) == b"+PONG\r\n"
    assert not any(map(taken, (6379, 8081, 8001)))


@pytest.mark.usefixtures("free_ports")
def test_ports_can_be_served_on_others_of_this_machine(runner: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with up(runner, "dev", log, "--ports", "3001:8001"):
        assert '"service":"engine"' in answer("http://127.0.0.1:3001/health", log).replace(" ", "")
        assert not taken(8001)


@pytest.mark.usefixtures("free_ports")
def test_stack_up_serves_every_service_on_its_own_port(runner: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with up(runner, "stack", log):
        ports = {
            "web": 3000,
            "api": 3001,
            "service": 3002,
            "studio": 3003,
            "gateway": 3004,
            "agentic": 3005,
            "engine": 8001,
        }
        for name, port in ports.items():
            assert f'"service":"{name}"' in answer(f"http://127.0.0.1:{port}/health", log).replace(" ", "")


@pytest.mark.usefixtures("free_ports")
def test_a_port_that_is_taken_is_named(runner: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 8001)):
        command = [runner, "call", "dev", "up"]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=WITHIN,
            check=False,
        )
    assert done.returncode != 0
    assert "8001" in done.stderr.partition("\nError: ")[2]
    if os.path.basename(runner) == "dagger-podman":
        assert "127.0.0.1:8001: Address already in use; stop what uses that port" in done.stderr
