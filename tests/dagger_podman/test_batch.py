"""What is asked while an answer is under way is asked together, and nobody pays for another's failure."""

import asyncio
from collections.abc import Sequence

from dagger_podman.batch import Batch


def test_what_is_asked_at_once_and_meanwhile_is_one_command_each() -> None:
    commands: list[list[int]] = []

    async def work(numbers: Sequence[int]) -> list[int]:
        commands.append(list(numbers))
        await asyncio.sleep(0.01)
        return [10 * number for number in numbers]

    async def ask() -> list[int]:
        batch = Batch(work)
        first = asyncio.gather(batch.ask(1), batch.ask(2))
        await asyncio.sleep(0.005)
        return [*await asyncio.gather(batch.ask(3), batch.ask(4)), *await first]

    assert asyncio.run(ask()) == [30, 40, 10, 20]
    assert commands == [[1, 2], [3, 4]]


def test_where_one_of_several_fails_each_is_asked_for_by_itself() -> None:
    async def work(numbers: Sequence[int]) -> list[int]:
        if 2 in numbers:
            raise ValueError(f"no 2 in {list(numbers)}")
        return list(numbers)

    async def ask() -> list[int | BaseException]:
        batch = Batch(work)
        return await asyncio.gather(*(batch.ask(number) for number in (1, 2, 3)), return_exceptions=True)

    first, second, third = asyncio.run(ask())
    assert (first, str(second), third) == (1, "no 2 in [2]", 3)


def test_who_gives_up_leaves_the_others_their_answer() -> None:
    async def work(numbers: Sequence[int]) -> list[int]:
        await asyncio.sleep(0.01)
        return list(numbers)

    async def ask() -> int:
        batch = Batch(work)
        leaving, staying = asyncio.ensure_future(batch.ask(1)), asyncio.ensure_future(batch.ask(2))
        await asyncio.sleep(0.005)
        leaving.cancel()
        return await staying

    assert asyncio.run(ask()) == 2
