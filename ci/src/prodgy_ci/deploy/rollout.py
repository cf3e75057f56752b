"""Prepare all, then switch all, then verify; on failure, or when the run is stopped, put back exactly what was there.

The order is the peers' weak point: they move the traffic in the call that creates a revision and check nothing.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import anyio

from ..errors import InputError, ProdgyError
from .record import Action, Deployment, Deployments, Result, served
from .target import Release, Serving, Target
from .waiting import say

Step = Callable[[Target], Awaitable[object]]
Check = Callable[[], Awaitable[None]]
Fetch = Callable[[Release], Awaitable[Release]]
"""Gives a release with its files; called only for what is to be deployed."""
RESTORING = 900.0
"""Seconds that putting back may take when the run is being stopped."""


@dataclass
class _Progress:
    """What was done with one service so far."""

    target: Target
    before: Serving | None
    started: float = field(default_factory=time.monotonic)
    steps: list[str] = field(default_factory=list)
    error: str | None = None
    restored: bool | None = None
    """None where nothing was to put back."""


async def deploy(
    environment: str,
    commit: str,
    releases: Mapping[str, Release],
    targets: Sequence[Target],
    check: Check | None = None,
    fetch: Fetch | None = None,
) -> Deployments:
    """Deploys each target's release; all of them serve theirs at the end, or each what it served before.

    A service that serves its release already is left alone. `check` looks at the whole once all are switched: what it
    raises rolls everything back. Only reading what serves now raises; all else is told in the record.
    """
    before = await read(targets)
    to_do = [target for target in targets if not _same(before[target.service], releases[target.service])]

    async def prepare(target: Target) -> None:
        release = releases[target.service]
        await target.prepare(await fetch(release) if fetch else release)

    made = await _run(
        [_Progress(target, before[target.service]) for target in to_do],
        prepare,
        check,
    )
    return await _record(environment, "deploy", commit, targets, before, made)


async def rollback(
    environment: str,
    targets: Sequence[Target],
    to: str | None,
    check: Check | None = None,
) -> Deployments:
    """Goes back to the former release of each target, or to the release of the commit `to`, again all or nothing.

    Raises InputError, before anything is changed, where a target has nothing to go back to.
    """
    before = await read(targets)
    chosen: dict[str, Serving] = {}
    faults: list[str] = []

    async def choose(target: Target) -> None:
        now = before[target.service]
        if to is not None and now is not None and now.commit.startswith(to):
            if now.digest is None:  # another serves beside it, or it does not run
                chosen[target.service] = now
            return
        history = await target.history()
        match = next((one for one in history if to is None or one.commit.startswith(to)), None)
        if match is None:
            kept = ", ".join(one.commit[:10] for one in history) or "nothing"
            wanted = f"no release of {to}" if to else "no former release"
            faults.append(f"{target.service}: {wanted} is kept; kept: {kept}")
        else:
            chosen[target.service] = match

    await _all(targets, choose)
    if faults:
        raise InputError("nothing was rolled back:\n" + "\n".join(sorted(faults)))
    progress = [_Progress(target, before[target.service]) for target in targets if target.service in chosen]
    made = await _run(progress, lambda target: target.prepare_former(chosen[target.service]), check)
    return await _record(environment, "rollback", to, targets, before, made)


async def describe(
    environment: str,
    commit: str,
    releases: Mapping[str, Release],
    targets: Sequence[Target],
    fetch: Fetch | None = None,
) -> tuple[Deployments, str]:
    """What `deploy` would do: the record, and what would be sent, for people. Sends only reads."""
    before = await read(targets)
    texts: dict[str, str] = {}

    async def one(target: Target) -> None:
        release = releases[target.service]
        if not _same(before[target.service], release):
            texts[target.service] = await target.describe(await fetch(release) if fetch else release)

    await _all(targets, one)
    services = {
        target.service: Deployment(
            result="would deploy" if target.service in texts else "unchanged",
            before=served(before[target.service]),
            after=served(before[target.service]),
            seconds=0,
        )
        for target in targets
    }
    result: Result = "would deploy" if texts else "unchanged"
    record = Deployments(environment=environment, action="deploy", commit=commit, result=result, services=services)
    return record, "\n".join(texts[target.service] for target in targets if target.service in texts)


async def read(targets: Sequence[Target]) -> dict[str, Serving | None]:
    """What each target serves, in their order; raises ProdgyError that names each that could not be read."""
    found: dict[str, Serving | None] = {}
    faults: list[str] = []

    async def one(target: Target) -> None:
        try:
            found[target.service] = await target.serving()
        except ProdgyError as error:
            faults.append(f"{target.service}: {error}")

    await _all(targets, one)
    if faults:
        raise ProdgyError("could not tell what is deployed:\n" + "\n".join(sorted(faults)))
    return {target.service: found[target.service] for target in targets}


def _same(now: Serving | None, release: Release) -> bool:
    return now is not None and (now.commit, now.digest) == (release.commit, release.digest)


class _Made:
    def __init__(self, progress: Sequence[_Progress]) -> None:
        self.progress = {one.target.service: one for one in progress}
        self.error: str | None = None

    @property
    def failed(self) -> bool:
        return self.error is not None or any(one.error for one in self.progress.values())


async def _run(progress: Sequence[_Progress], prepare: Step, check: Check | None) -> _Made:
    made = _Made(progress)
    if not progress:
        return made
    try:
        for name, step in (("prepare", prepare), ("switch", _switch), ("verify", _verify)):
            await _stage(progress, name, step)
            if made.failed:
                break
        else:
            if check is not None:
                say("checking the whole environment")
                try:
                    await check()
                except ProdgyError as error:
                    made.error = str(error)
    except BaseException:  # stopped from outside: what was there must serve again before this process ends
        with anyio.move_on_after(RESTORING, shield=True):
            await _stage(progress, "restore", _restore, keep_going=True)
        raise
    if made.failed:
        await _stage(progress, "restore", _restore, keep_going=True)
    else:
        await _stage(progress, "retire", _retire, keep_going=True)
    return made


async def _switch(target: Target) -> object:
    return await target.switch()


async def _verify(target: Target) -> None:
    await target.verify()


async def _restore(target: Target) -> None:
    await target.restore()


async def _retire(target: Target) -> None:
    await target.retire()


async def _stage(progress: Sequence[_Progress], name: str, step: Step, keep_going: bool = False) -> None:
    """The same step for all at once. The first failure stops the others, unless they are to keep going."""
    async with anyio.create_task_group() as group:

        async def one(its: _Progress) -> None:
            service = its.target.service
            say(f"{service}: {name}")
            try:
                await step(its.target)
            except Exception as error:
                message = str(error) if isinstance(error, ProdgyError) else f"{type(error).__name__}: {error}"
                say(f"{service}: {name} failed: {message}")
                its.steps.append(f"{name} failed" if name != "retire" else f"retire failed: {message}")
                if name == "restore":
                    its.restored = False
                if name != "retire":
                    its.error = f"{its.error}\n{name}: {message}" if its.error else f"{name}: {message}"
                if not keep_going:
                    group.cancel_scope.cancel()
            else:
                its.steps.append(name)
                if name == "restore":
                    its.restored = True

        for its in progress:
            group.start_soon(one, its)


async def _record(
    environment: str,
    action: Action,
    commit: str | None,
    targets: Sequence[Target],
    before: Mapping[str, Serving | None],
    made: _Made,
) -> Deployments:
    after: dict[str, Serving | None] = dict(before)
    failed, overall = made.failed, _overall(made)  # a last look that fails undoes nothing

    async def look(target: Target) -> None:
        one = made.progress[target.service]
        try:
            after[target.service] = await target.serving()
        except ProdgyError as error:
            after[target.service] = None
            one.error = f"{one.error or ''}\nwhat serves now could not be told: {error}".lstrip()

    await _all([target for target in targets if target.service in made.progress], look)
    services = {}
    for target in targets:
        name = target.service
        one = made.progress.get(name)
        services[name] = Deployment(
            result=_result(one, failed),
            before=served(before[name]),
            after=served(after[name]),
            seconds=round(time.monotonic() - one.started, 1) if one else 0,
            steps=tuple(one.steps) if one else (),
            error=one.error if one else None,
        )
    return Deployments(
        environment=environment,
        action=action,
        commit=commit,
        result=overall,
        error=made.error,
        services=services,
    )


def _overall(made: _Made) -> Result:
    if not made.progress:
        return "unchanged"
    if not made.failed:
        return "deployed"
    return "rolled back" if all(one.restored for one in made.progress.values()) else "restore failed"


def _result(one: _Progress | None, failed: bool) -> Result:
    if one is None:
        return "unchanged"
    if not failed:
        return "deployed"
    return "rolled back" if one.restored else "restore failed"


async def _all(targets: Sequence[Target], work: Callable[[Target], Awaitable[None]]) -> None:
    """The work for each at once; an InputError of one is raised as it is, not in a group."""
    failures: list[Exception] = []

    async def one(target: Target) -> None:
        try:
            await work(target)
        except Exception as error:  # raised below: a task group would wrap it
            failures.append(error)

    async with anyio.create_task_group() as group:
        for target in targets:
            group.start_soon(one, target)
    if failures:
        raise failures[0]
