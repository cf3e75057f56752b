"""The whole list: all of it passes on a healthy environment, and one thing that is broken fails in its checks alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from fakes.postgres import Postgres, postgres
from fakes.public_api import PublicApi, public_api
from fakes.redis import Redis, redis
from fakes.registry import free_port
from pydantic import SecretStr

from prodgy_ci.catalog.checklists import ChecksSettings, Cors
from prodgy_ci.checks.model import Check, Finding
from prodgy_ci.checks.preflight import Api, App, Azure, Machine, Subject, checks
from prodgy_ci.checks.tokens import Fingerprints, write
from prodgy_ci.checks.windows import Status
from prodgy_ci.errors import ProdgyError

pytestmark = pytest.mark.anyio
ORIGIN = "https://web.prodgy.example"
TOKEN = SecretStr("e30.eyJleHAiOjQxMDI0NDQ4MDB9.")
HEALTHY_APP: dict[str, Any] = {
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "configuration": {
            "activeRevisionsMode": "Multiple",
            "registries": [{"server": "prodgy.azurecr.io", "identity": "system"}],
        },
        "template": {"containers": [{"name": "api", "env": [{"name": "AGENTIC_URL", "value": "http://agentic"}]}]},
    },
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass(frozen=True)
class Resources:
    """Azure with one app."""

    group: bool = True
    apps: Mapping[str, Any] = field(default_factory=lambda: {"ca-api": HEALTHY_APP})
    asked: list[str] = field(default_factory=list)

    async def app(self, name: str) -> Mapping[str, Any] | None:
        self.asked.append(name)
        return self.apps.get(name)

    async def resource_group(self) -> bool:
        return self.group


async def healthy_machine() -> Status:
    return Status("VM-1", administrator=True, service="Running", nssm=True, free_bytes=9 * 10**9)


async def lost_machine() -> Status:
    raise ProdgyError("10.0.0.4:5986 did not answer")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Redis, PublicApi]]:
    with postgres(tls=True) as database, redis() as cache, public_api(ORIGIN) as api:
        yield database, cache, api


@pytest.fixture(scope="module")
def others() -> Fingerprints:
    return anyio.run(write, {"API_SERVICE_TOKEN": SecretStr("canary-other-0123456789")}, "production")


@pytest.fixture
def subject(servers: tuple[Postgres, Redis, PublicApi], others: Fingerprints, tmp_path: Path) -> Subject:
    """A healthy environment."""
    database, cache, api = servers
    (tmp_path / "ca.pem").write_text("".join(server.ca.read_text() for server in servers if server.ca))
    secrets = {name: SecretStr(f"{name}-canary-0123456789") for name in ChecksSettings().service_tokens}
    urls = {"DATABASE_URL": SecretStr(database.url("?sslmode=verify-full")), "REDIS_URL": SecretStr(cache.url())}
    apps = (App("api", "ca-api", "apiContainerAppName", ("AGENTIC_URL",)),)
    return Subject(
        environment="staging",
        group="prodgy-staging",
        names=("resourceGroup", "VM_IP"),
        values={"resourceGroup": "rg", "VM_IP": "10.0.0.4"},
        secrets=secrets | urls,
        others=others,
        public_urls=(api.url,),
        api=Api(api.url, (ORIGIN,)),
        azure=Azure("rg", "prodgy.azurecr.io", TOKEN, Resources(), apps),
        machine=Machine("10.0.0.4", "deployer", "prodgy-assistant", healthy_machine),
        ca=tmp_path / "ca.pem",
    )


async def looked(made: list[Check]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}

    async def look(check: Check) -> None:
        found[check.name] = await check.look()

    async with anyio.create_task_group() as group:
        for check in made:
            group.start_soon(look, check)
    assert len(found) == len(made), "two checks have one name"
    assert "canary" not in str(found) and TOKEN.get_secret_value() not in str(found)
    return found


async def failures(subject: Subject) -> set[str]:
    """The names of what failed."""
    found = await looked(checks(subject))
    assert all(finding.mend for finding in found.values() if finding.status in ("failed", "warning"))
    return {name for name, finding in found.items() if finding.status == "failed"}


async def test_a_healthy_environment_passes(subject: Subject) -> None:
    found = await looked(checks(subject))
    assert {name: f for name, f in found.items() if f.status != "passed"} == {}


Change = Callable[[Subject], Subject]


def secret(name: str, value: str) -> Change:
    return lambda s: replace(s, secrets={**(s.secrets or {}), name: SecretStr(value)})


def azure(**change: Any) -> Change:
    def changed(s: Subject) -> Subject:
        assert s.azure
        return replace(s, azure=replace(s.azure, **change))

    return changed


def machine(**change: Any) -> Change:
    def changed(s: Subject) -> Subject:
        assert s.machine
        return replace(s, machine=replace(s.machine, **change))

    return changed


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: replace(s, values={"resourceGroup": "rg"}), {"variable VM_IP"}),
        (secret("API_SERVICE_TOKEN", ""), {"service tokens set"}),
        (
            secret("API_SERVICE_TOKEN", "ENGINE_SERVICE_TOKEN-canary-0123456789"),
            {"service tokens different from each other"},
        ),
        (secret("API_SERVICE_TOKEN", "canary-other-0123456789"), {"service tokens of this environment alone"}),
        (secret("DATABASE_URL", f"postgres://a:canary@127.0.0.1:{free_port()}/d"), {"PostgreSQL reachable"}),
        (secret("REDIS_URL", f"redis://:canary@127.0.0.1:{free_port()}"), {"Redis reachable"}),
        (azure(token=None), {"Azure token"}),
        (azure(resources=Resources(group=False)), {"Azure resource group"}),
        (azure(resources=Resources(apps={})), {"container app of api"}),
        (azure(registry="other.azurecr.io"), {"image pull of api"}),
        (azure(apps=(App("api", "ca-api", "x", ("DATABASE_URL",)),)), {"environment of api"}),
        (machine(ask=lost_machine), {"VM over WinRM: reachable"}),
        (machine(needed_bytes=10**12), {"VM over WinRM: disk"}),
    ],
)
async def test_one_thing_that_is_broken_fails_in_its_checks_alone(
    subject: Subject, change: Change, expected: set[str]
) -> None:
    assert await failures(change(subject)) == expected


async def test_public_names_are_looked_up_and_their_certificates_and_origins_looked_at(subject: Subject) -> None:
    unresolved = await failures(replace(subject, public_urls=("https://no.such.host.invalid",)))
    assert len(unresolved) == 2 and all("no.such.host.invalid" in name for name in unresolved)
    untrusted = await failures(replace(subject, ca=None, api=None)) - {"PostgreSQL TLS"}
    assert len(untrusted) == 1 and "localhost" in untrusted.pop()
    assert subject.api
    other = replace(subject.api, allowed=("https://other.example",))
    assert len(await failures(replace(subject, api=other))) == 1
    assert len(await failures(replace(subject, settings=ChecksSettings(cors=Cors(foreign=ORIGIN))))) == 1


async def test_an_app_is_asked_for_once(subject: Subject) -> None:
    resources = Resources()
    await failures(azure(resources=resources)(subject))
    assert resources.asked == ["ca-api"]


async def test_what_needs_no_network_is_told_and_what_is_not_known_is_not_passed_over(subject: Subject) -> None:
    offline = {check.name for check in checks(subject) if not check.needs_network}
    assert offline == {
        "variable resourceGroup",
        "variable VM_IP",
        "service tokens set",
        "service tokens different from each other",
        "service tokens of this environment alone",
        "Azure token",
    }
    bare = await looked(checks(Subject("staging", "prodgy-staging", settings=ChecksSettings(service_tokens=()))))
    assert {"public names", "CORS of the API", "Azure", "VM", "Redis reachable", "PostgreSQL TLS"} <= bare.keys()
    assert {finding.status for finding in bare.values()} == {"not applicable"}
