"""Requests to Azure Resource Manager: bounded, timed, repeated where that is safe, and their errors told."""

import base64
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
from pydantic import SecretStr

from ...errors import ProdgyError
from .answers import Lost, Refused, refused
from .view import Json


@dataclass(frozen=True)
class Pace:
    """How long things may take, in seconds."""

    request: float = 60.0
    retries: float = 120.0
    """How long a request that fails for no reason of ours is repeated."""
    busy: float = 600.0
    """How long another operation on the same app is waited for."""
    operation: float = 1200.0
    poll: float = 2.0
    """Between two looks at something that takes long; at first they are closer."""
    pause: float = 2.0
    """Before the first repetition; each one after waits twice as long."""
    longest_pause: float = 15.0
    token: float = 900.0
    """How long the token must last when a change begins."""


def next_look(passed: float, longest: float) -> float:
    """Seconds to the next look at what has taken so long already: late by a twentieth of that, within bounds."""
    return min(longest, max(longest / 10, passed / 20))


def token_seconds_left(token: SecretStr, now: Callable[[], float] = time.time) -> float | None:
    """How long a token lasts, by what it says itself; None where it does not say."""
    try:
        body = token.get_secret_value().split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"]) - now()
    except (LookupError, TypeError, ValueError):
        return None


class Transport:
    """What sends. The token goes to `url` alone; at most `at_once` requests are in flight."""

    def __init__(
        self, http: httpx.AsyncClient, url: str, token: SecretStr, group: str, pace: Pace, at_once: int
    ) -> None:
        self.url, self.group, self.token, self.pace = url, group, token, pace
        self._http, self._in_flight = http, anyio.Semaphore(at_once)

    async def read(self, what: str, url: str) -> Json:
        """What is at the address; `what` says it for messages."""
        return as_object(what, await self.get(what, url))

    async def get(self, what: str, url: str) -> httpx.Response:
        """Reads; whatever may pass is repeated."""
        attempts = self.attempts(self.pace.retries)
        while True:
            try:
                answer = await self.send(what, "GET", url)
                if answer.content:
                    as_object(what, answer)
                return answer
            except (Refused, Lost) as error:
                if isinstance(error, Refused) and error.remedy == "none":
                    raise
                await attempts(error)

    async def pages(self, what: str, url: str) -> list[Json]:
        """All rows of a list that comes in pages."""
        rows: list[Json] = []
        while url:
            page = await self.read(what, url)
            rows += page.get("value") or []
            following = page.get("nextLink")
            url = self.same_host(following) if following else ""
        return rows

    async def send(self, what: str, method: str, url: str, body: Json | None = None) -> httpx.Response:
        """One request. Raises Refused for an error, and Lost where no answer came."""
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        try:
            async with self._in_flight:
                with anyio.fail_after(self.pace.request):
                    answer = await self._http.request(method, url, json=body, headers=headers)
        except TimeoutError:
            raise Lost(f"{what}: Azure did not answer in {self.pace.request:.0f} s") from None
        except httpx.LocalProtocolError:  # its words may quote what was to be sent
            raise Lost(f"{what}: the request could not be formed") from None
        except httpx.HTTPError as error:
            raise Lost(f"{what}: Azure could not be reached: {error or type(error).__name__}") from None
        if not answer.is_success:
            raise refused(what, self.group, answer.status_code, answer.headers, answer.text)
        return answer

    def attempts(self, seconds: float) -> Callable[[ProdgyError], Awaitable[None]]:
        """What waits before each repetition, and raises the error once the time has passed."""
        end, pause = time.monotonic() + seconds, self.pace.pause

        async def wait(error: ProdgyError) -> None:
            nonlocal pause
            asked = error.wait if isinstance(error, Refused) else None
            seconds = max(asked or 0.0, pause)
            if time.monotonic() + seconds > end:
                raise error
            pause = min(pause * 2, self.pace.longest_pause)
            await anyio.sleep(seconds)

        return wait

    def same_host(self, url: str | None) -> str:
        """An address that an answer gave; the token is sent to no other host."""
        if urlsplit(url or "")[:2] != urlsplit(self.url)[:2]:
            raise ProdgyError(
                f"Azure's answer points to another host: {urlsplit(url or '').netloc}; it is not followed"
            )
        return url or ""


def as_object(what: str, answer: httpx.Response) -> Json:
    """The JSON object of an answer; raises Lost where it is none: then it is not Azure that answered."""
    try:
        found: Any = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Lost(f"{what}: the answer is no JSON object: {answer.text[:80]!r}")
    return found
