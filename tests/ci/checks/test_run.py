"""A run of a list: what is looked at again, what is left out, what counts as nothing, and what is never shown."""

import base64
import xml.etree.ElementTree as ElementTree
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from prodgy_ci.checks.model import Check, Checks, Finding
from prodgy_ci.checks.run import run
from prodgy_ci.checks.table import NOTHING, junit, text
from prodgy_ci.errors import ProdgyError

pytestmark = pytest.mark.anyio
GOOD, BAD = Finding("passed", "200"), Finding("failed", "503", "start it")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def ran(*checks: Check, **options: Any) -> Checks:
    return await run(checks, **{"list_name": "verify", "environment": "staging", "interval": 0.01, **options})


def looks(*findings: Finding) -> Callable[[], Awaitable[Finding]]:
    """The findings one after another; the last one stays."""
    left = list(findings)

    async def look() -> Finding:
        return left.pop(0) if len(left) > 1 else left[0]

    return look


def told(found: Checks) -> dict[str, str]:
    return {result.name: result.status for result in found.results}


async def test_a_failure_is_looked_at_again_only_where_time_can_mend_it() -> None:
    final = Finding("failed", "a wrong password was let in", "mend it", final=True)
    found = await ran(
        Check("comes up", looks(BAD, BAD, GOOD), retries=True),
        Check("once", looks(BAD, GOOD)),
        Check("final", looks(final, GOOD), retries=True),
        Check("never", looks(BAD), retries=True),
        deadline=0.2,
    )
    assert told(found) == {"comes up": "passed", "once": "failed", "final": "failed", "never": "failed"}
    assert "looked at" in found.results[3].evidence and found.results[3].mend == "start it"
    assert not found.passed


async def test_what_hangs_fails_at_its_deadline_and_holds_up_nothing_else() -> None:
    async def hang() -> Finding:
        await anyio.sleep_forever()
        return GOOD

    found = await ran(Check("hangs", hang), Check("good", looks(GOOD)), deadline=0.1, at_once=1)
    assert told(found) == {"hangs": "failed", "good": "passed"}
    assert "did not end within" in found.results[0].evidence


async def test_what_a_check_raises_is_its_failure_alone() -> None:
    async def refuse() -> Finding:
        raise ProdgyError("Azure did not answer")

    async def break_down() -> Finding:
        raise LookupError("a fault")

    found = await ran(Check("refuses", refuse), Check("breaks", break_down), Check("good", looks(GOOD)))
    assert told(found) == {"refuses": "failed", "breaks": "failed", "good": "passed"}
    assert "fault of the check itself" in (found.results[1].mend or "")


async def test_what_rests_on_a_failed_check_is_not_looked_at() -> None:
    found = await ran(
        Check("login", looks(BAD)), Check("token", looks(GOOD), after="login"), Check("use", looks(GOOD), after="token")
    )
    assert told(found) == {"login": "failed", "token": "not applicable", "use": "not applicable"}


@pytest.mark.parametrize(
    ("checks", "options"),
    [
        ((), {}),
        ((Check("one", looks(GOOD)),), {"offline": True}),
        ((Check("one", looks(GOOD)),), {"skips": lambda name: True}),
        ((Check("one", looks(Finding("not applicable", "no URL"))),), {}),
    ],
)
async def test_that_nothing_was_checked_is_a_failure_everywhere(
    checks: tuple[Check, ...], options: dict[str, Any]
) -> None:
    found = await ran(*checks, **options)
    assert not found.passed
    assert f"verify of staging FAILED: {NOTHING}" in text(found)
    assert ElementTree.fromstring(junit(found)).find("testsuite[@failures='1']/testcase/failure") is not None


async def test_a_secret_is_shown_nowhere_in_none_of_its_spellings() -> None:
    password, url = SecretStr("canary/3f:9@c"), SecretStr("redis://:canary%2Furl@host:6379")
    encoded = base64.b64encode(password.get_secret_value().encode()).decode()
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9.canary-signature"
    said = f"{password.get_secret_value()} {encoded} {url.get_secret_value()} canary/url postgres://u:canary@h {jwt}"
    found = await ran(Check("one", looks(Finding("failed", said + "\x1b[31m", said))), secrets=[password, url, None])
    shown = found.json_text() + text(found) + junit(found)
    assert "canary" not in shown and encoded not in shown and jwt not in shown and "\x1b" not in shown
    assert "postgres://u:***@h" in shown


async def test_the_table_and_the_junit_file_tell_of_each_check_and_its_mend() -> None:
    found = await ran(
        Check("health of api", looks(Finding("failed", "503 <down>", "mend redis first"))),
        Check("logs of api", looks(Finding("warning", "2 error lines\nboom", "read the log"))),
        Check("VM", looks(Finding("not applicable", "nothing goes there"))),
    )
    lines = text(found).splitlines()
    assert lines[0].startswith("FAILED   health of api") and lines[1] == "         → mend redis first"
    assert lines[-1] == "verify of staging FAILED: 1 failed, 1 warning, 1 not applicable"
    suite = ElementTree.fromstring(junit(found))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    assert suite[0][0].text == "503 <down>\nTo mend it: mend redis first"
    assert "warning: 2 error lines" in (suite[1][0].text or "")
