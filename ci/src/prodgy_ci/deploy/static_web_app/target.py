"""A site as a target: going back is deploying the former build again, so its files are fetched before the switch."""

import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import anyio
from pydantic import SecretStr

from ...errors import ProdgyError
from ..target import Release, Serving
from ..waiting import awaited, say
from . import answers, names
from .probe import Seen, Site
from .release import RELEASE, Build, SiteRelease, checked, following


class Said(NamedTuple):
    """How the CLI ended."""

    code: int
    output: str
    """Standard output and error together: it tells its success on the latter."""


class _Ready(NamedTuple):
    folder: Path
    release: SiteRelease


class StaticWebApp:
    """One site; see `target.Target`.

    `deploy` uploads a folder with the CLI, which `ready` makes sure of; `files_of` fetches the files of a former build by
    its digest; all may raise ProdgyError. `hidden` is replaced wherever the CLI's output is quoted. Times are in
    seconds: `uploading` is what one upload may take, `settling` what the site may take to serve it.
    """

    def __init__(
        self,
        service: str,
        url: str,
        deploy: Callable[[Path], Awaitable[Said]],
        files_of: Callable[[Serving], Awaitable[Path]],
        *,
        ready: Callable[[], Awaitable[object]] | None = None,
        environment: str = names.PRODUCTION,
        hidden: Sequence[SecretStr] = (),
        times: int = 3,
        interval: float = 2.0,
        uploading: float = 900.0,
        settling: float = 600.0,
    ) -> None:
        self._service, self._site = service, Site(url)
        self._environment = names.environment(environment, f"{service}: environment")
        self._deploy, self._ready, self._files_of, self._hidden = deploy, ready, files_of, hidden
        self._times, self._interval, self._uploading, self._settling = times, interval, uploading, settling
        self._before: Seen | None = None
        self._next: _Ready | None = None
        self._former: _Ready | None = None
        self._sent = False

    @property
    def service(self) -> str:
        return self._service

    async def serving(self) -> Serving | None:
        seen = await self._site.look()
        return seen.serving if seen else None

    async def state(self) -> str:
        seen = await self._site.look()
        if seen is None:
            return f"{self._site.url}: nothing of ours"
        return f"{self._site.url}: served" + ("" if seen.release else ", from no known image")

    async def problem(self) -> str | None:
        return None if await self._site.look() else f"{self._site.url}: nothing of ours"

    async def url(self) -> str | None:
        return self._site.url

    async def history(self) -> list[Serving]:
        seen = await self._site.look()
        return [seen.release.previous.serving] if seen and seen.release and seen.release.previous else []

    async def describe(self, release: Release) -> str:
        now = await self.serving()
        return (
            f"{self._service}: deploy {release.reference} to {self._site.url}, environment {self._environment}; "
            f"it serves {now.commit if now else 'nothing of ours'} now"
        )

    async def prepare(self, release: Release) -> None:
        folder = checked(self._service, release.files, release.commit)
        self._before = await self._site.look()
        before = self._before.serving if self._before else None
        self._former = await self._kept(self._before)
        if self._ready is not None:
            await self._ready()
        made = following(release, before, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        (folder / RELEASE).write_text(made.json_text(), encoding="utf-8")
        self._next = _Ready(folder, made)

    async def prepare_former(self, former: Serving) -> None:
        if former.digest is None:
            raise ProdgyError(f"{self._service}: nobody knows which image {former.commit} came from")
        folder = await self._files_of(former)
        await self.prepare(Release(self._service, former.commit, former.digest, former.digest, folder))

    async def switch(self) -> Serving:
        ready = self._prepared()
        now, before = await self._site.look(), self._before
        if now != before:
            seen = now.serving.commit if now else "nothing of ours"
            raise ProdgyError(f"{self._service}: somebody else deployed meanwhile; the site serves {seen} now")
        self._sent = True
        await self._upload(ready.folder)
        return ready.release.serving

    async def verify(self) -> None:
        await self._until(self._prepared().release)

    async def restore(self) -> None:
        if not self._sent:
            return
        if stranger := await self._stranger():
            raise ProdgyError(f"{self._service}: somebody else deployed {stranger} meanwhile; it is left as it is")
        if self._former is None:
            what = "what it served before is not known" if self._before else "it served nothing of ours before"
            raise ProdgyError(f"{self._service}: the site cannot be put back: {what}")
        (self._former.folder / RELEASE).write_text(self._former.release.json_text(), encoding="utf-8")
        await self._upload(self._former.folder)
        await self._until(self._former.release)
        self._sent = False

    async def _stranger(self) -> str | None:
        """The commit that the site serves, where it is neither ours nor what was there; a silent site is put back."""
        try:
            seen = await self._site.look()
        except ProdgyError:
            return None
        ours = {self._prepared().release.commit, *([self._before.serving.commit] if self._before else [])}
        return seen.serving.commit if seen and seen.serving.commit not in ours else None

    async def retire(self) -> None:
        """Nothing: a site keeps no former builds, the registry does."""

    def _prepared(self) -> _Ready:
        if self._next is None:
            raise ProdgyError(f"{self._service}: nothing is prepared")
        return self._next

    async def _kept(self, seen: Seen | None) -> _Ready | None:
        """The files of what serves now; None where it was not deployed from an image."""
        if seen is None:
            return None
        if seen.release is None:
            say(f"{self._service}: {seen.serving.commit} came from no known image: it could not be put back")
            return None
        folder = await self._files_of(seen.serving)
        return _Ready(checked(self._service, folder, seen.serving.commit), seen.release)

    async def _upload(self, folder: Path) -> None:
        try:
            with anyio.fail_after(self._uploading):
                async with awaited(f"the upload of {self._service}"):
                    said = await self._deploy(folder)
        except TimeoutError:
            raise ProdgyError(f"{self._service}: the upload did not end in {self._uploading:.0f} s") from None
        verdict = answers.judge(said.code, self._without_secrets(said.output))
        if verdict.url is None:
            # Where Azure took nothing, the site is as it was, whatever it was: no second upload mends that.
            self._sent = self._sent and (verdict.began or folder != self._prepared().folder)
            raise ProdgyError(f"{self._service}: {verdict.message}")
        say(f"{self._service}: deployed to {verdict.url}")

    async def _until(self, build: Build) -> None:
        await self._site.until_served(build.commit, build.digest, self._times, self._settling, self._interval)

    def _without_secrets(self, text: str) -> str:
        for secret in self._hidden:
            if value := secret.get_secret_value():
                text = text.replace(value, "***")
        return text
