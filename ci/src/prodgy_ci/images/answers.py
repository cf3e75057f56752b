"""What a registry said, through skopeo: what it holds, or why that could not be told. Pure."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import ProdgyError
from .labels import REVISION


class Said(NamedTuple):
    """What one run of skopeo gave."""

    code: int
    output: bytes
    errors: str


@dataclass(frozen=True)
class Held:
    """An image that a registry holds."""

    digest: str
    size: int
    labels: dict[str, str]
    created: str | None
    platform: str


class RegistryError(ProdgyError):
    """The registry refused, failed, or said what cannot be."""

    transient = False
    """Whether the same may succeed a little later."""


class TransientRegistryError(RegistryError):
    """The registry or the way to it failed for now."""

    transient = True


_MISSING = re.compile(
    r"manifest unknown|manifest \S+ not found|name unknown|repository name not known|NAME_UNKNOWN", re.I
)
_UNAUTHORIZED = re.compile(r"unauthorized|authentication required|invalid username/password|\b401\b", re.I)
_DENIED = re.compile(r"denied|forbidden|insufficient_scope|\b403\b", re.I)
_UNTRUSTED = re.compile(r"x509|certificate|tls: ", re.I)
_PLAIN = re.compile(r"server gave HTTP response to HTTPS client", re.I)
_BUSY = re.compile(r"toomanyrequests|too many requests|\b429\b", re.I)
_TRANSIENT = re.compile(
    r"\b50[0234]\b|internal server error|bad gateway|service unavailable|gateway time|connection reset|broken pipe|"
    r"connection refused|unexpected EOF|\bEOF\b|timeout|timed out|deadline exceeded|no route|temporary failure|closed",
    re.I,
)


def held(manifest: Said, config: Said, reference: str) -> Held | None:
    """What the registry holds under a reference; None where it has nothing. Raises RegistryError."""
    for said in (manifest, config):
        if said.code:
            if _MISSING.search(said.errors) and "accept header" not in said.errors:  # there, in a form not asked for
                return None
            raise failure(said.errors, reference, "AcrPull")
    described = _json(manifest.output, reference)
    if "config" not in described or "layers" not in described:
        raise RegistryError(
            f"{reference}: holds {described.get('mediaType', 'something')}, not the image of one platform"
        )
    expected = described["config"]["digest"]
    if f"sha256:{hashlib.sha256(config.output).hexdigest()}" != expected:
        raise TransientRegistryError(
            f"{reference}: the registry's configuration is not what its manifest names: {expected}"
        )
    configured = _json(config.output, reference)
    sizes = (described["config"]["size"], *(layer["size"] for layer in described["layers"]))
    return Held(
        digest=f"sha256:{hashlib.sha256(manifest.output).hexdigest()}",
        size=sum(sizes),
        labels=(configured.get("config") or {}).get("Labels") or {},
        created=configured.get("created"),
        platform=f"{configured.get('os')}/{configured.get('architecture')}",
    )


def tags(said: Said, repository: str) -> list[str]:
    """The tags that the registry listed; none where it does not know the repository. Raises RegistryError."""
    if said.code:
        if _MISSING.search(said.errors):
            return []
        raise failure(said.errors, repository, "AcrPull")
    return list(_json(said.output, repository).get("Tags") or [])


def failure(said: str, reference: str, right: str) -> RegistryError:
    """The error for what skopeo or the engine said of a reference; `right` is the role that the work needs."""
    host, reason = reference.partition("/")[0], last_line(said)
    if _PLAIN.search(said):
        return RegistryError(
            f"{reference}: the registry speaks plain HTTP, which would show the password to the network; "
            "give it TLS, or reach one on this machine with --registry-service tcp://127.0.0.1:PORT"
        )
    if _UNAUTHORIZED.search(said) and not _DENIED.search(said):
        return RegistryError(
            f"{reference}: {host} does not accept the user name and password, or the token has expired; "
            f"its owner needs the right {right} on the registry ({reason})"
        )
    if _DENIED.search(said):
        return RegistryError(f"{reference}: the user lacks the right {right} on the registry {host} ({reason})")
    if _BUSY.search(said):
        return TransientRegistryError(f"{reference}: {host} has had too many requests ({reason})")
    if _UNTRUSTED.search(said):
        return RegistryError(
            f"{reference}: the certificate of {host} is not trusted ({reason}); give a private CA with --registry-ca"
        )
    kind = TransientRegistryError if _TRANSIENT.search(said) else RegistryError
    return kind(f"{reference}: {reason}")


def two_contents(repository: str, tag: str, there: Held, wanted: str) -> str:
    """The words for a tag that is not what it must be."""
    return (
        f"{repository}:{tag} is {there.digest} (of {there.labels.get(REVISION, 'no commit')}), not {wanted}: a tag is "
        "never moved; find out who set it, and delete it in the registry if it is wrong"
    )


def last_line(said: str) -> str:
    """The line that says what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [re.sub(r'^time="[^"]*" level=\w+ msg="?|"$', "", line) for line in lines]
    return fatal[-1].replace('\\"', '"')[:500] if fatal else "it said nothing"


def _json(content: bytes, reference: str) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise RegistryError(f"{reference}: what answers there is no registry")
    return read
