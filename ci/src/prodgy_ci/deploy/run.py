"""What `environment` does: tells what runs there, deploys, and goes back."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from ..catalog import Service
from ..errors import InputError, ProdgyError
from ..images.record import Images
from ..records import aligned
from ..together import task_group
from . import published, record, rollout
from .record import Deployed, Deployments
from .target import Release, Target
from .where import Place, Where, reached

Check = Callable[[Place], Awaitable[None]]
"""Looks at the whole environment once all is switched; what it raises rolls everything back."""


async def deployed(where: Where) -> Deployed:
    """What runs in the environment, read from the targets."""
    async with reached(where, _services(where, None)) as place:
        return record.deployed(where.environment.name, await rollout.read(place.targets))


async def status(where: Where) -> str:
    """The same for people: what serves, how well, and what can be gone back to."""
    rows: dict[str, tuple[str, ...]] = {}

    async def one(target: Target) -> None:
        try:
            now, state, former = await target.serving(), await target.state(), await target.history()
        except ProdgyError as error:
            rows[target.service] = (target.service, "?", "", str(error), "")
            return
        serves, since = (now.commit[:10], now.since or "-") if now else ("-", "-")
        kept = ", ".join(one.commit[:10] for one in former) or "-"
        rows[target.service] = (target.service, serves, since, kept, state)

    services = _services(where, None)
    async with reached(where, services) as place, task_group() as group:
        for target in place.targets:
            group.start_soon(one, target)
    head = ("SERVICE", "SERVES", "SINCE", "BEFORE THAT", "STATE")
    return aligned([head, *(rows[service.name] for service in services)])


async def deploy(
    where: Where, images: Images, names: Sequence[str] | None = None, check: Check | None = None
) -> Deployments:
    """Deploys the images of images.json, or those of the named services; all of them, or none."""
    if not images.images and names is None:
        return _nothing(where, images)
    releases = _releases(where, images, names)
    async with reached(where, _services(where, list(releases)), changing=True) as place:
        whole = _bound(check, place)
        return await rollout.deploy(
            where.environment.name, images.commit, releases, place.targets, whole, _fetch(where)
        )


async def unmoved(where: Where, before: Deployed, images: Images) -> None:
    """Raises InputError where a service serves neither what it did when the plan was made, nor the images' commit.

    The plan of a run that waited, for an approval or its turn, says nothing of what another run did meanwhile.
    """
    if before.environment != where.environment.name:
        raise InputError(f"--deployed: is of '{before.environment}', and '{where.environment.name}' is deployed to")
    planned = before.commits()
    async with reached(where, [s for s in where.catalog.services.values() if s.name in planned]) as place:
        now = {name: one.commit if one else None for name, one in (await rollout.read(place.targets)).items()}
    own = dict.fromkeys(images.images, images.commit)
    moved = [
        f"{name}: serves {(commit or 'nothing')[:10]}; the plan was made when it served {(planned[name] or 'nothing')[:10]}"
        for name, commit in now.items()
        if commit not in (planned[name], own.get(name, planned[name]))
    ]
    if moved:
        raise InputError(
            "nothing was changed, for the plan is out of date; run the pipeline again:\n" + "\n".join(moved)
        )


async def describe(where: Where, images: Images, names: Sequence[str] | None = None) -> tuple[Deployments, str]:
    """What `deploy` would do: the record, and what would be sent, for people. Sends only reads."""
    if not images.images and names is None:
        return _nothing(where, images), ""
    releases = _releases(where, images, names)
    async with reached(where, _services(where, list(releases)), changing=True) as place:
        return await rollout.describe(where.environment.name, images.commit, releases, place.targets, _fetch(where))


async def rollback(
    where: Where, names: Sequence[str] | None = None, to: str | None = None, check: Check | None = None
) -> Deployments:
    """Goes back to each service's former release, or to that of the commit `to`; all of them, or none."""
    async with reached(where, _services(where, names), changing=True) as place:
        return await rollout.rollback(where.environment.name, place.targets, to, _bound(check, place))


def _nothing(where: Where, images: Images) -> Deployments:
    """Of a commit that changes no service."""
    return Deployments(
        environment=where.environment.name, action="deploy", commit=images.commit, result="unchanged", services={}
    )


def _services(where: Where, names: Sequence[str] | None) -> list[Service]:
    if not (chosen := where.catalog.choose(names)):
        raise InputError("--services: none named")
    return chosen


def _bound(check: Check | None, place: Place) -> rollout.Check | None:
    return None if check is None else partial(check, place)


def _releases(where: Where, images: Images, names: Sequence[str] | None) -> dict[str, Release]:
    """By service, in the catalog's order; raises InputError with a line for each image that cannot be deployed."""
    wanted = _services(where, list(images.images) if names in (None, ["all"]) else names)
    home = where.variable("registryLoginServer", "where the images are")
    releases: dict[str, Release] = {}
    faults = []
    for service in wanted:
        image = images.images.get(service.name)
        if image is None or image.reference is None or image.digest is None:
            faults.append(f"{service.name}: " + (f"its image is not there: {image.result}" if image else "no image"))
        elif image.form != service.form:
            faults.append(f"{service.name}: its image holds a {image.form}; {service.target} takes a {service.form}")
        elif not image.reference.startswith(f"{home}/"):
            faults.append(
                f"{service.name}: {image.reference} is not in {home}, the registryLoginServer: promote it first"
            )
        else:
            releases[service.name] = Release(service.name, images.commit, image.digest, image.reference)
    if faults:
        raise InputError("\n".join(f"--images: {fault}" for fault in faults))
    return releases


def _fetch(where: Where) -> rollout.Fetch:
    async def fetch(release: Release) -> Release:
        form = where.catalog.service(release.service).form
        if form == "image":
            return release
        return replace(release, files=await published.files(form, release.reference, await where.registry()))

    return fetch
