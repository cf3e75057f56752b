"""An ordinary user gets the same answers: `make test-rootless`, as root, which makes the user and takes it away again."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
USER = "dagger-podman-test"

pytestmark = pytest.mark.skipif("TEST_ROOTLESS" not in os.environ, reason="takes minutes: make test-rootless runs it")


def as_user(home: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    words = ["su", USER, "-s", "/bin/sh", "-c", f"cd {home} && {command}"]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=2400, check=False)


@pytest.fixture
def home() -> Iterator[Path]:
    if os.geteuid() != 0 or not shutil.which("useradd"):
        pytest.skip("making a user needs root and useradd")
    if Path("/dev/net/tun").stat().st_mode & 0o006 != 0o006:
        pytest.skip("ordinary users may not open /dev/net/tun on this host")
    subprocess.run(["useradd", "--create-home", USER], check=True)
    folder = Path("/home") / USER
    try:
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(folder / "repository")], check=True)
        subprocess.run(["chown", "-R", f"{USER}:", str(folder)], check=True)
        yield folder
    finally:
        subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
        as_user(folder, "podman system reset --force")
        subprocess.run(["pkill", "-KILL", "-u", USER], check=False)
        subprocess.run(["userdel", "--remove", USER], check=True)


def test_an_ordinary_user_gets_the_engines_answers(home: Path) -> None:
    setup = "python3 -m venv venv && venv/bin/pip install --quiet pytest anyio --editable repository/dagger_podman"
    done = as_user(home, setup)
    assert done.returncode == 0, done.stderr
    done = as_user(home, "venv/bin/dagger-podman doctor")
    assert done.returncode == 0, done.stdout
    assert "rootless" in done.stdout
    slow, _, remedy = done.stdout.partition("slow ")[2].partition("\n")
    if slow:
        assert as_user(home, remedy.strip()).returncode == 0
        assert "slow" not in as_user(home, "venv/bin/dagger-podman doctor").stdout
    # beside the recorded answers: what `dagger-io` programs see, and that nothing is left behind
    files = " ".join(
        f"tests/dagger_podman/test_{name}.py" for name in ("golden", "methods", "runner", "sessions", "terminal")
    )
    done = as_user(home, f"cd repository && ../venv/bin/pytest -q -rs --basetemp=../tests {files}")
    assert done.returncode == 0, done.stdout
    print(done.stdout)
