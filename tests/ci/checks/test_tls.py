"""A certificate passes for its name and its days alone."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fakes.encrypted import encrypted
from fakes.silent import silent

from prodgy_ci.checks import tls
from prodgy_ci.checks.model import Finding

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def looked(folder: Path, days: float, name: str = "localhost", *, trusted: bool = True) -> Finding:
    own = folder / f"{name} {days} {trusted}"
    own.mkdir()
    with encrypted(own, days, name) as (url, ca):
        port = urlsplit(url).port or 0
        return await tls.check("localhost", "127.0.0.1", port, ca if trusted else None).look()


@pytest.mark.parametrize(
    ("days", "status"), [(90.5, "passed"), (21.5, "passed"), (20.5, "warning"), (3.5, "warning"), (2.5, "failed")]
)
async def test_a_certificate_passes_while_it_has_days_left(tmp_path: Path, days: float, status: str) -> None:
    found = await looked(tmp_path, days)
    assert found.status == status and f"{int(days)} days left; TLSv1.3, issued by localhost" in found.evidence
    assert found.mend in (None, "renew the certificate of localhost")


async def test_what_is_not_valid_is_told_with_its_own_mend(tmp_path: Path) -> None:
    expired = await looked(tmp_path, -1)
    assert (expired.status, "expired" in expired.evidence) == ("failed", True)
    assert expired.mend and expired.mend.startswith("renew the certificate")
    other = await looked(tmp_path, 90, "other.example")
    assert other.status == "failed" and other.mend and "has the name" in other.mend
    strange = await looked(tmp_path, 90, trusted=False)
    assert strange.status == "failed" and strange.mend and "--ca" in strange.mend


async def test_what_speaks_no_tls_fails_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "WITHIN", 0.3)
    start = time.monotonic()
    with silent() as port:
        found = await tls.check("localhost", "127.0.0.1", port).look()
    assert found.status == "failed" and "no TLS" in found.evidence and time.monotonic() - start < 5
