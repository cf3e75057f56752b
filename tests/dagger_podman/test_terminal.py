"""A terminal in a container is the caller's own."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

import pytest

from dagger_podman import host, store

PROGRAM = str(Path(sys.executable).with_name("dagger-podman"))
PROBE = Path(__file__).parents[1] / "golden/probe"
CONTAINER = (PROGRAM, "call", "--mod", str(PROBE), "container")


class Terminal:
    """A command on a terminal of its own, and what it shows."""

    def __init__(self, *command: str) -> None:
        self.leader, follower = pty.openpty()
        self.settings = termios.tcgetattr(follower)
        owned = ("setsid", "--ctty", *command)
        self.process = subprocess.Popen(owned, stdin=follower, stdout=follower, stderr=follower)
        self.closed = False
        self.follower, self.shown = follower, ""

    def until(self, pattern: str, seconds: float = 90) -> str:
        end = time.monotonic() + seconds
        os.set_blocking(self.leader, False)
        while not (found := re.search(pattern, self.shown)):
            alive = self.process.poll() is None
            try:
                self.shown += os.read(self.leader, 1 << 16).decode(errors="replace")
            except BlockingIOError:
                assert alive and time.monotonic() < end, self.shown
                time.sleep(0.05)
        self.shown = self.shown[found.end() :]
        return found[0]

    def type(self, text: str) -> None:
        os.write(self.leader, text.encode())

    def end(self) -> int:
        code = self.process.wait(60)
        assert termios.tcgetattr(self.follower) == self.settings, "the terminal's settings are not what they were"
        return code

    def close(self) -> None:
        """As who closes the window."""
        if not self.closed:
            os.close(self.leader)
            os.close(self.follower)
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.close()


def containers() -> set[str]:
    environment = {**os.environ, **host.podman_environment(store.default_folder())}
    listed = [
        "podman",
        "ps",
        "--all",
        "--format",
        "{{.Names}}",
        "--filter",
        "name=dagger-podman-.*-(terminal|service)-",
    ]
    return set(subprocess.run(listed, capture_output=True, text=True, env=environment, check=True).stdout.split())


def test_a_shell_in_what_a_function_built() -> None:
    with Terminal(*CONTAINER, "with-env-variable", "--name=MARK", "--value=of the container", "terminal") as terminal:
        terminal.until(r"[#$] $")
        terminal.type("tty && echo <$MARK> $TERM && rm /etc/passwd\n".replace("<", "'['").replace(">", "']'"))
        terminal.until(r"/dev/pts/\d+\r\n\[of the container\]")
        terminal.type("exit 3\n")
        terminal.until(r"Container@xxh3:\w+")
        assert terminal.end() == 0
    kept = subprocess.run([*CONTAINER, "exists", "--path=/etc/passwd"], capture_output=True, text=True, check=True)
    assert kept.stdout == "true", "a terminal changed the image"


def test_another_command_as_default_and_as_argument() -> None:
    default = (*CONTAINER, "with-default-terminal-cmd", "--args=cat,/x,-", "terminal")
    with Terminal(*default) as terminal:
        terminal.until("1$")
        terminal.type("\x04")
        terminal.until(r"Container@xxh3:\w+")
        assert terminal.end() == 0
    with Terminal(*default, "--cmd=echo,given") as terminal:
        terminal.until("given\r\n")
        terminal.until(r"Container@xxh3:\w+")
        assert terminal.end() == 0


def test_a_shell_beside_a_service_and_in_a_directory() -> None:
    service = (*CONTAINER, "with-exposed-port", "--port=8000", "as-service", "--args=python3,-m,http.server")
    with Terminal(*service, "terminal") as terminal:
        terminal.until(r"[#$] $")
        terminal.type("python3 -c \"import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000').status)\"\n")
        terminal.until("200\r\n")
        terminal.type("exit\n")
        terminal.until(r"Service@xxh3:\w+")
        assert terminal.end() == 0
    with Terminal(
        *(PROGRAM, "call", "--mod", str(PROBE), "directory"),
        "terminal",
        "--container=python:3.13-slim",
        "--cmd=cat,a.txt",
    ) as terminal:
        terminal.until("content\r\n")
        terminal.until(r"Directory@xxh3:\w+")
        assert terminal.end() == 0


@pytest.mark.parametrize("last", [("terminal",), ("up", "--args=sleep,600")], ids=["terminal", "service"])
def test_nothing_is_left_when_the_window_is_closed(last: tuple[str, ...]) -> None:
    before = containers()
    with Terminal(*CONTAINER, *last) as terminal:
        terminal.until(r"[#$] $|service sleep 600")
        while containers() <= before:
            time.sleep(0.1)
        terminal.close()
        assert terminal.process.wait(60) == 128 + signal.SIGHUP
    assert containers() == before


def test_a_signal_ends_a_terminal_and_its_settings_are_put_back() -> None:
    with Terminal(*CONTAINER, "terminal") as terminal:
        terminal.until(r"[#$] $")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM


@pytest.mark.parametrize("kind", ["container", "directory"])
def test_without_a_terminal_it_is_an_error(kind: str) -> None:
    command = [PROGRAM, "call", "--mod", str(PROBE), kind, "terminal"]
    command += ["--container=python:3.13-slim"] if kind == "directory" else []
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "cannot open a terminal" in done.stderr
