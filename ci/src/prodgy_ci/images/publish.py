"""Publishes what a plan builds: each image once, by digest, read back."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import anyio
import dagger
from dagger import dag

from ..catalog import Catalog, Service
from ..changes.plan import Plan
from ..errors import InputError
from . import answers, artifact, container, site
from .address import version_tag
from .answers import Held, RegistryError, two_contents
from .builds import AT_ONCE
from .each import each
from .labels import REVISION, labels, own
from .record import Image, Images
from .registry import Registry, ask, repeat, transfer, upload
from .source import Commit, compare

SITE, ARTIFACT = "/site", "/artifact"
"""Where an image from scratch holds its files."""


@dataclass(frozen=True)
class Job:
    """What is published, and where."""

    source: dagger.Directory
    git: dagger.Directory
    catalog: Catalog
    plan: Plan
    registry: Registry
    reuse: Registry | None = None
    """A registry that may hold the same commit already."""
    artifacts: dagger.Directory | None = None
    dry_run: bool = False
    fresh: float = 15.0
    """Seconds for which the registry's answer that an image is missing is taken to hold."""

    @property
    def version(self) -> str | None:
        return version_tag(self.plan.ref)


class _Known(NamedTuple):
    here: Held | None
    elsewhere: Held | None
    since: float
    """When the registry was asked, by this process's clock."""


async def publish(job: Job, names: Sequence[str] | None) -> Images:
    """What became of each service that the plan builds; the failure of one stops no other.

    Raises InputError for a plan, source or name that cannot be published.
    """
    services = chosen(job.catalog, job.plan, names)
    version = job.version
    commit, known = await _read_first(job, services)
    turn, writing = anyio.Semaphore(AT_ONCE), _All(len(services))

    async def work(image: Image) -> Image:
        with writing:
            record = await _write(job, image, commit, known[image.service], turn)
        await writing.over()
        return await record()

    return Images(
        registry=str(job.registry.address),
        environment=job.plan.environment,
        commit=job.plan.head,
        version=version,
        images=await each([Image(service=s.name, form=s.form, result="found") for s in services], work),
    )


class _All:
    """Each waits here until all have written, so that everything is read back in one journey."""

    def __init__(self, count: int) -> None:
        self._left, self._over = count, anyio.Event()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._left -= 1
        if not self._left:
            self._over.set()

    async def over(self) -> None:
        await self._over.wait()


def chosen(catalog: Catalog, plan: Plan, names: Sequence[str] | None) -> list[Service]:
    """The services to publish; raises InputError where the plan does not build them or cannot be published."""
    if plan.working_tree:
        raise InputError("--plan: it counts uncommitted files in; plan a commit to publish it")
    named = None if names is None else [name.strip() for name in names]
    services = catalog.choose(plan.affected if named in (None, ["all"]) else named)
    if outside := [service.name for service in services if service.name not in plan.affected]:
        raise InputError(
            f"--services: the plan does not build {', '.join(outside)}; it builds: {_listed(plan.affected)}"
        )
    return services


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


async def _read_first(job: Job, services: Sequence[Service]) -> tuple[Commit, dict[str, _Known]]:
    """Git and the registries at once: neither needs the other's answer. What git says goes before."""
    failures: list[Exception] = []
    known: dict[str, _Known] = {}

    async def registries() -> None:
        try:
            known.update(await _ask_first(job, services))
        except Exception as error:  # raised below: a task group would wrap it
            failures.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(registries)
        try:
            commit = await compare(job.source, job.git, job.catalog, services, job.plan.head)
        except Exception as error:
            failures.insert(0, error)
            group.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return commit, known


async def _ask_first(job: Job, services: Sequence[Service]) -> dict[str, _Known]:
    tag, asked = f":{job.plan.head}", time.monotonic()
    here = await ask(job.registry, [(_repository(job.registry, service), tag) for service in services])
    missing = [service for service, found in zip(services, here, strict=True) if found is None]
    there: dict[str, Held | None] = {}
    if job.reuse is not None and missing:
        found = await ask(job.reuse, [(_repository(job.reuse, service), tag) for service in missing])
        there = {service.name: held for service, held in zip(missing, found, strict=True)}
    return {s.name: _Known(held, there.get(s.name), asked) for s, held in zip(services, here, strict=True)}


def _repository(registry: Registry, service: Service) -> str:
    return registry.address.repository(service.image)


_Record = Callable[[], Awaitable[Image]]
"""Reads back what was written, and gives what images.json tells of it."""


async def _write(job: Job, image: Image, commit: Commit, known: _Known, turn: anyio.Semaphore) -> _Record:
    service = job.catalog.service(image.service)
    repository = _repository(job.registry, service)
    if known.here is not None:
        return partial(_finished, job, image, repository, _ours(job, repository, known.here))
    if known.elsewhere is not None and job.reuse is not None:
        return await _reuse(job, image, repository, _repository(job.reuse, service), known.elsewhere)
    if job.dry_run:
        return _planned(image.model_copy(update={"result": "would push"}))
    return partial(_read_back, job, image, service, await _push(job, service, commit, known.since, turn))


async def _reuse(job: Job, image: Image, repository: str, from_repository: str, there: Held) -> _Record:
    assert job.reuse is not None
    found, tag = _ours(job, from_repository, there), f":{job.plan.head}"
    image = image.model_copy(update={"result": "reused", "note": f"from {from_repository}"})
    if job.dry_run:
        return _planned(image.model_copy(update={"result": "would promote", "digest": found.digest}))
    await transfer(job.reuse, job.registry, (from_repository, f"@{found.digest}", repository, tag))

    async def record() -> Image:
        (tagged,) = await ask(job.registry, [(repository, tag)])
        return await _settled(job, image, repository, found.digest, tagged)

    return record


