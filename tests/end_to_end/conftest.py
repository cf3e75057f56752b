"""The command under test is the one that PRODGY_CI_RUNNER names: dagger-podman by default, or dagger."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def runner() -> str:
    name = os.environ.get("PRODGY_CI_RUNNER", "dagger-podman")
    program = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.exit(f"{name} is not installed", 1)
    if name == "dagger":
        asked = subprocess.run([program, "core", "version"], capture_output=True, text=True, check=False)
        if asked.returncode:
            pytest.exit(f"dagger is installed, but no engine answers:\n{asked.stderr}", 1)
    return program


@pytest.fixture(scope="session")
def call(runner: str) -> Call:
    """Runs `RUNNER call ARGUMENTS` in a repository, this one by default."""

    def run(*arguments: str, repository: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
        command = [runner, "call", "--progress=plain", *arguments]
        return subprocess.run(
            command, cwd=repository, capture_output=True, encoding="utf-8", errors="replace", timeout=1200, check=False
        )

    return run


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A copy of this repository, to change."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    copy = tmp_path / "repository"
    for name in listing.stdout.rstrip("\0").split("\0"):
        if (REPOSITORY / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, copy / name)
    subprocess.run(["git", "init", "--quiet", str(copy)], check=True)
    return copy


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
