"""All that is built of several services, with a report of each."""

from collections.abc import Sequence

import dagger
from dagger import dag

from ..catalog import Catalog, Service
from ..errors import InputError
from . import artifact, container, site
from .builds import Builds, build_each
from .failure import words
from .tool import PYTHON_IMAGE

Built = dagger.Container | dagger.Directory | dagger.File

REPORT = "builds.json"


async def report(
    source: dagger.Directory, catalog: Catalog, names: Sequence[str] | None, artifacts: dagger.Directory | None
) -> dagger.File:
    """builds.json for the named services, all for None; raises UnknownServiceError before anything is built."""
    if names is not None and not names:
        raise InputError("services: none named; leave the argument out for all of them")
    services = catalog.choose(None if names is None else [name.strip() for name in names])
    builds = await build_all(source, catalog, services, artifacts)
    return dag.directory().with_new_file(REPORT, builds.json_text()).file(REPORT)


async def build_all(
    source: dagger.Directory, catalog: Catalog, services: Sequence[Service], artifacts: dagger.Directory | None
) -> Builds:
    """How the build of each went; the failure of one stops no other."""

    async def build(service: Service) -> Built:
        if service.form == "image":
            return await container.build(source, catalog, service)
        if service.form == "site":
            return await site.build(source, catalog, service)
        if artifacts is not None:
            return await artifact.take(artifacts, service, None)
        return await artifact.build(source, catalog, service, "0.0.0", None)

    return await build_each(services, build, _size, words)


async def _size(built: Built) -> int | None:
    """Bytes of an archive, or of the files of an image or site; None where that cannot be told."""
    try:
        if isinstance(built, dagger.File):
            return await built.size()
        if isinstance(built, dagger.Container):
            # In the image itself: taking its files or its archive out of it would copy all of it.
            return await _disk_usage(built.with_user("0"), "/")
        return await _disk_usage(dag.container().from_(PYTHON_IMAGE).with_mounted_directory("/site", built), "/site")
    except (dagger.DaggerError, ValueError):
        return None


async def _disk_usage(container: dagger.Container, path: str) -> int:
    printed = await container.with_exec(["du", "-skx", path]).stdout()
    return int(printed.partition("\t")[0]) * 1024
