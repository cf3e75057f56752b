"""The same done for several images at once; the failure of one stops no other."""

import time
from collections.abc import Awaitable, Callable, Sequence

from ..together import task_group
from .failure import words
from .record import Image


async def each(images: Sequence[Image], work: Callable[[Image], Awaitable[Image]]) -> dict[str, Image]:
    """What became of each, by its service, in their order; what `work` raises is told by a failed image."""
    done: dict[str, Image] = {}

    async def one(image: Image) -> None:
        start = time.monotonic()
        try:
            made = await work(image)
        except Exception as error:
            made = Image(service=image.service, form=image.form, result="failed", error=words(error))
        done[image.service] = made.model_copy(update={"seconds": round(time.monotonic() - start, 1), "began": start})

    async with task_group() as group:
        for image in images:
            group.start_soon(one, image)
    return {image.service: done[image.service] for image in images}
