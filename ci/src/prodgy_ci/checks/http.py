"""One request, one answer, and one sentence for everything that may go wrong between them."""

import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import anyio
import httpx

from ..errors import ProdgyError

WITHIN = 10.0
LARGEST = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)

Kind = Literal["dns", "refused", "timeout", "tls", "redirect", "too large", "broken"]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """With names in lower case."""
    text: str
    seconds: float
    tls: str | None
    """The protocol, such as TLSv1.3; None where it was not encrypted."""

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    def field(self, path: str) -> Any:
        """What lies at `a.b` in the body; None where nothing does."""
        found = self.json
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    @property
    def told(self) -> str:
        """Status and time, for evidence that must not show the body."""
        return f"{self.status} in {self.seconds:.2f} s"

    def __str__(self) -> str:
        """Status, time and body on one line. Not cut here: a secret cut in two would not be recognised."""
        return f"{self.told}: {' '.join(self.text.split()) or 'no body'}"


class NoAnswerError(ProdgyError):
    """A request that got no usable answer."""

    def __init__(self, kind: Kind, message: str, mend: str) -> None:
        self.kind, self.mend = kind, mend
        super().__init__(message)


async def ask(
    method: str,
    url: str,
    *,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    bearer: str | None = None,
    ca: Path | None = None,
    within: float = WITHIN,
) -> Answer:
    """Sends one request over a connection of its own and reads at most 64 KB of the answer.

    Redirects are not followed: they are errors, as all that is no answer; raises NoAnswerError.
    """
    sent = {"User-Agent": "prodgy-ci", "Cache-Control": "no-cache", "Accept-Encoding": "identity", **(headers or {})}
    if bearer is not None:
        sent["Authorization"] = f"Bearer {bearer}"
    host, start = place(url), time.monotonic()
    verify = trust(ca) if url.startswith("https:") else False
    try:
        with anyio.fail_after(within):
            async with (
                httpx.AsyncClient(verify=verify, trust_env=False, timeout=within) as client,
                client.stream(method, url, json=body, headers=sent) as response,
            ):
                return await _read(response, url, start)
    except NoAnswerError:
        raise
    except (TimeoutError, httpx.TimeoutException):
        mend = f"see in its log whether {host} hangs, and whether a firewall stands before it"
        raise NoAnswerError("timeout", f"{host} did not answer within {within:g} s", mend) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise explained(error, host) from None


@dataclass(frozen=True)
class Endpoint:
    """Where a service is, and how it is asked."""

    url: str
    ca: Path | None = None
    within: float = WITHIN

    async def ask(
        self,
        method: str,
        route: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        bearer: str | None = None,
    ) -> Answer:
        """As `ask`, for a route."""
        url = self.url.rstrip("/") + route
        return await ask(method, url, body=body, headers=headers, bearer=bearer, ca=self.ca, within=self.within)


def place(url: str) -> str:
    """HOST[:PORT] of a URL, without a user and password that stand before it."""
    return urlsplit(url).netloc.rpartition("@")[2]


async def _read(response: httpx.Response, url: str, start: float) -> Answer:
    if response.status_code in REDIRECTS:
        raise _redirect(url, response)
    content = b""
    async for chunk in response.aiter_raw(LARGEST):
        content += chunk
        if len(content) > LARGEST:
            raise NoAnswerError(
                "too large",
                f"{response.status_code}, and a body of more than {LARGEST // 1024} KB",
                f"see what {place(url)}{urlsplit(url).path} sends: a small JSON is expected",
            )
    stream = response.extensions.get("network_stream")
    encrypted = stream.get_extra_info("ssl_object") if stream else None
    return Answer(
        response.status_code,
        {name.lower(): value for name, value in response.headers.items()},
        content.decode("utf-8", "replace"),
        time.monotonic() - start,
        encrypted.version() if encrypted else None,
    )


def _redirect(url: str, response: httpx.Response) -> NoAnswerError:
    try:
        to = httpx.URL(url).join(response.headers.get("location", ""))
        target = (
            "itself, without end" if str(to) == str(httpx.URL(url)) else f"{to.scheme}://{to.netloc.decode()}{to.path}"
        )
    except httpx.InvalidURL:
        target = "something that is no URL"
    message = f"{response.status_code}: redirects to {target}"
    return NoAnswerError("redirect", message, "give the URL that answers itself, or mend the redirect in front of it")


@lru_cache(maxsize=8)
def trust(ca: Path | None) -> ssl.SSLContext:
    """Trusts the public authorities and those in `ca`; nothing that the process's environment says."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca:
        try:
            context.load_verify_locations(ca)
        except (OSError, ssl.SSLError) as error:
            raise ProdgyError(f"--ca: {ca.name} holds no certificates in PEM: {error}") from None
    return context


def explained(error: BaseException, host: str) -> NoAnswerError:
    """What lies under an error of a connection to HOST[:PORT]."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return NoAnswerError(
                "dns", f"{host} does not resolve: {cause.strerror}", f"create the DNS record of {host}, or mend the URL"
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NoAnswerError("tls", f"certificate of {host}: {cause.verify_message}", _certificate(cause, host))
        if isinstance(cause, ssl.SSLError):
            mend = f"see whether {host} speaks TLS 1.2 or later there"
            return NoAnswerError("tls", f"TLS with {host} failed: {cause.reason or cause}", mend)
    for cause in causes:
        if isinstance(cause, ConnectionRefusedError):
            return NoAnswerError(
                "refused",
                f"{host} refused the connection",
                f"start what listens at {host}; see its log for why it ended",
            )
    what = str(causes[-1]) or type(causes[-1]).__name__
    return NoAnswerError("broken", f"no answer from {host}: {what}", f"see the log of {host}")


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code == 10:  # X509_V_ERR_CERT_HAS_EXPIRED
        return f"renew the certificate of {host}"
    if error.verify_code in (62, 64):  # the name, the address
        return f"install a certificate that has the name {host}"
    return f"send the whole chain from {host}; for a private authority give its certificate with --ca"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it."""
    pending, seen = [error], set[int]()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            pending += cause.exceptions
        pending += [next_one for next_one in (cause.__cause__, cause.__context__) if next_one]
