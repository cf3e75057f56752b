"""A service of a Windows machine as a target: staged beside what serves, switched by renaming, and back the same way.

What the machine did is never guessed: where an answer is lost, its state is asked on a new connection.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from ...checks.windows import Status as Machine
from ...errors import InputError, ProdgyError
from ..target import Release, Serving
from ..waiting import awaited, say, until
from . import parameters as p
from .client import Broken, Shell, Unreachable, in_thread
from .settings import Settings
from .upload import POWERSHELL, SWITCHES, digest, script, upload

ATTEMPTS = 3
NOTHING = "nothing"
"""The name of no release: those begin with a commit."""


class WindowsService:
    """The target of one service; `deploy/target.py` says what each method does."""

    def __init__(self, service: str, settings: Settings) -> None:
        self._service = service
        self._settings = settings
        self._own = f"{settings.releases}\\.prodgy"
        self._sent: set[str] = set()
        """Files that are there, which need not be sent again."""
        self._before: p.Status | None = None
        self._wanted: p.Wanted | None = None
        self._mode: p.Mode = "Switch"
        self._switched = False
        """Whether a switch may have changed what serves."""

    @property
    def service(self) -> str:
        """The catalog's name."""
        return self._service

    async def serving(self) -> Serving | None:
        """As the protocol says. Beside reading, it sends the script that reads, which changes nothing that serves."""
        return _serving(await self._status())

    async def state(self) -> str:
        """As the protocol says."""
        return _words(await self._status())

    async def problem(self) -> str | None:
        """As the protocol says."""
        status = await self._status()
        return None if status.healthy and status.journal is None else _words(status)

    async def url(self) -> str | None:
        """As the protocol says: only the machine itself asks it."""
        return None

    async def history(self) -> list[Serving]:
        """As the protocol says."""
        former = (await self._status()).former
        return [Serving(one.commit, one.digest, one.release, one.since) for one in former if one.commit]

    async def machine(self) -> Machine:
        """What the preflight check judges."""
        status = await self._status()
        line = status.machine
        return Machine(
            computer=str(line.get("computer", self._settings.host)),
            administrator=line.get("administrator") is True,
            service=status.service,
            nssm=line.get("nssm") is True,
            free_bytes=int(line.get("freeBytes") or 0),
        )

    async def describe(self, release: Release) -> str:
        """As the protocol says."""
        archive = self._archive(release)
        wanted, size = self._stage(release, archive)
        settings = self._settings
        return (
            f"{self._service}: to {settings.host}:{settings.port}, as {settings.user}: {archive.name}, {size} bytes, "
            f"SHA-256 {wanted.sha256}\n"
            f"  -Mode Stage: {settings.releases}\\{wanted.release}.new, with {', '.join(settings.preserve) or 'nothing'} "
            f"of {settings.folder}\n"
            f"  -Mode Switch: stops {settings.service}, renames it to {settings.folder}, starts it, asks {settings.health}"
        )

    async def prepare(self, release: Release) -> None:
        """As the protocol says: the archive is there, sound and extracted."""
        archive = self._archive(release)
        wanted, _ = self._stage(release, archive)
        self._before = await self._repaired()
        self._wanted, self._mode = wanted, "Switch"
        await self._settled("Stage", wanted, lambda status: status.staged == wanted.release, archive)

    async def prepare_former(self, former: Serving) -> None:
        """As the protocol says: it is there still."""
        status = await self._repaired()
        if former.revision not in [one.release for one in status.former]:
            raise ProdgyError(f"{self._service}: {former.revision} is no longer kept on {self._settings.host}")
        self._before = status
        self._wanted, self._mode = p.Wanted(former.revision, former.commit, former.digest), "Rollback"

    async def switch(self) -> Serving:
        """As the protocol says. The script puts the former release back itself where the new one fails."""
        if self._wanted is None or self._before is None:
            raise ProdgyError(f"{self._service}: nothing was prepared")
        serving = self._before.serving
        wanted = replace(self._wanted, expected=serving.release if serving else None)
        self._switched = True
        try:
            await self._settled(self._mode, wanted, lambda status: _serves(status, wanted.release))
        except p.ScriptFailed as error:
            self._switched = error.code not in p.UNTOUCHED
            raise
        return Serving(wanted.commit or "", wanted.digest, wanted.release, None)

    async def verify(self) -> None:
        """As the protocol says."""
        wanted = self._wanted
        if wanted is None:
            raise ProdgyError(f"{self._service}: nothing was prepared")
        seen = ""

        async def probe() -> bool | None:
            nonlocal seen
            status = await self._status()
            seen = _words(status)
            return True if _serves(status, wanted.release) else None

        settings = self._settings
        try:
            await until(
                f"{self._service} to be healthy as {wanted.release}",
                probe,
                settings.health_seconds,
                settings.retry_interval,
            )
        except Broken:
            raise
        except ProdgyError as error:
            raise ProdgyError(f"{error}; last seen: {seen}") from None

    async def restore(self) -> None:
        """As the protocol says."""
        before, wanted = self._before, self._wanted
        if before is None or wanted is None:
            return  # nothing was sent yet
        for attempt in range(1, ATTEMPTS + 1):
            status = await self._quiet()
            try:
                if self._switched and not _is_as(status, before):
                    assert before.serving is not None
                    self._own_or_raise(status, before, wanted)
                    await self._run("Rollback", p.Wanted(before.serving.release))
                elif self._leftover(status, before, wanted):
                    await self._run("Discard", p.Wanted(wanted.release))
                else:
                    return
            except (Broken, p.Unanswered, p.ScriptFailed) as error:
                final = isinstance(error, p.ScriptFailed) and error.code != p.BUSY
                if final or attempt == ATTEMPTS:
                    raise
                say(f"{self._service}: {error}; looking again")
        status = await self._quiet()
        if self._switched and not _is_as(status, before):
            raise ProdgyError(f"{self._service}: could not be put back: {_words(status)}, before: {_words(before)}")

    def _own_or_raise(self, status: p.Status, before: p.Status, wanted: p.Wanted) -> None:
        """Raises ProdgyError where what serves is neither what served before nor what this run switched to."""
        known = {one.release for one in (before.serving, wanted) if one}
        if status.serving is not None and status.serving.release not in known:
            raise ProdgyError(
                f"{self._service}: somebody else deployed meanwhile: {status.serving.release}; it is left as it is"
            )

    async def retire(self) -> None:
        """Nothing: the script itself keeps only what is needed for going back."""

    def _leftover(self, status: p.Status, before: p.Status, wanted: p.Wanted) -> bool:
        """Whether the release that failed is there, staged or as a former one that nobody should go back to."""
        if self._mode == "Rollback" or wanted.release in _names(before):
            return status.staged == wanted.release
        return wanted.release in (status.staged, *_names(status))

    def _archive(self, release: Release) -> Path:
        if release.files is None or not (archive := release.files / f"{self._service}.zip").is_file():
            raise InputError(
                f"{self._service}: {release.reference} holds no {self._service}.zip; build and publish it anew"
            )
        return archive

    def _stage(self, release: Release, archive: Path) -> tuple[p.Wanted, int]:
        """What is to be staged. Its name tells apart what differs in commit, archive or image."""
        sha256, size = digest(archive)
        mark = hashlib.sha256(f"{sha256} {release.digest}".encode()).hexdigest()[:8]
        name = f"{release.commit[:10]}-{mark}"
        path = f"{self._own}\\{name}.zip"
        return p.Wanted(name, release.commit, release.digest, path, sha256), size

    async def _settled(
        self, mode: p.Mode, wanted: p.Wanted, done: Callable[[p.Status], bool], archive: Path | None = None
    ) -> None:
        """Runs the mode; where its answer is lost, its state decides. A run that changed nothing is repeated."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._run(mode, wanted, archive)
                return
            except (Broken, p.Unanswered) as error:
                say(f"{self._service}: {mode}: {error}; asking on a new connection what was done")
                status = await self._quiet()
                if done(status):
                    return
                harmless = mode in ("Stage", "Discard") or isinstance(error, Unreachable)
                if not harmless or attempt == ATTEMPTS:
                    raise ProdgyError(f"{mode}: {error}; asked on a new connection: {_words(status)}") from None

    async def _repaired(self) -> p.Status:
        """The state, once what a run that died left half done is put right: any run of the script does that first."""
        status = await self._status()
        if status.journal is None:
            return status
        await self._quiet()
        await self._settled("Discard", p.Wanted(NOTHING), lambda status: status.journal is None)
        return await self._quiet()

    async def _quiet(self) -> p.Status:
        """The state once no run is at work; keeps asking where the machine cannot be reached."""
        settings = self._settings
        end = time.monotonic() + settings.settle_timeout
        async with awaited(f"{self._service}: the state of {settings.host}"):
            while True:
                try:
                    status = await self._status()
                    if not status.busy:
                        return status
                    problem = f"a run is at work, at {status.journal}"
                except (Broken, p.Unanswered) as error:
                    problem = str(error)
                if time.monotonic() + settings.retry_interval > end:
                    raise ProdgyError(
                        f"what serves could not be told within {settings.settle_timeout:.0f} s: {problem}; "
                        f"look at the service {settings.service} on the machine, then deploy again"
                    )
                await anyio.sleep(settings.retry_interval)

    async def _status(self) -> p.Status:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return p.status(await self._run("Status"))
            except (Broken, p.Unanswered) as error:
                if isinstance(error, Unreachable) or attempt == ATTEMPTS:
                    raise
                say(f"{self._service}: Status: {error}; asking on a new connection")
        raise AssertionError("not reached")

    async def _run(self, mode: p.Mode, wanted: p.Wanted | None = None, archive: Path | None = None) -> dict[str, Any]:
        """One run of the script, on a new connection; returns its last line.

        Raises ScriptFailed; Broken and Unanswered where its end is not known.
        """
        swaps = mode in ("Switch", "Rollback", "Deploy")
        settings = self._settings
        others = settings.status_timeout if mode == "Status" else settings.staging_timeout
        deadline = settings.switching_seconds if swaps else others

        def work(shell: Shell) -> dict[str, Any]:
            program = self._send(shell, script("deploy.ps1"), "deploy.ps1")
            given = self._send(shell, p.parameters(settings, wanted).encode("ascii"), "parameters.json")
            if archive is not None and wanted is not None and wanted.archive is not None:
                say(f"{self._service}: sending {archive.name}")
                started = time.monotonic()
                sent = upload(shell, archive, wanted.archive)
                say(f"{self._service}: {f'sent in {time.monotonic() - started:.1f} s' if sent else 'was there'}")
            answer = p.Answer(lambda line: say(f"{self._service}: {line}"))
            arguments = [*SWITCHES, "-File", f'"{program}"', "-Mode", mode, "-Parameters", f'"{given}"']
            command = shell.start(POWERSHELL, arguments)
            code, errors = shell.receive(command, answer.feed, deadline, survives=swaps)
            if errors:
                say(f"{self._service}: {errors[-500:]}")
            return answer.end(code)

        try:
            return await in_thread(settings, work, interruptible=not swaps)
        except ProdgyError:
            self._sent.clear()  # somebody may have deleted them
            raise

    def _send(self, shell: Shell, content: bytes, name: str) -> str:
        """Sends a small file, into a folder that is named by its content, and returns its path."""
        path = f"{self._own}\\{hashlib.sha256(content).hexdigest()[:12]}\\{name}"
        if path not in self._sent:
            upload(shell, content, path)
            self._sent.add(path)
        return path


def _serving(status: p.Status) -> Serving | None:
    """Without its digest where it is not seen to serve: then it equals no release, and a rerun deploys it."""
    if status.serving is None or status.serving.commit is None:
        return None
    well = status.healthy and status.journal is None
    one = status.serving
    return Serving(status.serving.commit, one.digest if well else None, one.release, one.since)


def _serves(status: p.Status, release: str) -> bool:
    now = status.serving
    return now is not None and now.release == release and status.healthy and status.journal is None


def _is_as(status: p.Status, before: p.Status) -> bool:
    """Whether what serves is what served before, as well as it did."""
    if before.serving is None:
        return status.journal is None
    same = status.serving is not None and status.serving.release == before.serving.release
    return same and status.journal is None and (status.healthy or not before.healthy)


def _names(status: p.Status) -> list[str]:
    return [one.release for one in status.former]


def _words(status: p.Status) -> str:
    serving = status.serving.release if status.serving else "nothing"
    health = "healthy" if status.healthy else f"not healthy, the service is {status.service or 'not there'}"
    return f"{serving} is in place, {health}" + (f", broken off at {status.journal}" if status.journal else "")
