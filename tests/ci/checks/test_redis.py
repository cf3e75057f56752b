"""One connection to a real Redis tells three things, and each fails alone where it alone is broken."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fakes.redis import PASSWORD, Redis, redis
from fakes.registry import free_port
from fakes.silent import silent
from pydantic import SecretStr

from prodgy_ci.checks.model import Finding
from prodgy_ci.checks.redis import checks

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with redis(tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def plain() -> Iterator[Redis]:
    with redis() as running:
        yield running


@pytest.fixture(scope="module")
def open_to_all() -> Iterator[Redis]:
    with redis(password=None) as running:
        yield running


async def found(url: str | None, server: Redis | None = None, seconds: float = 5) -> dict[str, Finding]:
    secret = SecretStr(url) if url is not None else None
    made = checks(secret, "REDIS_URL", "--check-secrets", server.ca if server else None, seconds)
    findings = {check.name.removeprefix("Redis "): await check.look() for check in made}
    assert PASSWORD not in str(findings) and "wr0ng" not in str(findings)
    assert all(finding.mend for finding in findings.values() if finding.status in ("failed", "warning"))
    return findings


def statuses(findings: dict[str, Finding]) -> str:
    """One letter for each part: passed, failed, warning, not applicable."""
    return "".join(findings[part].status[0] for part in ("reachable", "authenticated", "PING"))


async def test_a_healthy_server_passes_with_and_without_tls(server: Redis, plain: Redis) -> None:
    findings = await found(server.url(), server)
    assert statuses(findings) == "ppp" and "over TLS" in findings["reachable"].evidence
    findings = await found(plain.url() + "/0?timeout=3")
    assert statuses(findings) == "ppp" and "TLS" not in findings["reachable"].evidence


@pytest.mark.parametrize(
    ("login", "expected", "evidence"),
    [
        (":wr0ng@", "pfn", "does not accept the password"),
        ("", "pfn", "demands a password"),
        (f"reader:{PASSWORD}@", "ppf", "refused: "),
    ],
)
async def test_who_may_not_get_in_is_told_apart(plain: Redis, login: str, expected: str, evidence: str) -> None:
    findings = await found(plain.url(login))
    assert statuses(findings) == expected
    assert any(evidence in finding.evidence for finding in findings.values() if finding.status == "failed")


async def test_a_server_without_a_password_is_told(open_to_all: Redis) -> None:
    assert statuses(await found(open_to_all.url(""))) == "pwp"
    findings = await found(open_to_all.url(":wr0ng@"))
    assert statuses(findings) == "pfn" and "it has no password" in findings["authenticated"].evidence


async def test_a_certificate_that_is_not_trusted_or_for_another_name_is_refused(server: Redis) -> None:
    findings = await found(server.url())
    assert statuses(findings) == "fnn" and "certificate" in str(findings["reachable"].mend)
    findings = await found(server.url(host="127.0.0.2"), server)
    assert statuses(findings) == "fnn" and "mismatch" in findings["reachable"].evidence


async def test_a_server_that_speaks_no_tls_or_only_tls_is_not_reachable(server: Redis, plain: Redis) -> None:
    assert statuses(await found(plain.url().replace("redis:", "rediss:"), server, 1)) == "fnn"
    assert statuses(await found(server.url().replace("rediss:", "redis:"), None, 1)) == "fnn"


async def test_what_does_not_listen_or_answer_is_not_reachable(plain: Redis) -> None:
    findings = await found(replace(plain, port=free_port()).url())
    assert statuses(findings) == "fnn" and "does not listen" in findings["reachable"].evidence
    with silent() as port:
        findings = await found(replace(plain, port=port).url(), seconds=0.2)
    assert statuses(findings) == "fnn" and "within 0.2 s" in findings["reachable"].evidence


@pytest.mark.parametrize("url", ["http://:wr0ng@h", "redis://:wr0ng@h:port", "redis://h/number", "wr0ng"])
async def test_what_is_no_redis_url_is_told_without_it(url: str) -> None:
    assert statuses(await found(url)) == "fnn"


async def test_without_a_url_nothing_is_looked_at() -> None:
    assert statuses(await found(None)) == "nnn"
