"""Each thing that Azure must have before a deployment is a check that fails where it alone is missing."""

import base64
import json
from typing import Any

import pytest
from pydantic import SecretStr

from prodgy_ci.checks.azure import app, image_pull, resource_group, revision_mode, token_life

pytestmark = pytest.mark.anyio
REGISTRY = "prodgy.azurecr.io"
USER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def token(**claims: float) -> SecretStr:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return SecretStr(f"canary.{body}.canary")


def an_app(
    mode: str = "Multiple", registry: dict[str, str] | None = None, identity: dict[str, Any] | None = None
) -> dict[str, Any]:
    registries = [{"server": REGISTRY.upper(), **registry}] if registry else [{"server": "another.azurecr.io"}]
    configuration = {"activeRevisionsMode": mode, "registries": registries, "secrets": [{"name": "registry-password"}]}
    return {"identity": identity, "properties": {"configuration": configuration}}


@pytest.mark.parametrize(
    ("given", "status", "evidence"),
    [
        (token(exp=1000 + 3600), "passed", "lasts for 60 min"),
        (token(exp=1000 + 1200), "warning", "lasts for 20 min"),
        (token(exp=1000 + 120), "failed", "ends in 2 min"),
        (token(exp=1000 - 600), "failed", "ended 10 min ago"),
        (token(), "warning", "does not tell"),
        (SecretStr("canary"), "warning", "does not tell"),
        (SecretStr(""), "failed", "no token"),
        (None, "failed", "no token"),
    ],
)
async def test_the_token_lasts_for_a_deployment(given: SecretStr | None, status: str, evidence: str) -> None:
    check = token_life(given, lambda: 1000)
    finding = await check.look()
    assert finding.status == status and evidence in finding.evidence and not check.needs_network
    assert (finding.mend is None) == (status == "passed") and "canary" not in str(finding)


@pytest.mark.parametrize("there", [True, False])
async def test_the_resource_group_is_there(there: bool) -> None:
    async def ask() -> bool:
        return there

    finding = await resource_group("rg", ask, "resourceGroup of prodgy-staging").look()
    assert finding.status == ("passed" if there else "failed")
    assert there or "mend resourceGroup of prodgy-staging" in str(finding.mend)


def test_only_multiple_revision_mode_will_do() -> None:
    assert revision_mode(an_app("multiple"), "ca-api", "rg").status == "passed"
    for other in (an_app("Single"), {}):
        finding = revision_mode(other, "ca-api", "rg")
        assert finding.status == "failed"
        assert finding.mend == "az containerapp revision set-mode --name ca-api --resource-group rg --mode multiple"


@pytest.mark.parametrize(
    ("given", "evidence"),
    [
        (an_app(registry={"identity": "system"}, identity={"type": "SystemAssigned, UserAssigned"}), "as system"),
        (an_app(registry={"identity": "system-environment"}), "as system-environment"),
        (an_app(registry={"identity": USER}, identity={"userAssignedIdentities": {USER.lower(): {}}}), "as puller"),
        (an_app(registry={"username": "u", "passwordSecretRef": "registry-password"}), "as u with a password"),
    ],
)
def test_an_identity_or_a_password_pulls(given: dict[str, Any], evidence: str) -> None:
    finding = image_pull(given, "ca-api", "rg", REGISTRY)
    assert finding.status == "passed" and evidence in finding.evidence


@pytest.mark.parametrize(
    ("given", "evidence"),
    [
        (an_app(), "no login for prodgy.azurecr.io; it has: another.azurecr.io"),
        ({}, "it has: none"),
        (an_app(registry={"identity": "system"}, identity={"type": "None"}), "is to pull as system"),
        (an_app(registry={"identity": USER}, identity={"userAssignedIdentities": {}}), "is to pull as puller"),
        (an_app(registry={"username": "u", "passwordSecretRef": "gone"}), "neither an identity nor a password"),
    ],
)
def test_an_app_without_a_right_to_pull_is_told_its_command(given: dict[str, Any], evidence: str) -> None:
    finding = image_pull(given, "ca-api", "rg", REGISTRY)
    assert finding.status == "failed" and evidence in finding.evidence
    assert str(finding.mend).startswith(
        "az containerapp registry set --name ca-api --resource-group rg --server prodgy"
    )


@pytest.mark.parametrize("group", [True, False])
async def test_an_app_that_is_not_there_fails_in_that_alone(group: bool) -> None:
    async def ask() -> None:
        return None

    async def has_group() -> bool:
        return group

    made = app("api", "ca-api", "rg", REGISTRY, "apiContainerAppName of prodgy-staging", ask, has_group)
    found = {check.name: await check.look() for check in made}
    assert {name: finding.status for name, finding in found.items()} == {
        "container app of api": "failed" if group else "not applicable",
        "revision mode of api": "not applicable",
        "image pull of api": "not applicable",
    }
    assert not group or "apiContainerAppName" in str(found["container app of api"].mend)
