"""What is asked while an answer is under way is asked together."""

from collections.abc import Sequence

import anyio
import anyio.lowlevel
import pytest

from prodgy_ci.images.batch import Batch

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_questions_that_come_meanwhile_travel_together() -> None:
    journeys: list[list[int]] = []

    async def work(questions: Sequence[int]) -> list[int]:
        journeys.append(list(questions))
        await anyio.sleep(0.01)
        return [10 * question for question in questions]

    batch, answers = Batch(work), {}

    async def ask(question: int) -> None:
        answers[question] = await batch.ask(question)

    async with anyio.create_task_group() as group:
        for question in range(5):
            group.start_soon(ask, question)
    assert answers == {question: 10 * question for question in range(5)}
    assert len(journeys) <= 2


async def test_a_failed_journey_is_met_by_who_made_it_and_leaves_nobody_waiting() -> None:
    journeys: list[list[str]] = []

    async def work(questions: Sequence[str]) -> list[str]:
        journeys.append(list(questions))
        await anyio.lowlevel.checkpoint()
        if len(journeys) == 1:
            raise ValueError("the first journey")
        return list(questions)

    batch, seen = Batch(work), {}

    async def ask(question: str) -> None:
        try:
            seen[question] = await batch.ask(question)
        except ValueError as error:
            seen[question] = str(error)

    async with anyio.create_task_group() as group:
        for question in ("a", "b", "c"):
            group.start_soon(ask, question)
    assert sorted(seen.values()).count("the first journey") == 1
    assert len(seen) == 3
