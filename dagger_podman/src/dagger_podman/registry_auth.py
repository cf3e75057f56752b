"""Credentials of registries, on their way to Podman."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import AsyncIterator

from . import services
from .services import ServiceValue
from .session import Session
from .state import Container


async def through(session: Session, address: str, service: ServiceValue | None) -> tuple[str, list[str]]:
    """The address of an image at the place where the service that is its registry answers, and options for it."""
    if service is None:
        return address, []
    host = await services.endpoint(session, service)
    return address.replace(address.partition("/")[0], host, 1), ["--tls-verify=false"]


@contextlib.asynccontextmanager
async def auth_file(session: Session, c: Container, address: str, reached_as: str) -> AsyncIterator[list[str]]:
    """Options that hand registry credentials to Podman in a file in memory that goes with the step.

    Those of the registry of `address` are also for the one of `reached_as`.
    """
    if not c.registry_auth:
        yield []
        return
    with session.secret_folder() as folder:
        entries = {}
        for registry, username, secret in c.registry_auth:
            password = (await (await session.value(secret)).read()).rstrip(b"\r\n")
            encoded = base64.b64encode(username.encode() + b":" + password)
            session.scrubber.add(encoded)
            host = _host(registry)
            for name in (host, _host(reached_as)) if host == _host(address) else (host,):
                entries[name] = {"auth": encoded.decode()}
        path = folder / "auth.json"
        path.write_text(json.dumps({"auths": entries}))
        path.chmod(0o600)
        yield ["--authfile", str(path)]


def _host(address: str) -> str:
    """The registry of an image, or of an address as people write it."""
    first = re.sub(r"^https?://", "", address).partition("/")[0].replace("index.docker.io", "docker.io")
    return first if "." in first or ":" in first or first == "localhost" else "docker.io"
