"""What a site serves, seen from outside."""

import time
from dataclasses import dataclass

import anyio
import httpx

from ...errors import ProdgyError
from ..target import Serving
from ..waiting import awaited
from .release import RELEASE, VERSION, SiteRelease, of_text, revision


@dataclass(frozen=True)
class Seen:
    """What a site says of itself."""

    serving: Serving
    release: SiteRelease | None
    """None where the build that is served came some other way."""


class Site:
    """The site at an https:// address."""

    def __init__(self, url: str, patience: float = 15.0) -> None:
        self.url, self._patience = url.rstrip("/"), patience
        self._tls = httpx.create_ssl_context()

    async def look(self) -> Seen | None:
        """What it serves; None where it holds no version.json. Raises ProdgyError where that cannot be told."""
        version = await self._get(VERSION)
        if version is None or version.lstrip().startswith("<"):
            return None
        if (commit := revision(version)) is None:
            raise ProdgyError(f"{self.url}/{VERSION} names no revision: {version[:80]!r}")
        text = await self._get(RELEASE)
        release = of_text(text) if text is not None else None
        if release is None or release.commit != commit:
            return Seen(Serving(commit, None, revision=commit, since=None), None)
        return Seen(release.serving, release)

    async def until_served(
        self, commit: str, digest: str | None, times: int, deadline: float, interval: float = 2.0
    ) -> None:
        """Returns once that build was seen so many times in a row, each on a new connection.

        Raises ProdgyError with what was seen last when `deadline` seconds have passed.
        """
        end, in_a_row, last = time.monotonic() + deadline, 0, "nothing"
        async with awaited(f"{self.url} to serve {commit[:10]}"):
            while in_a_row < times:
                left = end - time.monotonic()
                if left > 0:
                    with anyio.move_on_after(left):
                        last = await self._wrong(commit, digest)
                        if not last:
                            in_a_row += 1
                            continue
                in_a_row = 0
                if time.monotonic() + interval > end:
                    raise ProdgyError(
                        f"{self.url} did not serve {commit} {times} times in a row: {last or 'it answers too slowly'}"
                    )
                await anyio.sleep(interval)

    async def _wrong(self, commit: str, digest: str | None) -> str:
        """What is wrong with what is served; empty where it is that build."""
        try:
            seen = await self.look()
        except ProdgyError as error:
            return str(error)
        if seen is None:
            return f"it has no {VERSION}"
        if (seen.serving.commit, seen.serving.digest) == (commit, digest):
            return ""
        return f"it serves {seen.serving.commit} of {seen.serving.digest or 'an unknown image'}"

    async def _get(self, name: str) -> str | None:
        """A file's text; None where it is not there."""
        address = f"{self.url}/{name}"
        local = httpx.URL(address).host in ("127.0.0.1", "::1", "localhost")
        try:
            with anyio.fail_after(self._patience):
                async with httpx.AsyncClient(trust_env=not local, verify=self._tls, timeout=self._patience) as http:
                    answer = await http.get(address, headers={"Cache-Control": "no-cache"}, follow_redirects=True)
        except TimeoutError:
            raise ProdgyError(f"{address}: no answer in {self._patience:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProdgyError(f"{address}: {error or type(error).__name__}") from None
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise ProdgyError(f"{address} answered {answer.status_code}")
        return answer.text
