"""One look at the VM tells four things, and each fails alone where it alone is broken."""

from dataclasses import replace
from typing import Any

import pytest

from prodgy_ci.checks.windows import Status, checks
from prodgy_ci.errors import ProdgyError

pytestmark = pytest.mark.anyio
HEALTHY = Status("VM-1", administrator=True, service="Running", nssm=True, free_bytes=9 * 10**9)
PARTS = ("reachable", "administrator", "service", "disk")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize(
    ("change", "expected", "mend"),
    [
        ({}, "pppp", ""),
        ({"administrator": False}, "pfpp", "LocalAccountTokenFilterPolicy"),
        ({"service": None}, "ppfp", "nssm install prodgy-assistant"),
        ({"nssm": False}, "ppfp", "sc.exe delete prodgy-assistant"),
        ({"service": "Paused"}, "ppwp", "nssm stop prodgy-assistant"),
        ({"free_bytes": 10**8}, "pppf", "free space"),
    ],
)
async def test_each_fault_is_told_by_its_part(change: dict[str, Any], expected: str, mend: str) -> None:
    asked = []

    async def ask() -> Status:
        asked.append(1)
        return replace(HEALTHY, **change)

    made = checks(ask, "10.0.0.4", "deployer", "prodgy-assistant", "prodgy-staging")
    assert tuple(check.name for check in made) == tuple(f"VM over WinRM: {part}" for part in PARTS)
    found = [await check.look() for check in made]
    assert "".join(finding.status[0] for finding in found) == expected
    assert mend in "".join(finding.mend or "" for finding in found)
    assert len(asked) == 1


async def test_a_vm_that_cannot_be_asked_fails_in_that_alone() -> None:
    async def ask() -> Status:
        raise ProdgyError("10.0.0.4:5986 did not answer")

    found = [await check.look() for check in checks(ask, "10.0.0.4", "deployer", "prodgy-assistant", "prodgy-staging")]
    assert [finding.status[0] for finding in found] == ["f", "n", "n", "n"]
    assert found[0].evidence == "10.0.0.4:5986 did not answer" and "variable group prodgy-staging" in str(found[0].mend)
    assert found[1].evidence == "not looked at, since `VM over WinRM: reachable` failed"
