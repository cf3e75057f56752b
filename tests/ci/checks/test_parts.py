"""What several checks share is done once for all of them."""

import anyio
import pytest

from prodgy_ci.checks.parts import once

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_all_who_ask_at_once_get_one_answer() -> None:
    asked, got = [], []

    async def work() -> int:
        asked.append(1)
        await anyio.sleep(0.01)
        return 7

    shared = once(work)

    async def asking() -> None:
        got.append(await shared())

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(asking)
    assert (got, len(asked)) == ([7, 7, 7], 1)


async def test_an_error_goes_to_all() -> None:
    asked = []

    async def work() -> int:
        asked.append(1)
        raise ValueError("broken")

    shared = once(work)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            await shared()
    assert len(asked) == 1


async def test_who_is_stopped_while_asking_takes_the_answer_from_nobody() -> None:
    async def work() -> int:
        await anyio.sleep(0.02)
        return 7

    shared = once(work)
    with anyio.move_on_after(0.001):
        await shared()
    assert await shared() == 7
