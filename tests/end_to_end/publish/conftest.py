"""One session for all tests of a file, and for each test a repository and a registry."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import dagger
import pytest
from end_to_end.publish.publishing import Publishing, git
from fakes.registry import registry


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def session(runner: str) -> AsyncIterator[None]:
    """One session for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", runner)
        async with dagger.connection(dagger.Config(log_output=sys.stderr, retry=None)):
            yield


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    """A repository of its own with an image and a site."""
    folder = tmp_path / "monorepo"
    for name, path in (("hello", "/text"), ("pages", "/site/index.html")):
        (folder / name).mkdir(parents=True)
        (folder / name / "text").write_text(f"{name} {tmp_path}\n")
        (folder / name / "Dockerfile").write_text(f"FROM scratch AS site\nCOPY {name}/text {path}\n")
    (folder / ".gitignore").write_text("*.local\n")
    git(folder.parent, "init", "--quiet", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--message=one")
    return folder


@pytest.fixture
async def job(session: None, monorepo: Path, tmp_path: Path) -> AsyncIterator[Publishing]:
    with registry(tmp_path / "registry", login=True) as started:
        yield Publishing(monorepo, started)
