from pathlib import Path

import pytest

from ci.changes.repositories import Repository, monorepo


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
