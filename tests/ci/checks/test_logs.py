"""A log's error lines are counted and shown, whatever pieces it comes in and whether or not it ends."""

from collections.abc import AsyncIterator, Callable

import anyio
import pytest

from prodgy_ci.catalog.checklists import Logs
from prodgy_ci.checks.logs import check
from prodgy_ci.checks.model import Finding
from prodgy_ci.errors import ProdgyError

pytestmark = pytest.mark.anyio
ERRORS = ['{"level":"error","message":"boom"}', "2026-01-01 ERROR boom", "Traceback (most recent call last):"]
CALM = ['{"level":"info","message":"no error"}', "ERRORS are counted", "0 failed"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def looked(source: Callable[[str], AsyncIterator[str]], **settings: object) -> Finding:
    return await check("api", source, Logs.model_validate(settings)).look()


def pieces(text: str, size: int) -> Callable[[str], AsyncIterator[str]]:
    async def source(service: str) -> AsyncIterator[str]:
        for start in range(0, len(text), size):
            yield text[start : start + size]

    return source


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_errors_are_counted_in_whatever_pieces_they_come(size: int) -> None:
    found = await looked(pieces("\n".join([*CALM, *ERRORS]), size))
    assert found.status == "warning"
    assert found.evidence == "\n".join(("3 error lines of 6, the last:", *ERRORS))
    calm = await looked(pieces("\n".join(CALM) + "\n", size))
    assert (calm.status, calm.evidence) == ("passed", "3 lines, no error")


@pytest.mark.parametrize(("most", "status"), [(2, "failed"), (3, "warning")])
async def test_too_many_fail_where_the_settings_say_how_many(most: int, status: str) -> None:
    assert (await looked(pieces("\n".join(ERRORS), 100), most_errors=most)).status == status


async def test_a_log_without_end_is_read_for_its_time() -> None:
    async def source(service: str) -> AsyncIterator[str]:
        yield "boom ERROR\n"
        await anyio.sleep_forever()

    found = await looked(source, seconds=0.1)
    assert found.evidence.startswith("1 error lines of 1")


async def test_a_log_that_was_not_read_to_its_end_does_not_say_how_many_errors_it_has() -> None:
    async def source(service: str) -> AsyncIterator[str]:
        yield "calm\n"
        await anyio.sleep_forever()

    found = await looked(source, seconds=0.1, most_errors=0)
    assert found.status == "failed" and "was not read to its end in 0.1 s" in found.evidence
    assert (await looked(source, seconds=0.1)).status == "passed"


async def test_an_empty_log_and_one_that_cannot_be_read_are_never_passed() -> None:
    async def refused(service: str) -> AsyncIterator[str]:
        raise ProdgyError("its log stream answered 401")
        yield ""

    assert (await looked(pieces("", 1))).status == "warning"
    assert (await looked(refused)).status == "warning"
    found = await looked(refused, most_errors=0)
    assert found.status == "failed" and "401" in found.evidence and found.mend
