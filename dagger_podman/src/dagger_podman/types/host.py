"""Host, Address and the root's own fields. A module's host is its own container, which has no files of the caller's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import arguments, services
from ..errors import NotAvailableError
from ..exporting import MODULE_CONTAINER
from ..fields import field
from ..gitignore import without_ignored
from ..ports import forward
from ..services import ServiceValue
from ..session import Session
from ..state import Container, SocketValue
from ..tree import Tree, filtered
from ..values import FileValue


@field("Query")
async def version(_: Session) -> str:
    import importlib.metadata

    return "v" + importlib.metadata.version("dagger-io")


@field("Query")
async def default_platform(_: Session) -> str:
    from ..host import own_platform

    return own_platform()


@field("Query")
async def host(_: Session) -> None:
    return None


def _require_callers_program(session: Session) -> None:
    if MODULE_CONTAINER in session.memory:
        raise NotAvailableError("the caller's host from inside a module", "take a Directory, File or Service argument")


async def _given(session: Session, kind: str, text: str, ignore: Sequence[str] = ()) -> Any:
    """What an address stands for, to a program of the caller's."""
    _require_callers_program(session)
    return await session.value(await arguments.resolve(session, kind, text, ignore))


@field("Host", ignores=("noCache",))
async def directory(
    session: Session,
    _: None,
    path: str,
    exclude: Sequence[str] = (),
    include: Sequence[str] = (),
    gitignore: bool = False,
) -> Tree:
    found: Tree = await _given(session, "Directory", path, exclude)
    return filtered(without_ignored(session.store, found) if gitignore else found, include=include)


@field("Host", ignores=("noCache",))
async def file(session: Session, _: None, path: str) -> FileValue:
    found: FileValue = await _given(session, "File", path)
    return found


@field("Host")
async def container_image(session: Session, _: None, name: str) -> Container:
    found: Container = await _given(session, "Container", name)
    return found


@field("Host", ignores=("noCache",))
async def find_up(session: Session, _: None, name: str) -> str | None:
    """Where the nearest one lies, from the working directory upwards; relative to it."""
    _require_callers_program(session)
    here = Path.cwd()
    found = next((folder / name for folder in (here, *here.parents) if (folder / name).exists()), None)
    return os.path.relpath(found) if found else None


@field("Host")
async def unix_socket(session: Session, _: None, path: str) -> SocketValue:
    found: SocketValue = await _given(session, "Socket", path)
    return found


@field("Query", "_hostSocket")
async def host_socket(_: Session, path: str) -> SocketValue:
    """Something that listens on the caller's machine."""
    return SocketValue(path)


@field("Host", note="one port")
async def service(session: Session, _: None, ports: Sequence[dict[str, Any]], host: str = "localhost") -> ServiceValue:
    if len(ports) != 1 or ports[0].get("frontend", ports[0]["backend"]) != ports[0]["backend"]:
        raise NotAvailableError("Host.service with several ports or another number")
    found: ServiceValue = await _given(session, "Service", f"tcp://{host}:{ports[0]['backend']}")
    return found


@field("Host", note="one port")
async def tunnel(
    session: Session, _: None, service: ServiceValue, ports: Sequence[dict[str, Any]] = (), native: bool = False
) -> ServiceValue:
    """A port of the caller's machine, by default any free one, that leads to the service's."""
    _require_callers_program(session)
    exposed = [p.number for p in service.ports]
    wanted = [(int(p.get("frontend") or 0), int(p["backend"])) for p in ports]
    wanted = wanted or [(number if native else 0, number) for number in exposed]
    if len(wanted) != 1:
        raise NotAvailableError(f"Host.tunnel for {len(wanted)} ports", "make one for each port")
    host, port = (await services.endpoint(session, service, wanted[0][1])).rsplit(":", 1)
    return ServiceValue(target=("127.0.0.1", await forward(session, "127.0.0.1", wanted[0][0], host, int(port))))
