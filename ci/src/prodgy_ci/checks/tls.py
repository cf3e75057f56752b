"""Whether a certificate is valid for a name, and for how long."""

import ssl
import time
from pathlib import Path
from typing import Any

import anyio
from anyio.streams.tls import TLSAttribute

from .http import WITHIN, NoAnswerError, explained, trust
from .model import Check, Finding

WARN_DAYS, FAIL_DAYS = 21, 3


def check(
    name: str, host: str, port: int, ca: Path | None = None, *, warn: int = WARN_DAYS, fail: int = FAIL_DAYS
) -> Check:
    """`TLS of NAME`: the certificate at HOST:PORT is valid for the name, with its chain, for more than `fail` days."""

    async def look() -> Finding:
        try:
            certificate, version = await _certificate(name, host, port, ca)
        except NoAnswerError as error:
            return Finding("failed", str(error), error.mend)
        return judge(name, certificate, version, time.time(), warn, fail)

    return Check(f"TLS of {name}", look)


def judge(
    name: str, certificate: dict[str, Any], version: str, now: float, warn: int = WARN_DAYS, fail: int = FAIL_DAYS
) -> Finding:
    """What a verified certificate's days say."""
    end = certificate["notAfter"]
    days = int((ssl.cert_time_to_seconds(end) - now) // 86400)
    issuer = dict(pair for part in certificate.get("issuer", ()) for pair in part)
    by = issuer.get("organizationName") or issuer.get("commonName") or "an unnamed issuer"
    evidence = f"valid for {name} until {end}, {days} days left; {version}, issued by {by}"
    if days >= warn:
        return Finding("passed", evidence)
    return Finding("failed" if days < fail else "warning", evidence, f"renew the certificate of {name}")


async def _certificate(name: str, host: str, port: int, ca: Path | None) -> tuple[dict[str, Any], str]:
    where = f"{host}:{port}"
    try:
        with anyio.fail_after(WITHIN):
            async with await anyio.connect_tcp(
                host, port, tls=True, ssl_context=trust(ca), tls_hostname=name, tls_standard_compatible=False
            ) as stream:
                known = stream.extra_attributes
                return known[TLSAttribute.peer_certificate](), known[TLSAttribute.tls_version]()
    except TimeoutError:
        mend = f"see whether {where} speaks TLS, and whether a firewall stands before it"
        raise NoAnswerError("timeout", f"no TLS from {where} within {WITHIN:g} s", mend) from None
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        raise explained(error, where) from None
