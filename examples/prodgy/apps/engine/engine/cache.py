"""Answers kept in Redis for a while."""

import hashlib
import json
from collections.abc import Awaitable
from typing import Protocol

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

UNREACHABLE = (redis.exceptions.RedisError, OSError, TimeoutError)
"""What a Redis that is gone raises."""


class Store(Protocol):
    """The part of a Redis client that the cache uses."""

    def get(self, name: str) -> Awaitable[str | None]: ...

    def set(self, name: str, value: str, ex: int) -> Awaitable[object]: ...


def connect(url: str) -> "redis.asyncio.Redis":
    """A client that gives up after about a second and connects anew by itself when Redis is back."""
    return redis.asyncio.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=1,
        socket_timeout=1,
        # Once more at once: a connection that an earlier restart of Redis cut is noticed only when it is used.
        retry=Retry(ExponentialBackoff(cap=0.1, base=0.05), retries=1),
        retry_on_error=[redis.exceptions.ConnectionError],
    )


def key(instructions: str, message: str) -> str:
    """The name an answer is kept under."""
    return "answer:" + hashlib.sha256(json.dumps([instructions, message]).encode()).hexdigest()


async def load(store: Store, name: str) -> str | None:
    """The kept answer; None if there is none (any more)."""
    return await store.get(name)


async def keep(store: Store, name: str, value: str, seconds: int) -> None:
    """Keeps an answer for that many seconds."""
    await store.set(name, value, ex=seconds)
