"""What a user types for an object: a folder, a file, a secret's address, a service's, an image."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import NotAvailableError, UsageError
from .files import ingest
from .nodes import Node
from .session import Session
from .tree import filtered
from .types.secret import provider_value
from .values import file_node, stored_tree


async def resolve(session: Session, kind: str, text: str, ignore: Sequence[str] = ()) -> Node:
    """The node for an argument of type `kind` that was given as `text`."""
    match kind:
        case "Directory":
            return await directory(session, Path(text.removeprefix("file://")), ignore)
        case "File":
            return await file(session, Path(text.removeprefix("file://")))
        case "Secret":
            return await secret(session, text)
        case "Service":
            return service(session, text)
        case "Socket":
            return socket(session, Path(text.removeprefix("unix://")))
        case "Container":
            container = session.remember(Node("Container", "container"))
            return session.remember(Node("Container", "from", (("address", text),), container))
        case "CacheVolume":
            return session.remember(Node("CacheVolume", "cacheVolume", (("key", text),)))
    raise NotAvailableError(f"an argument of type {kind}")


async def directory(session: Session, path: Path, ignore: Sequence[str] = ()) -> Node:
    if "://" in str(path) or str(path).startswith("git@"):
        raise NotAvailableError("a directory from a git address", "clone it and name the folder")
    path = Path(os.path.expanduser(path))
    if not path.exists():
        raise UsageError(f"lstat {path}: no such file or directory")
    if not path.is_dir():
        raise UsageError(f"{path} is a file, not a directory")
    tree = await asyncio.to_thread(ingest, session.store, path.resolve(), (), ignore)
    return stored_tree(session, filtered(tree, exclude=ignore))


async def file(session: Session, path: Path) -> Node:
    path = Path(os.path.expanduser(path))
    if not path.exists():
        raise UsageError(f"stat {path.name}: no such file or directory")
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a file")
    with path.open("rb") as content:
        digest, size = await asyncio.to_thread(session.store.add_blob, content)
    return file_node(session, digest, size, path.name, path.stat().st_mode & 0o777)


async def secret(session: Session, text: str) -> Node:
    """`env://NAME`, `env:NAME`, `NAME`, `file://PATH`, `cmd://COMMAND`. The value is read now: a missing one is said at once."""
    scheme, separator, rest = text.partition(":")
    uri = text if "://" in text else f"{scheme}://{rest}" if separator else f"env://{text}"
    key = session.secret_key(await provider_value(uri))
    return session.remember(Node("Secret", "secret", (("cacheKey", key), ("uri", uri))))


def service(session: Session, text: str) -> Node:
    scheme, _, rest = text.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not host or not port.isdigit():
        raise UsageError(f"invalid service address {text!r}: expected tcp://HOST:PORT")
    return session.remember(Node("Service", "_hostService", (("host", host), ("port", int(port)))))


def socket(session: Session, path: Path) -> Node:
    path = Path(os.path.expanduser(path)).absolute()
    if not path.is_socket():
        raise UsageError(f"{path} is no Unix socket")
    return session.remember(Node("Socket", "_hostSocket", (("path", str(path)),)))


def default_directory(context: Path, folder: Path, default_path: str) -> Path:
    """Where a default path lies: `/x` in the repository, `x` beside dagger.json. Never outside the repository."""
    path = context / default_path.lstrip("/") if default_path.startswith("/") else folder / default_path
    if not path.resolve().is_relative_to(context.resolve()):
        raise UsageError(f"default path {default_path!r} leaves the repository {context}")
    return path


def encoded(value: Any) -> Any:
    """An argument as a function gets it: nodes as ids."""
    if isinstance(value, Node):
        return value.id
    return [encoded(v) for v in value] if isinstance(value, list | tuple) else value
