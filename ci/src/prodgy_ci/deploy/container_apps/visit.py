"""Asks a service over its public address which revision it is."""

import json
import ssl
import time
from functools import cache

import anyio
import httpx

from ...errors import ProdgyError
from ..waiting import awaited


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the authorities takes so long that all that waits would stand still."""
    return httpx.create_ssl_context()


async def until_seen(url: str, commit: str, times: int, deadline: float, interval: float = 1.0) -> None:
    """Returns once the health route at `url` has told the commit so many times in a row, each on a new connection.

    Raises ProdgyError with the last other answer when `deadline` seconds have passed.
    """
    end = time.monotonic() + deadline
    in_a_row = 0
    limits = httpx.Limits(max_keepalive_connections=0)
    local = httpx.URL(url).host in ("127.0.0.1", "::1", "localhost")
    client = httpx.AsyncClient(verify=_tls(), limits=limits, trust_env=not local)
    async with client as http, awaited(f"{url} to tell {commit[:10]}"):
        while in_a_row < times:
            wrong = await _wrong(http, url, commit, min(deadline, 10.0))
            if wrong is None:
                in_a_row += 1
                continue
            in_a_row = 0
            if time.monotonic() + interval > end:
                row = f" {times} times in a row" if times > 1 else ""
                raise ProdgyError(f"{url} did not tell the revision {commit}{row} in {deadline:.0f} s: {wrong}")
            await anyio.sleep(interval)


async def _wrong(http: httpx.AsyncClient, url: str, commit: str, seconds: float) -> str | None:
    """What is wrong with an answer; None where it is the wished-for one."""
    try:
        with anyio.fail_after(seconds):
            answer = await http.get(url)
    except TimeoutError:
        return f"no answer in {seconds:.3g} s"
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    if answer.status_code != 200:
        return f"it answered {answer.status_code}: {answer.text[:80]!r}"
    try:
        told = json.loads(answer.text).get("revision")
    except (ValueError, AttributeError):
        return f"it answered no JSON object: {answer.text[:80]!r}"
    return None if told == commit else f"it told the revision {told}"
