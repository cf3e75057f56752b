"""The image of a service."""

import dagger

from ..catalog import Catalog, Service
from .context import build_context, dockerfile, must_be


async def build(
    source: dagger.Directory, catalog: Catalog, service: Service, platform: dagger.Platform | None = None
) -> dagger.Container:
    """The built image; raises InputError for a service that is no image, dagger.ExecError where a command fails."""
    must_be(service, "image")
    context = build_context(source, catalog, service)
    built = context.docker_build(dockerfile=await dockerfile(context, catalog, service), platform=platform)
    # Unless it is built here, the caller sees neither the failing command's output nor its exit code.
    return await built.sync()
