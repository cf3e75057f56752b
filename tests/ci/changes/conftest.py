from pathlib import Path

import pytest
from ci.changes.repositories import Repository, monorepo


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test finds a catalog that another has remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A monorepo with one commit."""
    made = Repository(tmp_path / "monorepo")
    made.commit(monorepo())
    return made


@pytest.fixture
def first(repository: Repository) -> str:
    """The monorepo's first commit."""
    return repository.git("rev-parse", "HEAD")
