"""Builds services side by side and tells of each. What building means is the caller's: nothing here imports Dagger."""

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import anyio
from pydantic import Field

from ..catalog import Service
from ..catalog.model import Form
from ..records import Record
from ..together import task_group

AT_ONCE = 4

T = TypeVar("T")


class Build(Record):
    """How the build of one service went."""

    service: str
    image: str = Field(description="The image's name without registry and tag")
    form: Form = Field(description="What was built: an image, a site's files, an archive")
    seconds: float = Field(ge=0, description="How long it took")
    size: int | None = Field(
        default=None, description="Bytes: what an image's or site's files take up, or an archive; null if not known"
    )
    error: str | None = Field(default=None, description="Why it failed, with the failing command's last lines")
    began: float = Field(default=0, exclude=True)


class Builds(Record):
    """The file builds.json."""

    builds: tuple[Build, ...] = Field(description="One for each service, in the catalog's order")


async def build_each(
    services: Iterable[Service],
    build: Callable[[Service], Awaitable[T]],
    size: Callable[[T], Awaitable[int | None]],
    explain: Callable[[Exception], str],
) -> Builds:
    """Builds all, a few at once; the failure of one stops no other.

    build: makes what the service is. size: its bytes, not counted in the seconds.
    explain: the words for an error of `build`.
    """
    turn = anyio.Semaphore(AT_ONCE)
    chosen = list(services)
    done: dict[str, Build] = {}

    async def one(service: Service) -> None:
        async with turn:
            start = time.monotonic()
            result, error = await _attempt(service, build, explain)
            seconds = round(time.monotonic() - start, 1)
            bytes_ = None if result is None else await size(result)
        done[service.name] = Build(
            service=service.name,
            image=service.image,
            form=service.form,
            seconds=seconds,
            size=bytes_,
            error=error,
            began=start,
        )

    async with task_group() as group:
        for service in chosen:
            group.start_soon(one, service)
    return Builds(builds=tuple(done[service.name] for service in chosen))


async def _attempt(
    service: Service, build: Callable[[Service], Awaitable[T]], explain: Callable[[Exception], str]
) -> tuple[T | None, str | None]:
    try:
        return await build(service), None
    except Exception as error:
        return None, explain(error)
