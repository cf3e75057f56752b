"""Whether PostgreSQL is reachable, encrypted, lets us in, and which version it is: one connection."""

import contextlib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg  # type: ignore[import-untyped]
from pydantic import SecretStr

from .model import Check, Finding
from .parts import Findings, split

REACHABLE, TLS, CREDENTIALS, VERSION = "reachable", "TLS", "credentials", "version"
OLDEST = 14
"""The oldest major version that is still mended by its makers."""
SECONDS = 10.0
_VERIFIED = ("verify-ca", "verify-full")
_MODES = ("disable", "allow", "prefer", "require", *_VERIFIED)
_SCHEMES = ("postgres", "postgresql")


@dataclass(frozen=True)
class Address:
    """What a database URL says."""

    host: str
    port: int
    user: str
    database: str
    sslmode: str
    password: str = field(repr=False)

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"


def address(url: SecretStr) -> Address | str:
    """The parts of postgresql://USER:PASSWORD@HOST[:PORT]/DATABASE[?sslmode=MODE], or what is wrong with it.

    Without sslmode it is `prefer`, as everywhere. Other settings of the query, such as pgbouncer=true, are for the
    clients that know them and are passed over.
    """
    try:
        parts = urlsplit(url.get_secret_value())
        port = parts.port or 5432
        query = parse_qs(parts.query)
    except ValueError:
        return "is not a URL; write a special character of the password as %XX"
    if parts.scheme not in _SCHEMES or not parts.hostname:
        return "is not postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    user, mode = unquote(parts.username or ""), query.get("sslmode", ["prefer"])[-1]
    if not user or mode not in _MODES:
        return "names no user" if not user else f"has an unknown sslmode; known: {', '.join(_MODES)}"
    database = unquote(parts.path.lstrip("/")) or user
    return Address(parts.hostname, port, user, database, mode, unquote(parts.password or ""))


class _ClosesAtOnce(ssl.SSLObject):
    """Says goodbye without waiting for the server's: asyncpg does not wait either, and its socket would stay open."""

    def unwrap(self) -> None:
        with contextlib.suppress(ssl.SSLError):
            super().unwrap()


def context(mode: str, ca: Path | None) -> ssl.SSLContext:
    """What a mode demands of the server's certificate, as in libpq; `ca` beside the public authorities' replacement."""
    made = ssl.create_default_context(cafile=str(ca) if ca else None)
    made.sslobject_class = _ClosesAtOnce
    made.check_hostname = mode == "verify-full"
    if mode not in _VERIFIED:
        made.verify_mode = ssl.CERT_NONE
    return made


def checks(url: SecretStr | None, variable: str, where: str, ca: Path | None, seconds: float = SECONDS) -> list[Check]:
    """Four checks of the database that `variable` names; `where` says where a person sets that."""

    async def look() -> Findings:
        if url is None or not url.get_secret_value():
            return dict.fromkeys(parts, Finding("not applicable", f"no {variable} in --check-secrets"))
        if isinstance(to := address(url), str):
            return {REACHABLE: Finding("failed", f"{variable} {to}", f"set {variable} in {where}")}
        return await _look(to, f"{variable} in {where}", ca, seconds)

    parts = (REACHABLE, TLS, CREDENTIALS, VERSION)
    return split("PostgreSQL", parts, look)


async def _look(to: Address, setting: str, ca: Path | None, seconds: float) -> dict[str, Finding]:
    start = time.monotonic()
    encrypted = to.sslmode not in ("disable", "allow")
    try:
        try:
            connection = await _connect(to, context(to.sslmode, ca) if encrypted else None, seconds)
        except ConnectionError as error:
            if to.sslmode != "prefer" or not _refuses_tls(error):
                raise
            encrypted = False
            connection = await _connect(to, None, seconds)
    except Exception as error:
        return _failure(error, to, setting, encrypted, seconds)
    try:
        version = connection.get_server_version()
        text = str(await connection.fetchval("show server_version", timeout=seconds))
    finally:
        connection.terminate()
    return {
        REACHABLE: Finding("passed", f"{to.where} answered in {time.monotonic() - start:.2f} s"),
        TLS: _tls(to, setting, encrypted),
        CREDENTIALS: Finding("passed", f"{to.user} may use the database {to.database}"),
        VERSION: _version(version.major, text),
    }


async def _connect(to: Address, tls: ssl.SSLContext | None, seconds: float) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=to.host,
        port=to.port,
        user=to.user,
        password=to.password,
        database=to.database,
        ssl=tls or False,
        timeout=seconds,
        statement_cache_size=0,  # poolers such as Supabase's keep no prepared statements
    )


def _refuses_tls(error: Exception) -> bool:
    return isinstance(error, ConnectionError) and "rejected SSL" in str(error)


def _tls(to: Address, setting: str, encrypted: bool) -> Finding:
    if not encrypted:
        return Finding(
            "failed",
            f"not encrypted: {'the server offers none' if to.sslmode == 'prefer' else f'sslmode={to.sslmode}'}",
            f"turn TLS on in the server and set sslmode=verify-full in {setting}",
        )
    if to.sslmode not in _VERIFIED:
        evidence = f"encrypted, but with sslmode={to.sslmode} whoever answers is believed to be {to.host}"
        return Finding("warning", evidence, f"set sslmode=verify-full in {setting}; --ca for a private authority")
    return Finding("passed", f"encrypted, certificate verified ({to.sslmode})")


def _version(major: int, text: str) -> Finding:
    if major < OLDEST:
        return Finding("warning", f"PostgreSQL {text}, which gets no more mends", f"upgrade to {OLDEST} or later")
    return Finding("passed", f"PostgreSQL {text}")


def _failure(error: Exception, to: Address, setting: str, encrypted: bool, seconds: float) -> dict[str, Finding]:
    """The findings up to the part that failed. Messages of the server are not shown: they may repeat what was sent."""
    reached = Finding("passed", f"{to.where} answers")
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        mend = f"renew the server's certificate, give its authority with --ca, or mend the host in {setting}"
        return {REACHABLE: reached, TLS: Finding("failed", f"{to.where}: {why}", mend)}
    if _refuses_tls(error):
        mend = "turn TLS on in the server (ssl = on)"
        return {REACHABLE: reached, TLS: Finding("failed", f"{to.where} offers no TLS", mend)}
    if isinstance(error, asyncpg.PostgresError):
        return {
            REACHABLE: reached,
            TLS: _tls(to, setting, encrypted),
            CREDENTIALS: Finding("failed", _refusal(error, to), f"mend {setting}: user, password, database"),
        }
    return {REACHABLE: Finding("failed", f"{to.where} {_unreachable(error, seconds)}", f"mend {setting}; {_WAYS}")}


_WAYS = "or start the server, or let this machine through its firewall"
_REFUSALS: Mapping[str, str] = {
    "28P01": "the password of {user} is not accepted",
    "28000": "{user} may not connect from here, or not in this way",
    "3D000": "there is no database {database}",
    "42501": "{user} may not connect to the database {database}",
    "53300": "too many connections",
    "57P03": "the server is starting or stopping",
}


def _refusal(error: asyncpg.PostgresError, to: Address) -> str:
    state = str(error.sqlstate)
    known = _REFUSALS.get(state, "the server refuses the connection")
    return f"{known.format(user=to.user, database=to.database)} (SQLSTATE {state})"


def _unreachable(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"did not answer within {seconds:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "does not listen"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be reached: {error.strerror}"
    return f"did not answer as PostgreSQL does ({type(error).__name__})"
