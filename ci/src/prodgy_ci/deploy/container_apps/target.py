"""A service that is a container app."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from ...errors import ProdgyError
from ..target import Release, Serving
from ..waiting import say
from . import bodies, logs, names, states, view, watch
from .answers import OperationFailed
from .client import Client
from .view import Json, Revision
from .visit import until_seen
from .watch import Patience


@dataclass
class _Staged:
    """What `prepare` made, and what it found."""

    name: str
    commit: str
    former: list[Json]
    """The traffic table, by name."""
    shares: dict[str, int]
    active: frozenset[str]
    """Revisions that ran before."""
    making: bool = False
    """Whether the request that makes the revision may have been sent."""
    switching: bool = False
    """Whether users may have been switched."""


@dataclass
class ContainerApp:
    """A service's container app; `deploy.target.Target` says what its methods do."""

    service: str
    app: str
    client: Client
    container: str | None = None
    """The container that the image is for, where the app has several and none is known by its name or image."""
    health: str = "/health"
    keep: int = 3
    """Former revisions that stay active without traffic, so that going back takes seconds."""
    times: int = 5
    """Answers in a row that must tell the revision once the traffic is switched."""
    public_url: Callable[[str], str] = "https://{}".format
    """From a host name of the app to the address it is asked at."""
    patience: Patience = field(default_factory=Patience)
    _staged: _Staged | None = field(default=None, init=False, repr=False)

    async def serving(self) -> Serving | None:
        app, revisions = await self._look()
        return view.serving(app, revisions)

    async def state(self) -> str:
        app, revisions = await self._look()
        states_of = {one.name: states.revision(one.answer) for one in revisions}
        told = []
        for name, share in view.shares(app, revisions).items():
            traffic = "" if view.ingress(app) is None else f"{share} % to "
            told.append(f"{traffic}{name}, {_in_words(states_of.get(name))}")
        return "; ".join(told) or "no revision serves"

    async def problem(self) -> str | None:
        app, revisions = await self._look()
        serving = view.shares(app, revisions)
        verdicts = [states.revision(one.answer) for one in revisions if one.name in serving]
        return next((one.reason for one in verdicts if one.kind not in ("ready", "asleep")), None)

    async def log(self) -> AsyncIterator[str]:
        """What the replicas of what serves wrote last, line by line."""
        app, revisions = await self._look()
        async for line in logs.lines(self.client, self.app, list(view.shares(app, revisions))):
            yield line

    async def url(self) -> str | None:
        app, _ = await self._look()
        fqdn = (view.ingress(app) or {}).get("fqdn")
        return self.public_url(str(fqdn)) if fqdn and view.is_public(app) else None

    async def history(self) -> list[Serving]:
        app, revisions = await self._look()
        return [found for one in view.former(app, revisions) if (found := one.serving())]

    async def describe(self, release: Release) -> str:
        app, revisions = await self._look()
        self._require_multiple(app)
        suffix = self._next_suffix(app, revisions, release.commit)
        name = names.revision_name(self.app, suffix)
        create = bodies.new_revision(app, suffix, bodies.wanted_containers(app, release, self.container))
        lines = [f"{self.service}: PATCH {self.app}", _text(bodies.without_values(create))]
        if view.ingress(app) is None:
            others = ", ".join(view.shares(app, revisions)) or "no revision"
            lines.append(f"{self.service}: then deactivate {others}")
        else:
            existing = {one.name for one in revisions}
            switch = bodies.traffic(bodies.switched(view.table(app), name, existing, self.keep))
            lines += [f"{self.service}: then PATCH {self.app}", _text(switch)]
        return "\n".join(lines)

    async def prepare(self, release: Release) -> None:
        app, revisions = await self._begin()
        wanted = bodies.wanted_containers(app, release, self.container)
        there = next((one for one in revisions if _is_healthy(one) and _is_same(one, release, wanted)), None)
        leftovers = self._leftovers(app, revisions)
        suffix = self._next_suffix(app, revisions, release.commit)
        name = there.name if there else names.revision_name(self.app, suffix)
        staged = self._stage(name, release.commit, app, [one for one in revisions if one not in leftovers])
        for leftover in leftovers:
            if leftover is not there:
                say(f"{self.service}: {leftover.name} is left over from a run that did not end: deactivating it")
                await self.client.deactivate(self.app, leftover.name)
        if there:
            say(f"{self.service}: {name} is there already")
        else:
            staged.making = True
            await self._create(release, bodies.new_revision(app, suffix, wanted), suffix, name)
        await self._healthy(name, release.commit)

    async def prepare_former(self, former: Serving) -> None:
        app, revisions = await self._begin()
        if not any(one.name == former.revision for one in revisions):
            raise ProdgyError(f"{self.app}: the revision {former.revision} is gone")
        staged = self._stage(former.revision, former.commit, app, revisions)
        if former.revision not in staged.active:
            await self.client.activate(self.app, former.revision)
        await self._healthy(former.revision, former.commit)

    async def switch(self) -> Serving:
        staged = self._prepared()
        app, revisions = await self._look()
        now = view.shares(app, revisions)
        if view.ingress(app) is None:
            now.pop(staged.name, None)
            changed = now.keys() != staged.shares.keys() - {staged.name}
        else:
            changed = now != staged.shares
        if changed:
            raise ProdgyError(
                f"{self.app}: somebody changed what serves since this run began: now {_told(now)}, "
                f"before {_told(staged.shares)}; nothing was switched"
            )
        own = next((one for one in revisions if one.name == staged.name), None)
        serving = own.serving() if own else None
        if own is None or serving is None or not own.active:
            raise ProdgyError(f"{self.app}: somebody deactivated {staged.name} since it was prepared")
        self.client.check_token()
        staged.switching = True
        if view.ingress(app) is None:
            for name in now:
                await self.client.deactivate(self.app, name)
        elif now != {staged.name: 100}:
            existing = {one.name for one in revisions}
            await self._traffic(bodies.switched(view.table(app), staged.name, existing, self.keep))
        return serving

    async def verify(self) -> None:
        staged = self._prepared()
        app, revisions = await self._look()
        shares = view.shares(app, revisions)
        if shares.keys() != {staged.name}:
            raise ProdgyError(f"{self.app}: {_told(shares)} serves, not {staged.name} alone")
        if view.is_public(app):
            await self._seen((view.ingress(app) or {}).get("fqdn"), staged.commit, self.times)

    async def restore(self) -> None:
        staged = self._staged
        if staged is None:
            return
        await self.client.settled(self.app)
        app, revisions = await self._look()
        own = any(one.name == staged.name for one in revisions)
        if not own and view.suffix(app) == staged.name.removeprefix(f"{self.app}--"):
            own = await watch.appears(self.client, self.app, staged.name, self.patience)
        active = {one.name for one in revisions if one.active}
        for name in sorted((staged.shares.keys() & staged.active) - active):
            await self.client.activate(self.app, name)
            await self._healthy(name, None)
        if view.ingress(app) is not None:
            await self._restore_traffic(staged, app, own)
        if own and staged.name not in staged.active:
            await self.client.deactivate(self.app, staged.name)

    async def retire(self) -> None:
        staged = self._prepared()
        app, revisions = await self._look()
        table = view.table(app)
        busy = {entry["revisionName"] for entry in table if entry["weight"] or "label" in entry} | {staged.name}
        served = {entry["revisionName"] for entry in [*table, *staged.former]}
        rest = [one for one in view.former(app, revisions) if one.active and one.name not in busy]
        ours = [one for one in rest if one.name in served or names.is_made_here(self.app, one.name)]
        for one in ours[self.keep :]:
            await self.client.deactivate(self.app, one.name)

    async def _look(self) -> tuple[Json, list[Revision]]:
        """The app and its revisions as they are now."""
        app = await self.client.app(self.app)
        if app is None:
            raise ProdgyError(f"the resource group {self.client.group} has no container app {self.app}")
        return app, [view.revision(one) for one in await self.client.revisions(self.app)]

    async def _begin(self) -> tuple[Json, list[Revision]]:
        """The same, before a change: when no other operation runs, and with what a run that was killed made last."""
        self.client.check_token()
        app, revisions = await self._look()
        if view.busy(app):
            await self.client.settled(self.app)
            app, revisions = await self._look()
        self._require_multiple(app)
        last = self._last(app)
        unknown = names.is_made_here(self.app, last) and last not in {one.name for one in revisions}
        # A revision is not listed at once. The operation that failed made none.
        if unknown and not view.failed(app) and await watch.appears(self.client, self.app, last, self.patience):
            app, revisions = await self._look()
        return app, revisions

    def _last(self, app: Json) -> str:
        return f"{self.app}--{view.suffix(app)}"

    def _next_suffix(self, app: Json, revisions: Sequence[Revision], commit: str) -> str:
        return names.next_suffix(self.app, commit, [self._last(app), *(one.name for one in revisions)])

    def _require_multiple(self, app: Json) -> None:
        if view.is_single(app):
            raise ProdgyError(
                f"{self.app} is in single-revision mode, in which users meet a new revision before it was looked at; "
                f"once: az containerapp revision set-mode --name {self.app} "
                f"--resource-group {self.client.group} --mode multiple"
            )

    def _stage(self, name: str, commit: str, app: Json, revisions: Sequence[Revision]) -> _Staged:
        shares = view.shares(app, revisions)
        active = frozenset(one.name for one in revisions if one.active)
        self._staged = _Staged(name, commit, view.table(app), shares, active)
        return self._staged

    def _prepared(self) -> _Staged:
        if self._staged is None:
            raise ProdgyError(f"{self.app}: nothing was prepared")
        return self._staged

    def _leftovers(self, app: Json, revisions: Sequence[Revision]) -> list[Revision]:
        """What a run that was killed left: of ours, running, newer than what serves, and never switched to."""
        table = {entry["revisionName"] for entry in view.table(app)}
        serving = view.serving(app, revisions)
        keep = table or {serving.revision if serving else ""}
        since = max((one.created for one in revisions if one.name in keep), default="")
        ours = [one for one in revisions if one.active and names.is_made_here(self.app, one.name)]
        return [one for one in ours if one.name not in keep and one.created >= since]

    async def _create(self, release: Release, body: Json, suffix: str, name: str) -> None:
        async def arrived() -> bool:
            app = await self.client.app(self.app)
            return app is not None and view.suffix(app) == suffix

        try:
            await self.client.patch(self.app, body, arrived)
        except OperationFailed as error:
            # The service took a request whose answer was lost, and then the repetition: the first one made it.
            found = await self.client.revision(self.app, name) if "already exists" in str(error) else None
            if found is None or (its := view.revision(found)).digest != release.digest or its.commit != release.commit:
                raise

    async def _traffic(self, entries: list[Json]) -> None:
        async def arrived() -> bool:
            app = await self.client.app(self.app)
            return app is not None and view.weights(view.table(app)) == view.weights(entries)

        await self.client.patch(self.app, bodies.traffic(entries), arrived)
        if not await arrived():
            raise ProdgyError(f"{self.app}: Azure took the change of the traffic, and the traffic is another")

    async def _restore_traffic(self, staged: _Staged, app: Json, own: bool) -> None:
        now = view.weights(view.table(app))
        taking = view.is_unpinned(app) or staged.name in now.keys() - staged.shares.keys()
        ours = staged.switching or (staged.making and own and taking)
        if not ours:
            return
        if strange := now.keys() - staged.shares.keys() - {staged.name}:
            raise ProdgyError(f"{self.app}: somebody gave {', '.join(strange)} traffic; it is left as it is")
        await self._traffic(staged.former)

    async def _healthy(self, name: str, commit: str | None) -> None:
        """Waits until a revision is healthy by its own state and, given a commit, tells it at its own address."""
        found, is_asleep = await watch.healthy(self.client, self.app, name, self.patience)
        app = await self.client.app(self.app)
        if commit is not None and app is not None and view.is_public(app):
            await self._seen((found.get("properties") or {}).get("fqdn"), commit, 1)
        elif is_asleep:
            say(f"{self.service}: {name} is scaled to zero and has no public address: it was not seen to start")

    async def _seen(self, fqdn: object, commit: str, times: int) -> None:
        if not fqdn:
            raise ProdgyError(f"{self.app}: Azure tells no host name for it")
        url = self.public_url(str(fqdn)).rstrip("/") + self.health
        await until_seen(url, commit, times, self.patience.visited, self.patience.interval / 3)


def _is_healthy(one: Revision) -> bool:
    return one.active and states.revision(one.answer).kind in ("ready", "asleep")


def _is_same(one: Revision, release: Release, wanted: Sequence[Json]) -> bool:
    """Whether a revision is what the release would make, also in all that is not the release's."""
    if (one.commit, one.digest) != (release.commit, release.digest):
        return False
    return view.plain(view.containers(one.answer.get("properties") or {})) == view.plain(wanted)


def _in_words(verdict: states.Verdict | None) -> str:
    if verdict is None:
        return "which is not known"
    return "healthy" if verdict.kind == "ready" else verdict.reason


def _told(shares: dict[str, int]) -> str:
    return ", ".join(shares) or "no revision"


def _text(body: Json) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)
