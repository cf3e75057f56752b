"""An environment's two lists against an Azure that answers: what it is asked, what is broken, what is never passed over."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.registry import free_port
from fakes.resource_manager import BROKEN, App, Manager, resource_manager
from fakes.resource_manager.server import token
from fakes.stack import EMAIL, NEEDS, ORIGIN, PASSWORD, SERVICE_TOKEN
from fakes.winrm import windows_machine
from pydantic import SecretStr

from prodgy_ci import checking
from prodgy_ci.catalog import load
from prodgy_ci.checking import ChecksFailedError
from prodgy_ci.checks.model import Checks
from prodgy_ci.deploy import run as deployment
from prodgy_ci.deploy.where import Place, Where
from prodgy_ci.images.record import Image, Images
from prodgy_ci.subjects import Given, fit

pytestmark = pytest.mark.anyio

COMMIT = "b" * 40
TOML = f"""
[services.docs]
remove = true
[services.assistant]
remove = true
[checks]
deadline = 30
interval = 30
answer_within = 4
samples = 2
[checks.cors]
allowed = ["{ORIGIN}"]
allowed_services = []
"""
SECRETS = {
    "LOGIN_EMAIL": SecretStr(EMAIL),
    "LOGIN_PASSWORD": SecretStr(PASSWORD),
    "SERVICE_SERVICE_TOKEN": SecretStr(SERVICE_TOKEN),
    **{f"{name}_SERVICE_TOKEN": SecretStr(f"canary-{name}-0123456789") for name in ("API", "AGENTIC", "ENGINE")},
}
GIVEN = Given(secrets=SECRETS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def azure() -> Iterator[Manager]:
    with resource_manager([App(name) for name in NEEDS]) as manager:
        yield manager


@pytest.fixture
def where(azure: Manager) -> Where:
    catalog = load(TOML)
    names = {f"{name}ContainerAppName": name for name in NEEDS}
    other = dict.fromkeys(("azureServiceConnection", "containerRegistry", "VM_IP", "VM_USER", "VM_PASSWORD"), "set")
    return Where(
        catalog=catalog,
        environment=catalog.environments["staging"],
        variables={
            **names,
            **other,
            "AZURE_STATIC_WEB_APP_API_TOKEN": "canary-site-token",
            "resourceGroup": azure.group,
            "registryLoginServer": "registry.test",
        },
        registry=None,  # type: ignore[arg-type]  # what is deployed here holds no files
        arm_token=SecretStr(azure.token),
        arm_url=azure.url,
        arm_is_local=True,
    )


def failed(found: Checks) -> dict[str, str]:
    """What failed, by name, with evidence and mend."""
    shown = found.json_text() + "".join(checking.files(found).values())
    assert "canary" not in shown
    assert all(result.mend for result in found.results if result.status == "failed")
    return {r.name: f"{r.evidence} → {r.mend}" for r in found.results if r.status == "failed"}


async def preflight(where: Where, given: Given = GIVEN, offline: bool = False, **group: str) -> Checks:
    came = {**where.variables, **group}
    services = list(where.catalog.services.values())
    return await checking.preflight(replace(where, variables=fit(came)), given, came, services, offline)


async def verify(where: Where, given: Given = GIVEN, **deployed: str) -> Checks:
    return await checking.verify(where, given, list(where.catalog.services.values()), deployed)


async def test_a_healthy_environment_passes_both_lists(azure: Manager, where: Where) -> None:
    before = await preflight(where)
    assert failed(before) == {} and before.passed
    assert {f"environment of {name}" for name in NEEDS} <= {r.name for r in before.results if r.status == "passed"}
    assert sum(request.endswith("/containerApps/api") for request in azure.requests) == 1, "an app is asked for once"
    after = await verify(where)
    assert {r.name: r.evidence for r in after.results if r.status != "passed"} == {}
    assert all(request.endswith("/getAuthtoken") for request in azure.writes())


async def test_without_check_secrets_what_needs_them_is_told_and_the_rest_is_looked_at(where: Where) -> None:
    for found in (await preflight(where, Given()), await verify(where, Given())):
        assert failed(found) == {} and found.passed
        told = {r.name for r in found.results if r.status == "not applicable"}
        assert {"service tokens set", "PostgreSQL reachable"} <= told or "login gives a JWT" in told


async def test_before_a_deployment_one_thing_that_is_broken_fails_alone(azure: Manager, where: Where) -> None:
    azure.apps["web"].configuration["activeRevisionsMode"] = "Single"
    assert failed(await preflight(where)).keys() == {"revision mode of web"}
    azure.apps["web"].configuration["activeRevisionsMode"] = "Multiple"
    azure.apps["api"].template["containers"][0]["env"] = [{"name": "PRODGY_REVISION", "value": "a"}]
    assert "JWT_SECRET is not there" in failed(await preflight(where))["environment of api"]
    azure.apps["api"].template["containers"][0]["env"] = []
    found = await preflight(where)
    assert failed(found).keys() == {"environment of api"}
    cors = next(r for r in found.results if r.name == "CORS of the API")
    assert cors.status == "not applicable" and "nothing was deployed there yet" in cors.evidence
    del azure.apps["api"]
    assert failed(await preflight(where)).keys() == {"container app of api"}
    assert failed(await preflight(where, VM_IP="$(VM_IP)")).keys() == {"container app of api", "variable VM_IP"}


async def test_an_azure_that_does_not_let_us_in_is_never_passed_over(azure: Manager, where: Where) -> None:
    ended = replace(where, arm_token=SecretStr(token(-60)))
    assert failed(await preflight(ended)).keys() == {"Azure token"}
    assert failed(await preflight(replace(where, arm_token=None))).keys() == {"Azure token"}
    azure.groups = {azure.subscription: ["another"]}
    found = await preflight(where)
    assert failed(found).keys() == {"Azure resource group"}
    assert next(r for r in found.results if r.name == "container app of api").status == "not applicable"


async def test_offline_asks_nobody(azure: Manager, where: Where) -> None:
    found = await preflight(where, offline=True)
    assert found.passed and not azure.requests
    assert "variable VM_IP" in {r.name for r in found.results if r.status == "passed"}


async def test_after_a_deployment_one_thing_that_is_broken_fails_alone(azure: Manager, where: Where) -> None:
    azure.stack.broken.add("queue")
    assert failed(await verify(where)).keys() == {"a job goes through the queue"}
    azure.stack.broken.clear()
    stale = failed(await verify(where, web=COMMIT))
    assert stale.keys() == {"health of web"} and "not bbbb" in stale["health of web"]
    azure.fail(method="POST", path="/service/getAuthtoken")
    found = await verify(where)
    assert next(r for r in found.results if r.name == "logs of service").status == "warning" and found.passed
    azure.apps["service"].log = ['{"level":"error","message":"boom canary-API-0123456789"}'] * 7 + ["fine"]
    found = await verify(where)
    log = next(r for r in found.results if r.name == "logs of service")
    assert log.status == "warning", log.evidence
    assert "7 error lines of 8" in log.evidence and "boom ***" in log.evidence
    settings = where.catalog.checks
    few = settings.model_copy(update={"logs": settings.logs.model_copy(update={"most_errors": 5})})
    strict = replace(where, catalog=where.catalog.model_copy(update={"checks": few}))
    assert failed(await verify(strict)).keys() == {"logs of service"}


async def test_a_service_that_is_not_reached_from_here_is_told_by_its_platform(azure: Manager, where: Where) -> None:
    azure.add(App("engine", external=False))
    found = await verify(where)
    assert failed(found) == {}
    assert "platform's own word" in next(r for r in found.results if r.name == "health of engine").evidence
    azure.apps["engine"].revisions["engine--first"].start(BROKEN, 0)
    for _ in range(4):
        azure.apps["engine"].revisions["engine--first"].read()
    assert failed(await verify(where)).keys() == {"health of engine"}


def images(*services: str) -> Images:
    made = {
        name: Image(
            service=name,
            form="image",
            result="pushed",
            digest=f"sha256:{number:064d}",
            reference=f"registry.test/prodgy-{name}:{COMMIT}@sha256:{number:064d}",
        )
        for number, name in enumerate(services, 1)
    }
    return Images(registry="registry.test", environment="staging", commit=COMMIT, images=made)


async def test_a_failed_verify_rolls_the_deployment_back_and_tells_its_evidence(azure: Manager, where: Where) -> None:
    async def check(_: Place) -> None:
        checking.passed(await checking.verify(where, GIVEN, [where.catalog.service("api")], {"api": COMMIT}))

    azure.stack.broken.add("any password")
    made = await deployment.deploy(where, images("api"), None, check)
    assert made.result == "rolled back" and "wrong password is refused" in (made.error or "")
    assert "compare passwords at login" in (made.error or "") and "canary" not in (made.error or "")
    assert azure.apps["api"].traffic() == {"api--first": 100}
    azure.stack.broken.clear()
    assert (await deployment.deploy(where, images("api"), None, check)).result == "deployed"


async def test_what_fails_is_told_with_its_evidence_and_the_files_hold_it(where: Where) -> None:
    found = await preflight(where, VM_IP="")
    with pytest.raises(ChecksFailedError, match=r"variable VM_IP (?s:.*)checks.json:") as raised:
        checking.passed(found)
    assert json.loads(str(raised.value).partition("checks.json:\n")[2])["list"] == "preflight"
    made = await checking.fingerprints("staging", where.catalog, GIVEN)
    files = checking.files(found, made)
    assert set(files) == {"checks.json", "junit.xml", "table.txt", "fingerprints.json"}
    assert "canary" not in "".join(files.values()) and "staging" in files["fingerprints.json"]


async def test_the_machine_is_looked_at_where_one_is_deployed_to(where: Where, tmp_path: Path) -> None:
    catalog = load("[services.docs]\nremove = true")
    with windows_machine(tmp_path) as machine:
        machine.install()
        to: dict[str, Any] = {"VM_IP": machine.address, "VM_USER": machine.user, "VM_PASSWORD": machine.password}
        with_vm = replace(
            where, catalog=catalog, variables={**where.variables, **to}, vm_ca=machine.ca, vm_password=None
        )
        assistant = [catalog.service("assistant")]

        async def looked() -> dict[str, str]:
            start = time.monotonic()
            found = await checking.preflight(with_vm, Given(), with_vm.variables, assistant)
            assert time.monotonic() - start < 30
            return failed(found)

        assert await looked() == {}
        machine.administrator = False
        assert (await looked()).keys() == {"VM over WinRM: administrator"}
    gone = replace(with_vm, variables={**with_vm.variables, "VM_IP": f"127.0.0.1:{free_port()}"})
    found = await checking.preflight(gone, Given(), gone.variables, assistant)
    assert failed(found).keys() == {"VM over WinRM: reachable"}
