"""The two checklists as a user calls them, and the one after a deployment against the sample as it really runs."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import dagger
import pytest
from dagger import dag
from end_to_end.conftest import REPOSITORY, Call
from fakes.encrypted import encrypted
from fakes.resource_manager import App, resource_manager
from fakes.silent import silent
from fakes.stack import EMAIL, ORIGIN, PASSWORD
from fakes.stack import stack as fake_stack
from pydantic import SecretStr

from prodgy_ci.catalog import Catalog, Service, load
from prodgy_ci.checks.run import run
from prodgy_ci.checks.table import junit, text
from prodgy_ci.checks.verify import Subject, checks
from prodgy_ci.testing import desk as desks
from prodgy_ci.testing import stack

Equip = Callable[[dagger.Container], dagger.Container]


def given(name: str, value: str) -> Equip:
    return lambda container: container.without_secret_variable(name).with_env_variable(name, value)


def health(*services: str) -> set[str]:
    return {f"health of {service}" for service in services}


PATIENT, SHORT = 15.0, 7.0
"""Seconds for an answer: on a machine that is busy, and where none will come."""
ORIGINS = "http://web:3000,http://studio:3003"
WEB, STUDIO = "CORS of HOST allows http://web:3000", "CORS of HOST allows http://studio:3003"
FOREIGN = "CORS of HOST refuses a foreign origin"
LOGIN = {
    "login gives a JWT",
    "wrong password is refused",
    "bogus API token is refused",
}
AGENTIC = "agentic through the gateway (POST /agentic/runs)"
API = "api through the gateway (GET /api/agents)"
PLAYGROUND = "Playground message is answered by an agent"
JOB, BOGUS = "a job goes through the queue", "bogus service token is refused"

OTHERWISE: list[tuple[str, Equip, set[str], dict[str, str]]] = [
    ("api", given("AGENTIC_SERVICE_TOKEN", "wrong"), {PLAYGROUND}, {PLAYGROUND: "follow the message"}),
    ("api", given("JWT_LIFETIME", "-1 hour"), {"login gives a JWT"}, {"login gives a JWT": "clock of the service"}),
    ("api", given("JWT_SECRET", "another"), {API, AGENTIC}, {API: "have the same service tokens"}),
    ("api", given("CORS_ORIGINS", "http://studio:3003"), {WEB}, {WEB: "allow http://web:3000 in the CORS origins"}),
    ("api", given("CORS_ORIGINS", f"{ORIGINS},https://foreign.example"), {FOREIGN}, {FOREIGN: "take https://foreign"}),
    (
        "api",
        given("DATABASE_URL", "postgres://prodgy:wrong@postgres:5432/none"),
        {"health of api", "database as api reports it", *LOGIN},
        {"database as api reports it": "see whether database is up"},
    ),
    ("service", given("SERVICE_SERVICE_TOKEN", ""), {BOGUS}, {BOGUS: "set the service token"}),
    ("service", given("SERVICE_SERVICE_TOKEN", "wrong"), {JOB}, {JOB: "set SERVICE_SERVICE_TOKEN to what service"}),
]
"""A service that is started otherwise, what then fails beside it, and how that is mended."""

CLOSED = "gateway is closed without a token"
STOPPED: list[tuple[str, set[str], set[str]]] = [
    ("web studio service", {*health("web", "studio", "service"), "redis as service reports it", JOB, BOGUS}, set()),
    ("gateway", {*health("gateway"), API, AGENTIC, CLOSED}, set()),
    ("redis", {*health("engine", "agentic", "api"), "redis as engine reports it", PLAYGROUND}, set()),
    ("postgres", {*LOGIN, "database as api reports it"}, {API, AGENTIC, PLAYGROUND}),
    ("api", {WEB, STUDIO, FOREIGN, "protected route is closed without a token"}, set()),
]
"""What is stopped one after another; what fails from then on; what is no longer looked at, since no login passes."""


@contextlib.contextmanager
def unreachable(folder: Path) -> Iterator[list[tuple[str, Path | None, str]]]:
    """Servers that no check may take for a service: their addresses, an authority, and what mends them."""
    with encrypted(folder, days=-1) as (expired, ca), silent() as mute, fake_stack() as strange:
        strange.broken |= {"endless web", "loop studio"}
        yield [
            (expired, ca, "renew the certificate"),
            ("http://web.prodgy.invalid", None, "create the DNS record"),
            (f"http://127.0.0.1:{mute}", None, "hangs"),
            (strange.urls["web"], None, "a small JSON is expected"),
            (strange.urls["studio"], None, "give the URL that answers itself"),
        ]


@dataclass
class Desk:
    """The sample, running."""

    runner: str
    catalog: Catalog
    source: dagger.Directory
    made: desks.Desk
    running: dict[str, dagger.Service] = field(default_factory=dict)

    async def reached(self, service: dagger.Service, port: int | None) -> str:
        if os.path.basename(self.runner) == "dagger":  # its services are reached from its own network alone
            return await (await dag.host().tunnel(service).start()).endpoint(scheme="http")
        return await (await service.start()).endpoint(port=port, scheme="http")

    async def start(self) -> Subject:
        self.running = await desks.start(self.source, self.catalog, self.made)
        urls = {s.name: await self.reached(self.running[s.name], s.port) for s in desks.containers(self.catalog)}
        made = desks.subject(self.catalog, self.made, urls)
        return replace(made, settings=made.settings.model_copy(update={"answer_within": PATIENT}))

    async def otherwise(self, name: str, change: Equip) -> str:
        """Where the service is that is started with a change, beside the first."""

        def equip(service: Service, container: dagger.Container) -> dagger.Container:
            container = self.made.equip(service, container)
            return change(container) if service.name == name else container

        run_of = self.made.run
        made = await stack.start(self.source, self.catalog, [name], run_of, revision=run_of, equip=equip)
        return await self.reached(made[name], self.catalog.service(name).port)

    async def failed(self, subject: Subject, interval: float = 60) -> dict[str, str]:
        """What fails, each with its mend; looked at once unless the interval is less than a minute."""
        found = await run(
            checks(subject),
            list_name="verify",
            environment="stack",
            secrets=subject.secrets,
            deadline=60,
            interval=interval,
        )
        told = text(found) + junit(found) + found.json_text()
        assert not any(secret.get_secret_value() in told for secret in (*subject.secrets, self.made.jwt))
        host = subject.urls["api"].removeprefix("http://")
        return {r.name.replace(host, "HOST"): r.mend or "" for r in found.results if r.status == "failed"}

    async def settled(self, subject: Subject, expected: set[str]) -> dict[str, str]:
        """The same, once it is as expected: a service that was just started, or a busy machine, is given some seconds."""
        found = await self.failed(subject)
        for _ in range(4):
            if found.keys() == expected:
                break
            await anyio.sleep(1)
            found = await self.failed(subject)
        return found


@pytest.mark.anyio
async def test_what_is_broken_in_the_running_sample_fails_in_its_checks_alone(
    runner: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", runner)
    catalog = load((REPOSITORY / "prodgy-ci.toml").read_text())
    async with dagger.connection(dagger.Config(log_output=sys.stderr, retry=None)):
        exclude = ["**/node_modules", "**/__pycache__"]
        source = dag.host().directory(str(REPOSITORY), include=["examples/prodgy"], exclude=exclude)
        desk = Desk(runner, catalog, source, desks.prepare(catalog))
        good = await desk.start()
        assert await desk.failed(good, interval=1) == {}
        wrong = await desk.settled(replace(good, password=SecretStr("canary-wrong")), {"login gives a JWT"})
        assert (
            wrong.keys() == {"login gives a JWT"} and "LOGIN_PASSWORD of --check-secrets" in wrong["login gives a JWT"]
        )
        never_done = {"type": "flaky", "payload": {"failures": 99}}
        queue = good.settings.queue.model_copy(update={"body": never_done})
        settings = good.settings.model_copy(update={"queue": queue, "answer_within": SHORT})
        stuck = await desk.settled(replace(good, settings=settings), {JOB})
        assert stuck.keys() == {JOB} and "whether its worker runs" in stuck[JOB]
        with unreachable(tmp_path) as places:
            for url, ca, mend in places:
                settings = good.settings.model_copy(update={"answer_within": SHORT if mend == "hangs" else PATIENT})
                broken = replace(good, urls={**good.urls, "web": url}, ca=ca, settings=settings)
                found = await desk.settled(broken, health("web"))
                assert found.keys() == {"health of web"} and mend in found["health of web"]
        for name, change, expected, mends in OTHERWISE:
            broken = replace(good, urls={**good.urls, name: await desk.otherwise(name, change)})
            found = await desk.settled(broken, expected)
            assert found.keys() == expected, name
            assert {check: found[check] for check, mend in mends.items() if mend not in found[check]} == {}
        down: set[str] = set()
        hasty = replace(good, settings=good.settings.model_copy(update={"answer_within": SHORT}))
        # An engine stops with a service all that are bound to it.
        for names, more, less in STOPPED[:2] if os.path.basename(runner) == "dagger" else STOPPED:
            for name in names.split():
                await desk.running[name].stop(kill=True)
            down = (down | more) - less
            assert (await desk.settled(hasty, down)).keys() == down, f"{names} stopped"


def test_the_stack_is_verified_with_one_command(call: Call) -> None:
    done = call("environment", "--name", "development", "verify", "--stack")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "verify of stack passed: 26 passed, 1 not applicable"


TOML = f"""
builtin = false
[services.api]
kind = "node"
dockerfile = "Dockerfile"
requires = ["JWT_SECRET", "API_SERVICE_TOKEN"]
[services.gateway]
kind = "node"
dockerfile = "Dockerfile"
[checks]
deadline = 20
interval = 20
service_tokens = ["API_SERVICE_TOKEN"]
skip = ["redis as *"]
[checks.cors]
allowed = ["{ORIGIN}"]
"""
CHECK_SECRETS = f"LOGIN_EMAIL={EMAIL}\nLOGIN_PASSWORD={PASSWORD}\nAPI_SERVICE_TOKEN=canary-api-token-0123456789\n"


def images(number: int) -> str:
    digest, commit = f"sha256:{number:064d}", f"{number:040d}"
    reference = f"registry.test/prodgy-api:{commit}@{digest}"
    image = {"service": "api", "form": "image", "result": "pushed", "reference": reference, "digest": digest}
    return json.dumps(
        {"registry": "registry.test", "environment": "staging", "commit": commit, "images": {"api": image}}
    )


def test_a_deployment_looks_before_and_after_and_tells_what_it_saw(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "prodgy-ci.toml").write_text(TOML)
    monkeypatch.setenv("CHECK_SECRETS", CHECK_SECRETS)
    with resource_manager([App("api"), App("gateway")]) as azure:
        monkeypatch.setenv("ARM_TOKEN", azure.token)
        names = "apiContainerAppName=api\ngatewayContainerAppName=gateway\nregistryLoginServer=registry.test\n"
        (tmp_path / "vars.env").write_text(f"{names}resourceGroup={azure.group}\n")

        def environment(*arguments: str) -> subprocess.CompletedProcess[str]:
            host = azure.url.removeprefix("http://")
            given = ["--variables", f"{tmp_path}/vars.env", "--arm-token", "env://ARM_TOKEN", "--check-secrets"]
            given += ["env://CHECK_SECRETS", "--arm-service", f"tcp://{host}"]
            done = call("--source", str(source), "environment", "--name", "staging", *given, *arguments)
            assert not re.search(r"canary[-_]", done.stdout + done.stderr)
            return done

        def deploy(number: int) -> subprocess.CompletedProcess[str]:
            (tmp_path / "images.json").write_text(images(number))
            return environment("deploy", "--images", f"{tmp_path}/images.json", "-o", f"{tmp_path}/deployments.json")

        done = deploy(1)
        assert done.returncode == 0, done.stderr[-3000:]
        record = json.loads((tmp_path / "deployments.json").read_text())
        assert [checks["list"] for checks in record["checks"]] == ["preflight", "verify"]
        verified = {result["name"]: result for result in record["checks"][1]["results"]}
        assert verified["wrong password is refused"]["status"] == verified["logs of api"]["status"] == "passed"
        assert "left out by checks.skip" in verified["redis as engine reports it"]["evidence"]

        azure.stack.broken.add("any password")
        served = azure.apps["api"].traffic()
        done = deploy(2)
        assert done.returncode != 0 and azure.apps["api"].traffic() == served
        assert "wrong password is refused" in done.stderr and "→ compare passwords at login" in done.stderr
        assert '"result": "rolled back"' in done.stderr and '"list": "preflight"' in done.stderr

        azure.apps["api"].configuration["activeRevisionsMode"] = "Single"
        changes = azure.writes()
        done = deploy(3)
        assert done.returncode != 0 and azure.writes() == changes
        assert "nothing was changed" in done.stderr and "--mode multiple" in done.stderr

        done = environment("preflight-report", "-o", f"{tmp_path}/report")
        assert done.returncode == 0, done.stderr[-3000:]
        assert {path.name for path in (tmp_path / "report").iterdir()} == {
            *("checks.json", "junit.xml", "table.txt", "fingerprints.json"),
        }
        assert "FAILED   revision mode of api" in (tmp_path / "report/table.txt").read_text()
        assert not any("canary" in path.read_text() for path in (tmp_path / "report").iterdir())
