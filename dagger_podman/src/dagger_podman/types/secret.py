"""Secret: its value stays in the session; keys and ids hold a keyed hash of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from urllib.parse import parse_qs

from ..errors import DaggerPodmanError, NotAvailableError
from ..fields import computed, field
from ..session import SecretValue, Session


@field("Query")
async def set_secret(session: Session, name: str, plaintext: str) -> SecretValue:
    """`plaintext` is here the keyed hash that a query's plaintext was replaced by: see `query.py`."""
    value = session.secrets.get(plaintext)
    if value is None:
        raise DaggerPodmanError(f"secret {name!r} belongs to another session")

    async def read() -> bytes:
        return value

    return SecretValue(name, plaintext, read)


@field("Query")
async def secret(session: Session, uri: str, cache_key: str = "") -> SecretValue:
    """A secret of the caller: `env://NAME`, `file://PATH` or `cmd://COMMAND`."""
    value = await provider_value(uri)
    session.scrubber.add(value)

    async def read() -> bytes:
        return value

    return SecretValue(uri, cache_key or session.secret_key(value), read)


async def provider_value(uri: str) -> bytes:
    scheme, separator, rest = uri.partition("://")
    if not separator:
        raise DaggerPodmanError(f"invalid secret {uri!r}: expected env://NAME, file://PATH or cmd://COMMAND")
    path, _, query = rest.partition("?")
    if query and set(parse_qs(query)) <= {"cacheKey"}:
        rest = path
    if scheme == "env":
        if rest not in os.environ:
            raise DaggerPodmanError(f'secret env var not found: "{rest[:3]}..."')
        return os.environ[rest].encode(errors="surrogateescape")
    if scheme == "file":
        try:
            return Path(os.path.expanduser(rest)).read_bytes()
        except OSError as error:
            raise DaggerPodmanError(f"failed to read secret file {rest!r}: {error.strerror}") from None
    if scheme == "cmd":
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", rest, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        stdout, stderr = await process.communicate()
        if process.returncode:
            said = stderr.decode(errors="replace").strip()[-300:]
            raise DaggerPodmanError(f"failed to run secret command (exit code {process.returncode}): {said}")
        return stdout
    raise NotAvailableError(f"the secret provider {scheme!r}", "here: env, file and cmd")


@field("Secret")
async def plaintext(_: Session, s: SecretValue) -> str:
    return (await s.read()).decode(errors="surrogateescape")


computed("Secret", name=lambda s: s.name, uri=lambda s: s.name)
