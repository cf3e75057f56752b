"""Of several things at once, the first failure is what the caller sees."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio
import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.together import task_group

pytestmark = pytest.mark.anyio


async def _fail(after: float, words: str) -> None:
    await anyio.sleep(after)
    raise InputError(words)


async def _together(*calls: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async with task_group() as group:
        for call in calls:
            group.start_soon(call)


async def test_the_first_failure_is_raised_as_it_is_and_stops_the_others() -> None:
    ended = []

    async def slow() -> None:
        await anyio.sleep(60)
        ended.append("slow")

    with pytest.raises(InputError) as raised:
        await _together(slow, partial(_fail, 0.05, "later"), partial(_fail, 0.01, "sooner"))
    assert str(raised.value) == "sooner"
    assert raised.value.__context__ is None
    assert not ended


async def test_a_group_within_a_group_is_unwrapped_too() -> None:
    async def inner() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_fail, 0, "inner")

    with pytest.raises(InputError, match="inner"):
        await _together(inner)


async def test_what_the_body_raises_is_raised_as_it_is() -> None:
    async def body() -> None:
        async with task_group():
            await _fail(0, "body")

    with pytest.raises(InputError, match="body"):
        await body()


async def test_a_cancelled_caller_ends_as_cancelled() -> None:
    with anyio.move_on_after(0.05) as scope:
        async with task_group() as group:
            group.start_soon(anyio.sleep, 60)
    assert scope.cancelled_caught
