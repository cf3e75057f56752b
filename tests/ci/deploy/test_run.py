"""What is decided before any target is asked."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from unittest.mock import AsyncMock

import anyio
import pytest
from pydantic import SecretStr

from prodgy_ci.catalog import Service
from prodgy_ci.catalog.load import builtin
from prodgy_ci.deploy import run
from prodgy_ci.deploy.record import Deployed, Served
from prodgy_ci.deploy.target import Serving
from prodgy_ci.deploy.where import Where
from prodgy_ci.errors import InputError
from prodgy_ci.images.record import Image, Images


def test_a_commit_that_changes_no_service_deploys_nothing_and_succeeds() -> None:
    catalog = builtin()
    where = Where(catalog, catalog.environments["development"], variables={}, registry=AsyncMock())
    images = Images(registry="r.example.com", environment="development", commit="ab" * 20, images={})
    made = anyio.run(run.deploy, where, images)
    assert made.succeeded and made.result == "unchanged" and made.services == {} and made.commit == "ab" * 20
    described, text = anyio.run(run.describe, where, images)
    assert described == made and text == ""


def place(**variables: str) -> Where:
    catalog = builtin()
    given = {"registryLoginServer": "r.example.com", **variables}
    return Where(catalog, catalog.environments["development"], variables=given, registry=AsyncMock())


def published(reference: str | None = "r.example.com/prodgy-{service}:1@sha256:" + "0" * 64, *services: str) -> Images:
    made = {
        name: Image(
            service=name,
            form=builtin().service(name).form,
            result="pushed" if reference else "failed",
            reference=reference.format(service=name) if reference else None,
            digest="sha256:" + "0" * 64 if reference else None,
        )
        for name in services or ("api", "docs", "assistant")
    }
    return Images(registry="r.example.com", environment="development", commit="ab" * 20, images=made)


@pytest.mark.parametrize(
    ("images", "names", "message"),
    [
        (
            published("elsewhere.example/prodgy-{service}:1@sha256:0", "api"),
            None,
            "not in r.example.com, .* promote it",
        ),
        (published("r.example.com.evil/x:1@sha256:0", "api"), None, "not in r.example.com"),
        (published(None, "api"), None, "--images: api: its image is not there: failed"),
        (published(), ["engine"], "--images: engine: no image"),
        (published(), [], "--services: none named"),
        (published(), ["engin"], "unknown service 'engin': did you mean 'engine'"),
    ],
)
def test_what_cannot_be_deployed_is_refused_before_anything_is_asked(
    images: Images, names: list[str] | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        anyio.run(run.deploy, place(), images, names)


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        anyio.run(run.deploy, place(VM_IP="vm.example.com"), published())
    told = sorted(str(caught.value).splitlines())
    group = "variable group prodgy-development"
    assert told == [
        f"--variables: VM_USER is missing: the account on the machine of assistant; set it in the {group}",
        f"--variables: apiContainerAppName is missing: the container app of api; set it in the {group}",
        f"--variables: resourceGroup is missing: where the container apps are; set it in the {group}",
        "prodgy-ci.toml: environments.development.urls.docs: is missing: where the site of docs is seen from outside",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "--vm-password: is missing"),
        ("", "VM_PASSWORD is empty"),
        ("$(VM_PASSWORD)", "still the pipeline's macro"),
    ],
)
def test_a_secret_that_is_none_is_told_by_the_variable_to_set(given: str | None, message: str) -> None:
    where = replace(place(VM_IP="vm", VM_USER="x"), vm_password=None if given is None else SecretStr(given))
    with pytest.raises(InputError, match=rf"{re.escape(message)}.*prodgy-development"):
        anyio.run(run.deploy, where, published(), ["assistant"])


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("Prodgy_API", "--variables: apiContainerAppName: 'Prodgy_API' cannot be the name of a container app"),
        ("same", "--variables: engineContainerAppName: same is the app of api already; .*prodgy-development"),
    ],
)
def test_a_name_that_is_no_apps_or_another_services_is_refused(api: str, message: str) -> None:
    names = {"apiContainerAppName": api, "engineContainerAppName": "same", "resourceGroup": "prodgy-dev"}
    with pytest.raises(InputError, match=message):
        anyio.run(run.deploy, place(**names), published("r.example.com/prodgy-{service}:1@sha256:0", "api", "engine"))


@dataclass
class Serves:
    """A target that serves a commit."""

    service: str
    commit: str | None

    async def serving(self) -> Serving | None:
        return Serving(self.commit, None, "r", None) if self.commit else None


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"api": "0" * 40, "docs": None}, None),
        ({"api": "ab" * 20, "docs": None}, None),
        ({"api": "0" * 40, "docs": "c" * 40}, "docs: serves cccccccccc; the plan was made when it served nothing"),
        ({"api": None, "docs": None}, "api: serves nothing; the plan was made when it served 0000000000"),
    ],
    ids=["as planned", "this release already", "another release", "gone"],
)
def test_a_plan_that_is_out_of_date_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, now: dict[str, str | None], told: str | None
) -> None:
    @asynccontextmanager
    async def reached(where: Where, services: Sequence[Service]) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(targets=[Serves(service.name, now[service.name]) for service in services])

    monkeypatch.setattr(run, "reached", reached)
    before = Deployed(environment="development", services={"api": Served(commit="0" * 40, revision="r"), "docs": None})
    if told is None:
        anyio.run(run.unmoved, place(), before, published())
        return
    with pytest.raises(InputError, match=f"run the pipeline again:\n{told}"):
        anyio.run(run.unmoved, place(), before, published())


def test_a_record_of_another_environment_is_refused() -> None:
    before = Deployed(environment="staging", services={})
    with pytest.raises(InputError, match="is of 'staging', and 'development' is deployed to"):
        anyio.run(run.unmoved, place(), before, published())
