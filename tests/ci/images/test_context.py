"""A build sees its own service and what is shared, and nothing of the others."""

from unittest.mock import AsyncMock, MagicMock

import anyio
import dagger
import pytest

from prodgy_ci.catalog import builtin, load
from prodgy_ci.errors import InputError
from prodgy_ci.images.context import build_context, dockerfile, must_be, patterns

CATALOG = builtin()


def test_a_node_service_sees_itself_and_the_workspace() -> None:
    found = set(patterns(CATALOG, CATALOG.service("api")))
    assert {"apps/api", "packages", "pnpm-lock.yaml", "package.json", ".dockerignore"} <= found
    assert not found & {"apps/web", "apps/engine", "apps", "Dockerfile.engine"}


def test_engine_sees_no_node_files() -> None:
    found = patterns(CATALOG, CATALOG.service("engine"))
    assert found == [
        "apps/engine",
        "Dockerfile.engine",
        ".dockerignore",
        "Dockerfile.engine.dockerignore",
    ]


@pytest.mark.parametrize(("toml", "folder"), [("", None), ('root = "examples/shop"', "examples/shop")])
def test_paths_are_those_below_the_root(toml: str, folder: str | None) -> None:
    catalog = load(toml)
    service = catalog.service("engine")
    source = MagicMock(spec=dagger.Directory)
    build_context(source, catalog, service)
    root = source.directory.return_value if folder else source
    root.filter.assert_called_once_with(include=patterns(catalog, service))
    assert source.directory.call_count == (1 if folder else 0)
    if folder:
        source.directory.assert_called_once_with(folder)


def test_a_dockerfile_may_copy_from_a_folder_of_its_own() -> None:
    toml = '[services.shop]\nkind = "node"\npath = "shop"\ndockerfile = "shop/docker/Dockerfile"\ncontext = "shop"'
    catalog = load(toml)
    shop = catalog.service("shop")
    source = MagicMock(spec=dagger.Directory)
    context = build_context(source, catalog, shop)
    source.filter.return_value.directory.assert_called_once_with("shop")
    assert context is source.filter.return_value.directory.return_value
    context.exists = AsyncMock(return_value=True)
    assert anyio.run(dockerfile, context, catalog, shop) == "docker/Dockerfile"


def test_web_as_a_static_site_is_built_as_one() -> None:
    web = load('[services.web]\ntarget = "static-web-app"').service("web")
    must_be(web, "site")
    with pytest.raises(InputError, match="as a static site, not as an image: call build-static --service web"):
        must_be(web, "image")
