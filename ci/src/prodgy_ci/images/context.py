"""What a build may see of the caller's repository."""

import dagger

from ..catalog import FILE_NAME, Catalog, Service, load
from ..errors import CatalogError, InputError

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


async def catalog_text(source: dagger.Directory) -> str:
    """The text of the repository's prodgy-ci.toml, checked; empty where there is none. Raises CatalogError."""
    text = await source.file(FILE_NAME).contents() if await source.exists(FILE_NAME) else ""
    root = load(text).root
    if root != "." and not await source.exists(root, expected_type=dagger.ExistsType.DIRECTORY_TYPE):
        raise CatalogError(FILE_NAME, [f"root: the source holds no folder '{root}'"])
    return text


def build_context(source: dagger.Directory, catalog: Catalog, service: Service) -> dagger.Directory:
    """The folder that is built from, with only what the service's build may see, so that nothing else touches its cache."""
    root = source if catalog.root == "." else source.directory(catalog.root)
    seen = root.filter(include=patterns(catalog, service))
    return seen if service.context == "." else seen.directory(service.context)


def patterns(catalog: Catalog, service: Service) -> list[str]:
    """The paths of a service's build context, without a slash at the end; a folder stands for all it holds."""
    own_ignores = [f"{service.dockerfile}.dockerignore"] if service.dockerfile else []
    return [path.removesuffix("/") for path in (*catalog.context(service), *own_ignores)]


async def dockerfile(context: dagger.Directory, catalog: Catalog, service: Service) -> str:
    """The service's Dockerfile in its context; raises InputError where it has none."""
    name = (service.dockerfile or "").removeprefix("" if service.context == "." else f"{service.context}/")
    if not name or not await context.exists(name):
        place = catalog.in_repository(service.dockerfile or f"{service.path}/Dockerfile")
        raise InputError(f"services.{service.name}.dockerfile: the source holds no file '{place}'")
    return name


def must_be(service: Service, form: str) -> None:
    """Raises InputError, with the function to call, unless that is what is built of the service."""
    if service.form != form:
        does = {"image": "build", "site": "build-static", "artifact": "build-artifact"}
        what = {"image": "an image", "site": "a static site", "artifact": "an archive of files"}
        raise InputError(
            f"service '{service.name}' goes to {service.target} as {what[service.form]}, not as {what[form]}: "
            f"call {does[service.form]} --service {service.name}"
        )
