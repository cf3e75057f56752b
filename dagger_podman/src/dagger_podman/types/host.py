"""Host, Address and the root's own fields. A module's host is its own container, which has no files of the caller's."""

from __future__ import annotations

from ..errors import NotAvailableError
from ..fields import field
from ..session import Session


@field("Query")
async def version(_: Session) -> str:
    import importlib.metadata

    return "v" + importlib.metadata.version("dagger-io")


@field("Query")
async def default_platform(_: Session) -> str:
    from ..images import session_platform

    return session_platform()


@field("Query")
async def host(_: Session) -> None:
    return None


@field("Host", "directory", "file", "service", "unixSocket", "tunnel", "findUp", "containerImage")
async def of_the_caller(session: Session, _: None, **__: object) -> None:
    raise NotAvailableError("the caller's host from inside a module", "take a Directory, File or Service argument")
