"""What a session evaluates, it evaluates once; and nothing begins in one that ends."""

import asyncio
from pathlib import Path

import pytest

from dagger_podman.fields import IMPLEMENTED, Implementation
from dagger_podman.nodes import Node
from dagger_podman.podman import Podman
from dagger_podman.progress import for_options
from dagger_podman.session import Session
from dagger_podman.store import Store
from dagger_podman.typedefs import Schema

pytestmark = pytest.mark.anyio


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(Podman({}), Store(tmp_path), Schema({}, {}, {}), for_options(silent=True, kind="plain"))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of `Query.listed`, which gives three numbers."""
    made: list[str] = []

    async def listed(_: Session) -> list[int]:
        made.append("listed")
        return [10, 20, 30]

    implementation = Implementation(listed, frozenset(), frozenset(), frozenset())
    monkeypatch.setitem(IMPLEMENTED, ("Query", "listed"), implementation)
    return made


async def test_the_elements_of_a_list_are_those_of_one_evaluation(session: Session, calls: list[str]) -> None:
    elements = await session.elements(Node("Thing", "listed"))
    assert [await session.value(element) for element in elements] == [10, 20, 30]
    assert calls == ["listed"]


async def test_nothing_begins_in_a_session_that_ends(session: Session, calls: list[str]) -> None:
    await session.close()
    with pytest.raises(asyncio.CancelledError):
        await session.value(Node("Thing", "listed"))
    assert calls == []
