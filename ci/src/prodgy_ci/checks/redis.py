"""Whether Redis is reachable, lets us in and answers PING: one connection."""

import ssl
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from redis import asyncio as client
from redis import exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from .model import Check, Finding
from .parts import Findings, split

REACHABLE, AUTHENTICATED, PING = "reachable", "authenticated", "PING"
SECONDS = 10.0


def checks(url: SecretStr | None, variable: str, where: str, ca: Path | None, seconds: float = SECONDS) -> list[Check]:
    """Three checks of the Redis that `variable` names; `where` says where a person sets that.

    The URL is redis[s]://[USER]:PASSWORD@HOST[:PORT][/NUMBER]; rediss:// is encrypted and its certificate verified,
    against `ca` where one is given.
    """

    async def look() -> Findings:
        if url is None or not url.get_secret_value():
            return dict.fromkeys(parts, Finding("not applicable", f"no {variable} in --check-secrets"))
        if not (to := connection(url, ca, seconds)):
            evidence = f"{variable} is not redis[s]://:PASSWORD@HOST:PORT"
            return {REACHABLE: Finding("failed", evidence, f"set {variable} in {where}")}
        async with to:
            return await _look(to, f"{variable} in {where}", seconds)

    parts = (REACHABLE, AUTHENTICATED, PING)
    return split("Redis", parts, look)


def connection(url: SecretStr, ca: Path | None, seconds: float) -> client.Redis | None:
    """A client that tries once; None where the URL is none. Options of the URL's query are passed over."""
    try:
        parts = urlsplit(url.get_secret_value())
        port, number = parts.port or 6379, int(parts.path.strip("/") or 0)
    except ValueError:
        return None
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        return None
    encrypted = parts.scheme == "rediss"
    return client.Redis(
        host=parts.hostname,
        port=port,
        db=number,
        username=unquote(parts.username or "") or None,
        password=unquote(parts.password or "") or None,
        ssl=encrypted,
        ssl_ca_certs=str(ca) if ca and encrypted else None,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # whose AUTH tells a server that has no password; HELLO takes any
    )


async def _look(to: client.Redis, setting: str, seconds: float) -> dict[str, Finding]:
    options = to.connection_pool.connection_kwargs
    where = f"{options['host']}:{options['port']}"
    start = time.monotonic()
    try:
        await to.ping()
    except exceptions.AuthenticationError as error:  # ours: its own words may repeat what was sent
        evidence = (
            "it demands a password and the URL has none"
            if not options["password"]
            else "it does not accept the password"
        )
        if "without any password configured" in str(error):
            evidence = "it has no password, the URL has one"
        return {
            REACHABLE: Finding("passed", f"{where} answers"),
            AUTHENTICATED: Finding("failed", evidence, f"mend the password in {setting}"),
        }
    except exceptions.ResponseError as error:
        return {
            REACHABLE: Finding("passed", f"{where} answers"),
            AUTHENTICATED: _authenticated(options["password"], setting),
            PING: Finding(
                "failed", f"refused: {str(error).split(' ')[0]}", "let this user run PING, or mend the server"
            ),
        }
    except (exceptions.RedisError, OSError) as error:
        return {REACHABLE: _unreachable(error, where, setting, seconds)}
    return {
        REACHABLE: Finding("passed", f"{where} answers{' over TLS' if 'ssl_ca_certs' in options else ''}"),
        AUTHENTICATED: _authenticated(options["password"], setting),
        PING: Finding("passed", f"PONG after {time.monotonic() - start:.2f} s"),
    }


def _authenticated(password: str | None, setting: str) -> Finding:
    if password:
        return Finding("passed", "the password is accepted")
    return Finding("warning", "it lets anybody in, without a password", f"set a password in Redis and in {setting}")


def _unreachable(error: Exception, where: str, setting: str, seconds: float) -> Finding:
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLError | TimeoutError | ConnectionRefusedError):
        cause = cause.__cause__ or cause.__context__
    mend = f"mend {setting}, or start the server, or let this machine through its firewall"
    if isinstance(cause, ssl.SSLError):
        why = getattr(cause, "verify_message", "") or cause.reason or "TLS failed"
        mend = f"renew the server's certificate, give its authority with --ca, or mend the scheme or host in {setting}"
        return Finding("failed", f"{where}: {why}", mend)
    if isinstance(error, exceptions.TimeoutError) or isinstance(cause, TimeoutError):
        return Finding("failed", f"{where} did not answer within {seconds:g} s", mend)
    if isinstance(cause, ConnectionRefusedError):
        return Finding("failed", f"{where} does not listen", mend)
    return Finding("failed", f"{where} cannot be reached as Redis ({type(error).__name__})", mend)
