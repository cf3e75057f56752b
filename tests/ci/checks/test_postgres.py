"""One connection to a real PostgreSQL tells four things, and each fails alone where it alone is broken."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from fakes.postgres import ENCODED, PASSWORD, Postgres, postgres, refusing
from fakes.registry import free_port
from fakes.silent import silent
from pydantic import SecretStr

from prodgy_ci.checks.model import Finding
from prodgy_ci.checks.postgres import address, checks

pytestmark = pytest.mark.anyio
WHERE = "--check-secrets"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres(tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def plain() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


async def found(url: str | None, server: Postgres | None = None, seconds: float = 5) -> dict[str, Finding]:
    secret = SecretStr(url) if url is not None else None
    made = checks(secret, "DATABASE_URL", WHERE, server.ca if server else None, seconds)
    findings = {check.name.removeprefix("PostgreSQL "): await check.look() for check in made}
    for password in (PASSWORD, ENCODED, "wr0ng"):
        assert password not in str(findings)
    assert all(finding.mend for finding in findings.values() if finding.status in ("failed", "warning"))
    return findings


def statuses(findings: dict[str, Finding]) -> str:
    """One letter for each part: passed, failed, warning, not applicable."""
    return "".join(findings[part].status[0] for part in ("reachable", "TLS", "credentials", "version"))


@pytest.mark.parametrize("query", ["?sslmode=verify-full", "?sslmode=verify-ca&pgbouncer=true&connection_limit=1"])
async def test_a_healthy_server_passes_with_its_version(server: Postgres, query: str) -> None:
    findings = await found(server.url(query), server)
    assert statuses(findings) == "pppp"
    assert findings["version"].evidence.startswith("PostgreSQL 1")
    assert "prodgy may use the database prodgy" in findings["credentials"].evidence


@pytest.mark.parametrize("query", ["", "?sslmode=require"])
async def test_an_unverified_certificate_is_a_warning(server: Postgres, query: str) -> None:
    assert statuses(await found(server.url(query), server)) == "pwpp"


@pytest.mark.parametrize(
    ("url", "expected", "evidence"),
    [
        ({"password": "wr0ng"}, "ppfn", "the password of prodgy is not accepted"),
        ({"user": "nobody"}, "ppfn", "28P01"),
        ({"database": "other"}, "ppfn", "there is no database other"),
        ({"host": "127.0.0.2"}, "pfnn", "mismatch"),
    ],
)
async def test_each_fault_is_told_by_its_part(
    server: Postgres, url: dict[str, str], expected: str, evidence: str
) -> None:
    findings = await found(server.url("?sslmode=verify-full", **url), server)
    assert statuses(findings) == expected
    assert any(evidence in finding.evidence for finding in findings.values() if finding.status == "failed")


async def test_a_certificate_of_an_unknown_authority_is_refused(server: Postgres) -> None:
    findings = await found(server.url("?sslmode=verify-full"), replace(server, ca=None))
    assert statuses(findings) == "pfnn" and "--ca" in str(findings["TLS"].mend)


@pytest.mark.parametrize(
    ("query", "expected"), [("", "pfpp"), ("?sslmode=disable", "pfpp"), ("?sslmode=require", "pfnn")]
)
async def test_a_server_without_tls_fails_in_that_alone(plain: Postgres, query: str, expected: str) -> None:
    assert statuses(await found(plain.url(query))) == expected


async def test_a_refused_login_leaves_no_connection_open(tmp_path: Path) -> None:
    with refusing(tmp_path) as (port, closed):
        assert statuses(await found(Postgres(port, None).url("?sslmode=require"))) == "pwfn"
        assert await anyio.to_thread.run_sync(closed.wait, 5)


async def test_what_does_not_listen_or_answer_or_resolve_is_not_reachable(server: Postgres) -> None:
    for port_of, words in ((free_port(), "does not listen"),):
        findings = await found(replace(server, port=port_of).url())
        assert statuses(findings) == "fnnn" and words in findings["reachable"].evidence
    with silent() as port:
        findings = await found(replace(server, port=port).url(), seconds=0.2)
        assert statuses(findings) == "fnnn" and "within 0.2 s" in findings["reachable"].evidence
    findings = await found(server.url(host="no.such.host.invalid"))
    assert statuses(findings) == "fnnn" and "cannot be reached" in findings["reachable"].evidence


@pytest.mark.parametrize(
    "url",
    ["mysql://a:wr0ng@h/d", "postgres://a:wr0ng@h:port/d", "postgres://h/d", "postgres://a@h?sslmode=yes", "wr0ng"],
)
async def test_what_is_no_database_url_is_told_without_it(url: str) -> None:
    assert statuses(await found(url)) == "fnnn"


async def test_without_a_url_nothing_is_looked_at() -> None:
    assert statuses(await found(None)) == "nnnn"


async def test_the_urls_of_supabase_are_understood() -> None:
    to = address(SecretStr("postgres://postgres.ref:p%40w@aws-0-eu.pooler.supabase.com:6543/postgres?pgbouncer=true"))
    assert not isinstance(to, str)
    assert (to.user, to.password, to.port, to.database) == ("postgres.ref", "p@w", 6543, "postgres")
    assert "p@w" not in repr(to)
