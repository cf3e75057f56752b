"""Many small questions, few journeys."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

Q = TypeVar("Q")
A = TypeVar("A")


MOMENT = 0.02
"""Seconds in which questions count as asked at once."""


@dataclass(eq=False)
class _Asked(Generic[Q, A]):
    question: Q
    answer: list[A] = field(default_factory=list)


class Batch(Generic[Q, A]):
    """Collects what is asked while an answer is under way, and asks all of it at once then.

    `work` gives one answer for each question, in their order. Where it raises, who made the journey meets that, and the
    others ask again.
    """

    def __init__(self, work: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._work = work
        self._waiting: list[_Asked[Q, A]] = []
        self._under_way = anyio.Lock()

    async def ask(self, question: Q) -> A:
        """The answer to one question."""
        mine: _Asked[Q, A] = _Asked(question)
        self._waiting.append(mine)
        async with self._under_way:
            if not mine.answer:
                await anyio.sleep(MOMENT)
                # Whoever took it along may have failed or been cancelled: then it asks for itself.
                taken = self._waiting if mine in self._waiting else [mine, *self._waiting]
                self._waiting = []
                answers = await self._work([asked.question for asked in taken])
                for asked, answer in zip(taken, answers, strict=True):
                    asked.answer.append(answer)
        return mine.answer[0]
