"""Many small questions, few commands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Batch(Generic[Q, A]):
    """Collects what is asked while an answer is under way, and asks all of it at once then; `work` answers in order.

    Where that fails for several, each is asked for by itself.
    """

    def __init__(self, work: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._work = work
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._under_way = asyncio.Lock()

    async def ask(self, question: Q) -> A:
        """The answer to one question."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        mine = (question, answer)
        self._waiting.append(mine)
        try:
            async with self._under_way:
                if not answer.done():
                    await asyncio.sleep(0)  # for those who ask at the same moment
                    taken = [mine]
                    if mine in self._waiting:
                        taken, self._waiting = self._waiting, []
                    try:
                        answers = await self._work([asked for asked, _ in taken])
                    except Exception:
                        if len(taken) == 1:
                            raise
                        taken, answers = [mine], await self._work([question])
                    for (_, waiting), found in zip(taken, answers, strict=True):
                        waiting.set_result(found)
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
        return answer.result()
