"""The archive of a .NET service for Windows."""

import dagger
from dagger import dag

from ..catalog import Catalog, Service
from ..errors import InputError, ProdgyError
from .context import build_context, must_be
from .tool import python, run

SDK_IMAGE = "mcr.microsoft.com/dotnet/sdk:8.0"
RUNTIME = "win-x64"

RELEASE = "release.json"
_PUBLISH = ("dotnet", "publish", "--configuration", "Release", "--runtime", RUNTIME, "--output", "/published")
_MODULE = "images/archive.py"
_ARCHIVE = ("python", "-m", "prodgy_ci.images.archive")


async def build(
    source: dagger.Directory, catalog: Catalog, service: Service, version: str, commit: str | None
) -> dagger.File:
    """<service>.zip: the service published for Windows, with its release.json; `commit` None stands there as unknown.

    Raises InputError for a service that is no archive, dagger.ExecError where the build fails.
    """
    must_be(service, "artifact")
    prepared = (await _sdk(service)).with_directory("/src", _without_output(source, catalog, service))
    published = await prepared.with_exec([*_PUBLISH, service.path]).directory("/published").sync()
    origin = ["--service", service.name, "--version", version, "--commit", commit or "unknown"]
    zip_path = f"/out/{service.name}.zip"
    packer = python(_MODULE).with_directory("/out", dag.directory()).with_mounted_directory("/published", published)
    return (await run(packer, [*_ARCHIVE, "pack", "/published", zip_path, *origin])).file(zip_path)


async def take(artifacts: dagger.Directory, service: Service, commit: str | None) -> dagger.File:
    """<service>.zip of a folder, once it is what its release.json says; raises InputError where it is not."""
    must_be(service, "artifact")
    name = f"{service.name}.zip"
    if not await artifacts.exists(name):
        held = ", ".join(await artifacts.entries()) or "nothing"
        raise InputError(f"artifacts: no {name} there; the folder holds: {held}")
    archive = artifacts.file(name)
    origin = ["--service", service.name, *(["--commit", commit] if commit else [])]
    checker = python(_MODULE).with_mounted_file("/archive.zip", archive)
    try:
        await run(checker, [*_ARCHIVE, "check", "/archive.zip", *origin])
    except InputError as error:
        raise InputError(f"artifacts: {name}: {error}") from None
    return archive


def with_release(archive: dagger.File, service: Service) -> dagger.Directory:
    """The archive as <service>.zip, and its release.json beside it."""
    take_out = f"import zipfile; zipfile.ZipFile('/archive.zip').extract('{RELEASE}', '/out')"
    files = python().with_mounted_file("/archive.zip", archive).with_directory("/out", dag.directory())
    return files.with_exec(["python", "-c", take_out]).directory("/out").with_file(f"{service.name}.zip", archive)


async def _sdk(service: Service) -> dagger.Container:
    try:
        sdk = await dag.container().from_(SDK_IMAGE).sync()
    except dagger.QueryError as error:
        raise ProdgyError(
            f"building '{service.name}' needs the image {SDK_IMAGE}, which cannot be had here ({error}); "
            f"build {service.name}.zip where it can be had, and give its folder with --artifacts"
        ) from None
    return (
        sdk.with_env_variable("DOTNET_NOLOGO", "1")
        .with_env_variable("DOTNET_CLI_TELEMETRY_OPTOUT", "1")
        .with_env_variable("ContinuousIntegrationBuild", "true")  # no path of this machine in the assemblies
        .with_mounted_cache("/root/.nuget/packages", dag.cache_volume("prodgy-nuget"))
        .with_workdir("/src")
    )


def _without_output(source: dagger.Directory, catalog: Catalog, service: Service) -> dagger.Directory:
    """The context without what an earlier build on the caller's machine left there."""
    left = [f"{service.path}/**/{folder}" for folder in ("bin", "obj")]
    return build_context(source, catalog, service).filter(exclude=left)
