"""The whole list: all of it passes on a healthy stack, and one thing that is broken fails in its checks alone."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.encrypted import encrypted
from fakes.silent import silent
from fakes.stack import EMAIL, ORIGIN, PASSWORD, REVISION, SERVICE_TOKEN, SERVICES, Stack, stack
from pydantic import SecretStr

from prodgy_ci.catalog.checklists import ChecksSettings, Cors
from prodgy_ci.checks.model import Checks
from prodgy_ci.checks.run import run
from prodgy_ci.checks.table import junit, text
from prodgy_ci.checks.verify import Subject, checks, origins

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    with stack() as made:
        yield made


@pytest.fixture
def good(running: Stack) -> Stack:
    running.broken.clear()
    running.tokens.clear()
    return running


async def calm(service: str) -> AsyncIterator[str]:
    yield f'{{"level": "info", "service": "{service}", "message": "listening"}}\n'


def subject(stack: Stack, answer_within: float = 5) -> Subject:
    return Subject(
        urls=stack.urls,
        revisions=dict.fromkeys(SERVICES, REVISION),
        settings=ChecksSettings(
            answer_within=answer_within, samples=2, cors=Cors(allowed=(ORIGIN,), allowed_services=())
        ),
        email=EMAIL,
        password=SecretStr(PASSWORD),
        tokens={"SERVICE_SERVICE_TOKEN": SecretStr(SERVICE_TOKEN)},
        logs=calm,
    )


async def looked(subject: Subject) -> Checks:
    made = checks(subject)
    assert len({check.name for check in made}) == len(made), "two checks have one name"
    found = await run(
        made, list_name="verify", environment="staging", secrets=subject.secrets, deadline=30, interval=30
    )
    assert "canary" not in found.json_text() + text(found) + junit(found)
    assert all(result.mend for result in found.results if result.status in ("failed", "warning"))
    return found


def failed(found: Checks) -> dict[str, str]:
    return {result.name: result.mend or "" for result in found.results if result.status == "failed"}


async def test_a_healthy_stack_passes_and_is_left_as_it_was(good: Stack) -> None:
    found = await looked(subject(good))
    assert {result.name: result.evidence for result in found.results if result.status != "passed"} == {}
    assert found.passed
    assert not good.tokens


def health(*services: str) -> set[str]:
    return {f"health of {service}" for service in services}


CORS = {"CORS of HOST allows https://web.prodgy.example", "CORS of HOST refuses a foreign origin"}
LOGIN = {
    "login gives a JWT",
    "protected route is closed without a token",
    "wrong password is refused",
    "bogus API token is refused",
}
AGENTIC = "agentic through the gateway (POST /agentic/runs)"
API = "api through the gateway (GET /api/agents)"
CLOSED = "gateway is closed without a token"
PLAYGROUND = "Playground message is answered by an agent"
JOB = "a job goes through the queue"


@pytest.mark.parametrize(
    ("broken", "expected", "mend"),
    [
        (
            "api",
            {*health("api", "gateway"), *CORS, *LOGIN, "database as api reports it", CLOSED},
            {"health of api": "start what listens", "health of gateway": "mend api first"},
        ),
        ("gateway", {*health("gateway"), API, AGENTIC, CLOSED}, {"health of gateway": "start what listens"}),
        (
            "engine",
            {*health("engine", "agentic", "api", "gateway"), "redis as engine reports it", AGENTIC, PLAYGROUND},
            {"health of agentic": "mend engine first"},
        ),
        (
            "agentic",
            {*health("agentic", "api", "gateway"), AGENTIC, PLAYGROUND},
            {"health of agentic": "start what listens", AGENTIC: "see `health of agentic`"},
        ),
        (
            "service",
            {*health("service"), "redis as service reports it", JOB, "bogus service token is refused"},
            {"health of service": "start what listens"},
        ),
        ("web", health("web"), {"health of web": "start what listens"}),
        ("studio", health("studio"), {"health of studio": "start what listens"}),
        (
            "database",
            {*health("api", "gateway"), *LOGIN, "database as api reports it", CLOSED},
            {"database as api reports it": "see whether database is up"},
        ),
        (
            "redis",
            {
                *health("engine", "service", "agentic", "api", "gateway"),
                "redis as engine reports it",
                "redis as service reports it",
                AGENTIC,
                PLAYGROUND,
                JOB,
            },
            {"redis as engine reports it": "see whether redis is up", JOB: "see `redis as service reports it`"},
        ),
        ("queue", {JOB}, {JOB: "whether its worker runs"}),
        (
            "service token",
            {"bogus service token is refused"},
            {"bogus service token is refused": "set the service token"},
        ),
        ("agentic token", {AGENTIC, PLAYGROUND}, {AGENTIC: "the same service tokens"}),
        ("agent", {PLAYGROUND}, {PLAYGROUND: "the agent's instructions"}),
        ("gate", {CLOSED}, {CLOSED: "check the token before it forwards"}),
        (
            "login",
            {"login gives a JWT", "wrong password is refused"},
            {"login gives a JWT": "LOGIN_EMAIL and LOGIN_PASSWORD"},
        ),
        ("any password", {"wrong password is refused"}, {"wrong password is refused": "compare passwords"}),
        ("expired JWT", {"login gives a JWT"}, {"login gives a JWT": "the clock of the service"}),
        (
            "JWT",
            {"JWT opens the protected route", "API token is accepted", API, AGENTIC, PLAYGROUND},
            {"JWT opens the protected route": "JWT_SECRET"},
        ),
        ("any JWT", {"altered JWT is refused"}, {"altered JWT is refused": "verify a JWT's signature"}),
        ("API token", {"API token is accepted"}, {"API token is accepted": "looks API tokens up"}),
        ("any API token", {"bogus API token is refused"}, {"bogus API token is refused": "look API tokens up"}),
        (
            "open",
            {"protected route is closed without a token", CLOSED},
            {"protected route is closed without a token": "let /me ask who calls"},
        ),
        ("no origin", {"CORS of HOST allows https://web.prodgy.example"}, {}),
        ("any origin", {"CORS of HOST refuses a foreign origin"}, {}),
        ("revision of web", health("web"), {"health of web": "all traffic of web goes to the new revision"}),
        ("endless web", health("web"), {"health of web": "a small JSON is expected"}),
        ("loop web", health("web"), {"health of web": "give the URL that answers itself"}),
    ],
)
async def test_one_thing_that_is_broken_fails_in_its_checks_alone(
    good: Stack, broken: str, expected: set[str], mend: dict[str, str]
) -> None:
    good.broken.add(broken)
    asked = subject(good, 4 if broken == "queue" else 8)
    found = failed(await looked(asked))
    host = asked.urls["api"].removeprefix("http://")
    assert {name.replace(host, "HOST") for name in found} == expected
    assert {name: found[name] for name, wanted in mend.items() if wanted not in found[name]} == {}


@pytest.mark.parametrize("way", ["an expired certificate", "a name that does not resolve", "a host that never answers"])
async def test_a_service_that_cannot_be_reached_fails_alone_and_says_why(good: Stack, tmp_path: Path, way: str) -> None:
    def reached_at(url: str) -> Subject:
        asked = subject(good, 1.5)
        return replace(asked, urls={**asked.urls, "web": url})

    async def mend(asked: Subject) -> str:
        found = failed(await looked(asked))
        assert found.keys() == {"health of web"}
        return found["health of web"]

    if way == "an expired certificate":
        with encrypted(tmp_path, days=-1) as (url, ca):
            assert "renew the certificate" in await mend(replace(reached_at(url), ca=ca))
    elif way == "a name that does not resolve":
        assert "create the DNS record" in await mend(reached_at("http://web.prodgy.invalid"))
    else:
        with silent() as port:
            assert "hangs" in await mend(reached_at(f"http://127.0.0.1:{port}"))


async def test_what_is_not_known_is_told_and_is_not_passed_over(good: Stack) -> None:
    empty = await looked(Subject({}, {}))
    assert not empty.results
    assert not empty.passed
    unreached = await looked(replace(subject(good), urls={}))
    assert failed(unreached).keys() == health(*SERVICES)
    bare = await looked(replace(subject(good), email=None, tokens={}, logs=None))
    untold = {result.name for result in bare.results if result.status == "not applicable"}
    assert {"login gives a JWT", API, AGENTIC, PLAYGROUND, JOB, "bogus service token is refused", "logs"} == untold


async def test_origins_are_the_listed_ones_and_those_of_the_pages() -> None:
    settings = ChecksSettings(cors=Cors(allowed=("https://partner.example",)))
    urls = {"web": "https://web.example/app", "studio": "https://studio.example", "api": "https://api.example"}
    assert origins(settings, urls) == ["https://partner.example", "https://web.example", "https://studio.example"]
