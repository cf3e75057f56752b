"""From a monorepo's files to a catalog that loads, with its guesses."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from prodgy_ci import scaffold
from prodgy_ci.catalog import builtin, load
from prodgy_ci.changes.workspace import missing_rules
from prodgy_ci.scaffold.guess import Guess, guess

REPOSITORY = Path(__file__).parents[3]
SAMPLE = REPOSITORY / "examples/prodgy"


def names(root: Path) -> dict[str, frozenset[str]]:
    folders = {root, *(file.parent for file in root.rglob("*ockerfile*"))}
    return {
        folder.relative_to(root).as_posix() if folder != root else "": frozenset(
            f"{entry.name}/" if entry.is_dir() else entry.name for entry in folder.iterdir()
        )
        for folder in folders
    }


def made(root: Path, files: dict[str, Any]) -> Guess:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content if isinstance(content, str) else json.dumps(content))
    return guess(root, names(root), "shop")


@pytest.fixture
def shop(tmp_path: Path) -> Guess:
    """A pnpm workspace with all that is met."""
    package: Any = {"name": "@shop/ui"}
    return made(
        tmp_path,
        {
            "package.json": {"name": "@shop/root"},
            "pnpm-workspace.yaml": "packages:\n  - apps/*\n  - packages/*\n  - site\n",
            "pnpm-lock.yaml": "",
            "README.md": "",
            "apps/web/package.json": {"name": "web", "dependencies": {"@shop/ui": "workspace:*", "ioredis": "5"}},
            "apps/web/Dockerfile": "FROM x AS test\nFROM x\nCOPY package.json pnpm-lock.yaml ./\nCOPY apps/web apps/web\n"
            "EXPOSE 3000",
            "packages/ui/package.json": package,
            "packages/unused/package.json": {"name": "unused"},
            "apps/mail-worker/requirements.txt": "celery==5\npsycopg[binary]==3\n",
            "apps/mail-worker/Dockerfile": "FROM python:3.13-slim\nCOPY requirements.txt .\nCOPY worker.py .",
            "apps/mail-worker/worker.py": "",
            "docker/Dockerfile": "FROM x\nCOPY . .",
            "docker/Dockerfile.dev": "FROM x\nCOPY . .",
            "desk/Shop.Desk.csproj": '<Project Sdk="Microsoft.NET.Sdk.Web"/>',
            "desk/Library/Library.csproj": '<Project Sdk="Microsoft.NET.Sdk"/>',
            "site/package.json": {"name": "site", "devDependencies": {"astro": "5"}},
        },
    )


def test_services_are_found_by_their_dockerfiles(shop: Guess) -> None:
    found = {service.name: service for service in shop.services}
    assert sorted(found) == ["mail-worker", "shop", "web"]
    web, worker, whole = found["web"], found["mail-worker"], found["shop"]
    assert (web.kind, web.path, web.context, web.port, web.has_tests) == ("node", "apps/web", ".", 3000, True)
    assert web.paths == ("package.json", "pnpm-lock.yaml", "packages/ui/") and web.needs == ("redis",)
    assert (worker.kind, worker.context, worker.paths) == ("python", "apps/mail-worker", ())
    assert worker.needs == ("redis", "postgres")
    assert (whole.whole, whole.dockerfile, whole.path) == (True, "docker/Dockerfile", "docker")


def test_what_has_no_dockerfile_is_told(shop: Guess) -> None:
    assert shop.machines == ("desk",) and shop.sites == ("site",)
    text = scaffold.texts(shop, "shop")["prodgy-ci.toml"]
    assert "# [services.desk]" in text and "# site looks like a static site" in text


def test_the_catalog_loads_and_its_rules_cover_the_workspace(shop: Guess, tmp_path: Path) -> None:
    text = scaffold.texts(shop, "shop")["prodgy-ci.toml"]
    catalog = load(text)
    assert missing_rules(tmp_path, catalog) == []
    assert catalog.services["mail-worker"].variable == "mailWorkerContainerAppName"
    assert catalog.environments["staging"].variable_group == "shop-staging"
    assert catalog.rules["all-there-is"].services == ("shop",)
    assert "desk/" in catalog.rules["all-there-is"].paths and "README.md" in catalog.rules["all-there-is"].paths
    assert [line for line in text.splitlines() if line.startswith("[")] and tomllib.loads(text)["builtin"] is False


def test_the_pipeline_has_the_groups_and_variables_of_the_catalog(shop: Guess, tmp_path: Path) -> None:
    text = scaffold.texts(shop, "shop")["azure-pipelines.yml"]
    assert "prodgy-development" not in text and "- group: shop-development" in text
    assert "environment: shop-${{ variables.targetEnvironment }}" in text
    pipeline = yaml.load(text, Loader=yaml.BaseLoader)
    (value,) = (one["value"] for one in pipeline["variables"] if one.get("name") == "groupVariables")
    listed = [line.partition("=")[0] for line in value.splitlines()]
    catalog = load(scaffold.texts(shop, "shop")["prodgy-ci.toml"])
    assert listed == [name for name in catalog.variables if name != "VM_PASSWORD"]
    file = tmp_path / "azure-pipelines.yml"
    file.write_text(text)
    check = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema=vendor.azure-pipelines"]
    check += ["--data-transform=azure-pipelines", "--regex-variant=nonunicode", str(file)]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_of_the_sample_it_finds_what_is_built_in() -> None:
    found = guess(SAMPLE, names(SAMPLE), "prodgy")
    catalog = load(scaffold.texts(found, "prodgy")["prodgy-ci.toml"])
    known = {name: service for name, service in builtin().services.items() if service.dockerfile}
    assert set(catalog.services) == set(known) and found.machines == ("apps/assistant",)
    for name, service in catalog.services.items():
        right = known[name]
        assert (service.dockerfile, service.image, service.context) == (right.dockerfile, right.image, ".")
        assert service.path == right.path and service.port in (right.port, 8082)
    assert missing_rules(SAMPLE, catalog) == []


def test_a_dockerfile_in_the_root_is_of_a_folder_that_is_there(tmp_path: Path) -> None:
    files = {"Dockerfile": "FROM x\nCOPY . .", "lib/a.py": "", ".github/x": "", ".dockerignore": "**/.env*"}
    catalog = load(scaffold.texts(made(tmp_path, files), "app")["prodgy-ci.toml"])
    assert catalog.service("shop").path == "lib"
    assert ".dockerignore" in catalog.context(catalog.service("shop"))


def test_what_no_build_sees_stays_in_force_where_nothing_copies_all(tmp_path: Path) -> None:
    dockerfile = "FROM x\nRUN --mount=type=bind,source=./go.sum,target=go.sum make\nCOPY apps/api apps/api"
    files = {"apps/api/Dockerfile": dockerfile, "apps/api/a": "", "go.sum": "", ".dockerignore": "**/.env*"}
    catalog = load(scaffold.texts(made(tmp_path, files), "app")["prodgy-ci.toml"])
    assert {".dockerignore", "go.sum"} <= set(catalog.context(catalog.service("api")))
    assert not {".dockerignore", "go.sum"} & set(catalog.ignored)


def test_a_repository_with_nothing_in_it_has_no_services(tmp_path: Path) -> None:
    catalog = load(scaffold.texts(made(tmp_path, {"README.md": ""}), "app")["prodgy-ci.toml"])
    assert catalog.services == {} and catalog.ignored == ("*.md",)


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ('{"name": "shop"}', "shop"),
        ('{"name": "@shop/root"}', "shop"),
        ('{"name": "@shop/Web_UI"}', "web-ui"),
        ("{", "app"),
        ('{"name": "42"}', "app-42"),
    ],
)
def test_the_name_of_the_project(package: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(package)
    assert scaffold.project(tmp_path) == expected
