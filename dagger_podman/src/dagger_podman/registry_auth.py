"""Credentials of registries, on their way to Podman."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from .session import runtime_folder
from .state import Container

if TYPE_CHECKING:
    from .session import Session


@contextlib.asynccontextmanager
async def auth_file(session: Session, c: Container, address: str = "") -> AsyncIterator[list[str]]:
    """Options that hand registry credentials to Podman in a file in memory that goes with the step."""
    if not c.registry_auth:
        yield []
        return
    folder = tempfile.mkdtemp(dir=runtime_folder(), prefix=f"{session.id}-")
    try:
        entries = {}
        for registry, username, secret in c.registry_auth:
            password = (await (await session.value(secret)).read()).rstrip(b"\r\n")
            encoded = base64.b64encode(username.encode() + b":" + password)
            session.scrubber.add(encoded)
            for name in {registry.partition("/")[0], address.partition("/")[0]} - {""}:
                entries[name] = {"auth": encoded.decode()}
        path = Path(folder) / "auth.json"
        path.write_text(json.dumps({"auths": entries}))
        path.chmod(0o600)
        yield ["--authfile", str(path)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
