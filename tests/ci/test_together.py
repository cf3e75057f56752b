"""Of several things at once, the first failure is what the caller sees."""

import anyio
import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.together import task_group

pytestmark = pytest.mark.anyio


async def _fail(after: float, words: str) -> None:
    await anyio.sleep(after)
    raise InputError(words)


async def test_the_first_failure_is_raised_as_it_is_and_stops_the_others() -> None:
    ended = []

    async def slow() -> None:
        await anyio.sleep(60)
        ended.append("slow")

    with pytest.raises(InputError, match="^sooner$") as raised:
        async with task_group() as group:
            group.start_soon(slow)
            group.start_soon(_fail, 0.05, "later")
            group.start_soon(_fail, 0.01, "sooner")
    assert raised.value.__context__ is None
    assert not ended


async def test_groups_within_groups_and_the_body_are_unwrapped_too() -> None:
    with pytest.raises(InputError, match="inner"):
        async with task_group():
            async with anyio.create_task_group() as inner:
                inner.start_soon(_fail, 0, "inner")
    with pytest.raises(InputError, match="body"):
        async with task_group():
            raise InputError("body")


async def test_a_cancelled_caller_ends_as_cancelled() -> None:
    with anyio.move_on_after(0.05) as scope:
        async with task_group() as group:
            group.start_soon(anyio.sleep, 60)
    assert scope.cancelled_caught
