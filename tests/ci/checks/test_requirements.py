"""What an app requires is looked for in its live template, and told without values."""

from collections.abc import Mapping
from typing import Any

import pytest

from prodgy_ci.checks.requirements import check, live

pytestmark = pytest.mark.anyio

APP: dict[str, Any] = {
    "properties": {
        "configuration": {"secrets": [{"name": "database-url"}]},
        "template": {
            "containers": [
                {"name": "sidecar", "env": [{"name": "LEVEL", "value": "info"}]},
                {
                    "name": "api",
                    "env": [
                        {"name": "AGENTIC_URL", "value": "canary"},
                        {"name": "DATABASE_URL", "secretRef": "database-url"},
                        {"name": "JWT_SECRET", "secretRef": "jwt"},
                        {"name": "API_TOKEN"},
                        {"name": "CORS_ORIGINS", "value": "$(origins)"},
                    ],
                },
            ]
        },
    }
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def ask() -> Mapping[str, Any]:
    return APP


def test_the_environment_is_that_of_the_service_s_own_container() -> None:
    assert live(APP, "api") == {
        "AGENTIC_URL": "set",
        "DATABASE_URL": "secret",
        "JWT_SECRET": "secret missing",
        "API_TOKEN": "empty",
        "CORS_ORIGINS": "placeholder",
    }
    assert live(APP, "another") == {"LEVEL": "set"}
    assert live({}, "api") == {}


def test_of_several_containers_it_is_the_one_that_was_deployed_to() -> None:
    proxy = {"name": "proxy", "env": [{"name": "LEVEL", "value": "info"}]}
    main = {"name": "main", "env": [{"name": "PRODGY_REVISION", "value": "c0ffee"}]}
    assert live({"properties": {"template": {"containers": [proxy, main]}}}, "api") == {"PRODGY_REVISION": "set"}


async def test_an_app_with_all_that_it_requires_passes() -> None:
    finding = await check("api", ("AGENTIC_URL", "DATABASE_URL"), "ca-api", "rg", ask).look()
    assert finding.status == "passed" and finding.evidence == "2 required: AGENTIC_URL, DATABASE_URL"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("REDIS_URL", "is not there"),
        ("API_TOKEN", "is empty"),
        ("CORS_ORIGINS", "holds a placeholder"),
        ("JWT_SECRET", "refers to a secret that the app does not have"),
    ],
)
async def test_what_is_missing_is_named_with_its_command(name: str, why: str) -> None:
    finding = await check("api", ("AGENTIC_URL", name), "ca-api", "rg", ask).look()
    assert finding.status == "failed" and f"{name} {why}" in finding.evidence and "canary" not in str(finding)
    assert str(finding.mend).startswith(
        f"az containerapp update --name ca-api --resource-group rg --set-env-vars {name}=VALUE "
    )


async def test_without_requirements_or_an_app_there_is_nothing_to_judge() -> None:
    async def nothing() -> None:
        return None

    assert (await check("docs", (), "ca-docs", "rg", ask).look()).status == "not applicable"
    assert (await check("api", ("A",), "ca-api", "rg", nothing).look()).status == "not applicable"
