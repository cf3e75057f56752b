"""The files of a static site."""

import dagger

from ..catalog import Catalog, Service
from .context import build_context, dockerfile, must_be


async def build(source: dagger.Directory, catalog: Catalog, service: Service) -> dagger.Directory:
    """The folder that the Dockerfile's site stage fills; raises InputError for a service that is no static site."""
    must_be(service, "site")
    context = build_context(source, catalog, service)
    stage = context.docker_build(dockerfile=await dockerfile(context, catalog, service), target=service.site_stage)
    return await stage.directory(service.site_folder).sync()
