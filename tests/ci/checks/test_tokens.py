"""A service's token is its own, and its environment's own; fingerprints tell that without telling the token."""

import pytest
from pydantic import SecretStr

from prodgy_ci.checks.model import Finding
from prodgy_ci.checks.tokens import Fingerprints, checks, read, write
from prodgy_ci.errors import InputError

pytestmark = pytest.mark.anyio
NAMES = ("API_SERVICE_TOKEN", "ENGINE_SERVICE_TOKEN")
SET, DIFFERENT, ALONE = (
    "service tokens set",
    "service tokens different from each other",
    "service tokens of this environment alone",
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def given(api: str | None = "canary-a" * 4, engine: str | None = "canary-e" * 4) -> dict[str, SecretStr]:
    return {name: SecretStr(value) for name, value in zip(NAMES, (api, engine), strict=True) if value is not None}


async def found(tokens: dict[str, SecretStr], others: Fingerprints | None = None) -> dict[str, Finding]:
    made = checks(NAMES, tokens, "staging", others, "--check-secrets")
    assert not any(check.needs_network for check in made)
    findings = {check.name: await check.look() for check in made}
    assert "canary" not in str(findings)
    return findings


async def test_tokens_of_their_own_pass() -> None:
    findings = await found(given(), await write(given("canary-b" * 4, "canary-f" * 4), "production"))
    assert [finding.status for finding in findings.values()] == ["passed"] * 3
    assert "of production" in findings[ALONE].evidence


@pytest.mark.parametrize(("value", "why"), [(None, "is not set"), (" ", "is not set"), ("changeme", "placeholder")])
async def test_a_token_that_is_not_set_is_named(value: str | None, why: str) -> None:
    finding = (await found(given(engine=value)))[SET]
    assert finding.status == "failed" and f"ENGINE_SERVICE_TOKEN {why}" in finding.evidence.replace("holds a ", "")
    assert finding.mend == "set ENGINE_SERVICE_TOKEN in --check-secrets, each to: openssl rand -hex 32"


async def test_a_short_token_is_a_warning() -> None:
    assert (await found(given(engine="canary-short")))[SET].status == "warning"


async def test_two_services_with_one_token_fail() -> None:
    finding = (await found(given(engine="canary-a" * 4)))[DIFFERENT]
    assert finding.status == "failed"
    assert finding.evidence == "API_SERVICE_TOKEN and ENGINE_SERVICE_TOKEN are the same"


async def test_a_token_of_another_environment_fails_under_whatever_name() -> None:
    others = await write(given("canary-b" * 4, "canary-a" * 4), "production")
    finding = (await found(given(), others))[ALONE]
    assert finding.status == "failed"
    assert finding.evidence == "API_SERVICE_TOKEN is also ENGINE_SERVICE_TOKEN of production"


async def test_without_another_environment_s_fingerprints_nothing_is_compared() -> None:
    assert (await found(given()))[ALONE].status == "not applicable"
    assert (await found(given(), await write(given(), "staging")))[ALONE].status == "not applicable"


async def test_the_file_holds_every_environment_and_no_token() -> None:
    first = await write(given(), "production")
    both = await write(given(), "staging", first)
    assert both.environments["production"] == first.environments["production"]
    assert set(both.environments) == {"production", "staging"}
    ours, theirs = both.environments["staging"], both.environments["production"]
    assert ours.salt != theirs.salt and not set(ours.tokens.values()) & set(theirs.tokens.values())
    assert "canary" not in both.json_text() and read(both.json_text()) == both


@pytest.mark.parametrize("text", ["", "canary", '{"schema_version": 2}', '{"environments": {"a": {"salt": "canary"}}}'])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"--other-fingerprints: .*preflight-report") as raised:
        read(text)
    assert "canary" not in str(raised.value)
