"""The functions that a user calls. What they do lies in the packages beside."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar, cast

import dagger
from dagger import DefaultPath, Doc, Ignore, function, object_type

from .catalog import Catalog, load
from .errors import ProdgyError
from .images import artifact, build_all, container, context, listing, site

F = TypeVar("F", bound=Callable[..., Any])

run_each_time: Callable[[F], F] = cast(Any, function)(cache="never")
"""`function` whose result is never taken from an earlier call. The SDK's types do not know the argument."""

HEAVY = [
    "**/.git",
    "**/node_modules",
    "**/.venv",
    "**/__pycache__",
    "**/*.egg-info",
    "**/.mypy_cache",
    "**/.pytest_cache",
    "**/.ruff_cache",
    "**/.hypothesis",
    "**/.turbo",
    "**/.next",
    "**/dist",
    "**/coverage",
    "**/.env",
    "**/.env.local",
    "out",
]
"""What no build takes from the caller's folder: made by tools, or the caller's own secrets."""

SERVICE = Doc("A service's name, as `services` lists it")
ARTIFACTS = Doc("A folder with <service>.zip built elsewhere, to check and take instead of building it here")
VERSION = Doc("The version that the archive's release.json names")
COMMIT = Doc("The commit that the archive's release.json names; an archive built elsewhere must name the same")


class _KnownErrors(logging.Filter):
    """Keeps the SDK from logging a traceback for an error whose message, or whose command's output, says all."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], ProdgyError | dagger.ExecError))


logging.getLogger("dagger.mod").addFilter(_KnownErrors())


@object_type
@dataclass(kw_only=True)  # for the type checker, which does not see that object_type does it too
class ProdgyCi:
    """Builds, tests, publishes, deploys and checks the services of a monorepo."""

    source: dagger.Directory
    catalog_text: str

    @classmethod
    async def create(
        cls,
        source: Annotated[
            dagger.Directory,
            DefaultPath("/"),
            Ignore(HEAVY),
            Doc("The repository that holds the monorepo and, where the defaults do not fit, prodgy-ci.toml"),
        ],
    ) -> Self:
        """Reads the catalog of services."""
        return cls(source=source, catalog_text=await context.catalog_text(source))

    @function
    def services(self) -> str:
        """Lists the services: name, kind, paths, image and target."""
        return listing.table(self._catalog())

    @function
    async def build(
        self,
        service: Annotated[str, SERVICE],
        platform: Annotated[
            dagger.Platform | None, Doc("The platform to build for, such as linux/arm64; the engine's own by default")
        ] = None,
    ) -> dagger.Container:
        """Builds the image of a service from its Dockerfile."""
        catalog = self._catalog()
        return await container.build(self.source, catalog, catalog.service(service), platform)

    @run_each_time
    async def build_all(
        self,
        services: Annotated[list[str] | None, Doc("The services to build, separated by commas; all by default")] = None,
        artifacts: Annotated[dagger.Directory | None, ARTIFACTS] = None,
    ) -> dagger.File:
        """Builds services side by side and reports each in builds.json, whatever fails."""
        return await build_all.report(self.source, self._catalog(), services, artifacts)

    @function
    async def build_static(self, service: Annotated[str, SERVICE]) -> dagger.Directory:
        """Builds the files of a static site."""
        catalog = self._catalog()
        return await site.build(self.source, catalog, catalog.service(service))

    @function
    async def build_artifact(
        self,
        service: Annotated[str, SERVICE],
        artifacts: Annotated[dagger.Directory | None, ARTIFACTS] = None,
        version: Annotated[str, VERSION] = "0.0.0",
        commit: Annotated[str | None, COMMIT] = None,
    ) -> dagger.File:
        """Builds the archive of a service that runs on a Windows machine, with a release.json of its files' hashes."""
        catalog = self._catalog()
        chosen = catalog.service(service)
        if artifacts is not None:
            return await artifact.take(artifacts, chosen, commit)
        return await artifact.build(self.source, catalog, chosen, version, commit)

    def _catalog(self) -> Catalog:
        return load(self.catalog_text)
