"""Ports: who listens on them, and connections passed on from one to another."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from pathlib import Path

from .errors import DaggerPodmanError
from .session import Session
from .state import Port

IP_FREEBIND = 15
"""Linux's number; Python has no name for it before 3.14."""


LISTEN = "0A"


def may_publish(port: Port) -> bool:
    """Whether an ordinary user may listen on a port of that number."""
    with contextlib.suppress(OSError):
        return port.number >= int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    return port.number >= 1024


def listens(pid: str, port: int, protocol: str) -> bool:
    """Whether a process listens on a port of its network, on more than its loopback address."""
    for table in ("tcp", "tcp6") if protocol == "TCP" else ("udp", "udp6"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                address, _, number = local.rpartition(":")
                loopback = address in ("0100007F", "00000000000000000000000001000000")
                if int(number, 16) == port and not loopback and (protocol == "UDP" or state == LISTEN):
                    return True
    return False


async def forward(session: Session, listen: str, port: int, host: str, to: int) -> int:
    """Serve a port (0: any) until the session ends; return its number."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(1 << 16):
                writer.write(chunk)
                await writer.drain()
        with contextlib.suppress(ConnectionError, OSError):
            writer.write_eof()

    open_now: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        open_now.add(task)
        task.add_done_callback(open_now.discard)
        try:
            far_reader, far_writer = await asyncio.open_connection(host, to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
        far_writer.close()
        writer.close()

    try:
        server = await asyncio.start_server(serve, sock=_bound(listen, port))
    except OSError as error:
        raise DaggerPodmanError(
            f"cannot listen on {listen}:{port}: {os.strerror(error.errno or 0)}; stop what uses that port"
        ) from None

    async def close() -> None:
        server.close()
        for task in open_now:
            task.cancel()

    session.on_close.append(close)
    return int(server.sockets[0].getsockname()[1])


def _bound(listen: str, port: int) -> socket.socket:
    """A socket of that address, which need not be there yet: a network's gateway comes with its first container."""
    bound = socket.socket()
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        bound.bind((listen, port))
    except OSError:
        bound.close()
        raise
    return bound