def _planned(image: Image) -> _Record:
    async def record() -> Image:
        return image

    return record


class _Pushed(NamedTuple):
    digest: str
    labels: dict[str, str]
    platform: str


async def _push(job: Job, service: Service, commit: Commit, asked: float, turn: anyio.Semaphore) -> _Pushed | Held:
    """What was pushed, or what another publisher pushed meanwhile."""
    repository, tag = _repository(job.registry, service), f":{job.plan.head}"
    marks = labels(service, job.plan.head, commit.date, job.version, commit.url)
    async with turn:  # a few builds at once; pushing waits for the network
        built = await (await _image(job, service)).sync()
    for name, value in marks.items():
        built = built.with_label(name, value)
    platform = str(await built.platform()) if service.form == "image" else ""
    if time.monotonic() - asked > job.fresh:  # building took long: another publisher may have been quicker
        (meanwhile,) = await ask(job.registry, [(repository, tag)])
        if meanwhile is not None:
            return meanwhile
    return _Pushed(await repeat(lambda: _upload(job.registry, built, repository, tag)), marks, platform)


async def _read_back(job: Job, image: Image, service: Service, written: _Pushed | Held) -> Image:
    repository, tag = _repository(job.registry, service), f":{job.plan.head}"
    if isinstance(written, Held):
        note = "another publisher pushed it while this one built"
        adopted = image.model_copy(update={"note": note})
        return await _finished(job, adopted, repository, _ours(job, repository, written))
    where = f"{repository}@{written.digest}"
    read, tagged = await ask(job.registry, [(repository, f"@{written.digest}"), (repository, tag)])
    if read is None or written.labels.items() - read.labels.items():
        raise RegistryError(f"{where}: what the registry gives back is not what was pushed: {read}")
    if not written.platform.startswith(read.platform if written.platform else ""):
        raise RegistryError(f"{where}: the registry holds {read.platform}, built was {written.platform}")
    return await _settled(job, image.model_copy(update={"result": "pushed"}), repository, written.digest, tagged)


async def _image(job: Job, service: Service) -> dagger.Container:
    """The image without its labels. What is no container becomes one from scratch that holds only the files."""
    if service.form == "image":
        return await container.build(job.source, job.catalog, service)
    if service.form == "site":
        files = await site.build(job.source, job.catalog, service)
        version = json.dumps({"service": service.name, "revision": job.plan.head})
        return dag.container().with_directory(SITE, files.with_new_file("version.json", version))
    if job.artifacts is not None:
        archive = await artifact.take(job.artifacts, service, job.plan.head)
    else:
        archive = await artifact.build(job.source, job.catalog, service, job.version or "0.0.0", job.plan.head)
    return dag.container().with_directory(ARTIFACT, artifact.with_release(archive, service))


async def _upload(registry: Registry, image: dagger.Container, repository: str, tag: str) -> str:
    """Pushes, and gives the digest. The engine's own push compresses a layer once and uploads what is missing."""
    if registry.ca is not None:
        return await upload(image, registry, repository, tag)
    if registry.username is not None and registry.password is not None:
        image = image.with_registry_auth(registry.address.host, registry.username, registry.password)
    try:
        pushed = await image.publish(f"{repository}{tag}", registry_service=registry.service)
    except dagger.QueryError as error:
        raise answers.failure(str(error), f"{repository}{tag}", "AcrPush") from None
    return pushed.rpartition("@")[2]


async def _settled(job: Job, image: Image, repository: str, written: str, tagged: Held | None) -> Image:
    """The record of the digest that was written, given what the tag names since."""
    if tagged is None:
        raise RegistryError(f"{repository}:{job.plan.head}: {written} was written, but the tag is not there")
    if tagged.digest != written:
        if tagged.labels.get(REVISION) != job.plan.head:
            raise RegistryError(two_contents(repository, job.plan.head, tagged, written))
        note = f"another publisher of this commit won: its {tagged.digest} is taken instead of {written}"
        image = image.model_copy(update={"note": note})
    return await _finished(job, image, repository, tagged)


async def _finished(job: Job, image: Image, repository: str, held: Held) -> Image:
    """The record, with the version's tag set where the ref is a release."""
    tags = [job.plan.head]
    if job.version is not None and not job.dry_run:
        await _tag_version(job, repository, job.version, held)
        tags.append(job.version)
    return image.model_copy(
        update={
            "reference": f"{repository}:{job.plan.head}@{held.digest}",
            "digest": held.digest,
            "tags": tuple(tags),
            "size": held.size,
            "labels": own(held.labels),
        }
    )


async def _tag_version(job: Job, repository: str, version: str, held: Held) -> None:
    for attempt in ("set", "check"):
        (tagged,) = await ask(job.registry, [(repository, f":{version}")])
        if tagged is not None and tagged.digest != held.digest:
            raise RegistryError(two_contents(repository, version, tagged, held.digest))
        if tagged is not None:
            return
        if attempt == "set":
            await transfer(job.registry, job.registry, (repository, f"@{held.digest}", repository, f":{version}"))
    raise RegistryError(f"{repository}:{version}: the tag was set, but the registry does not have it")


def _ours(job: Job, repository: str, held: Held) -> Held:
    """Raises RegistryError unless the image says that it is of the plan's commit."""
    if held.labels.get(REVISION) != job.plan.head:
        raise RegistryError(two_contents(repository, job.plan.head, held, f"the image of commit {job.plan.head}"))
    return held
