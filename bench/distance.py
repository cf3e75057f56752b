"""A way to a server on this machine that takes as long as one through a network."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

DELAY = 0.01
"""Seconds that each byte is on its way, in each direction: a round trip takes twice that."""


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(1 << 18):
            asyncio.get_running_loop().call_later(DELAY, writer.write, chunk)  # equal delays keep the order


@contextlib.contextmanager
def distant(port: int) -> Iterator[int]:
    """The port on which the server at `port` is that far away."""
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ways = [asyncio.ensure_future(_pass_on(*way)) for way in ((reader, back), (there, writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way, end in zip(ways, (back, writer), strict=True):
            way.cancel()
            asyncio.get_running_loop().call_later(DELAY, end.close)

    async def serve() -> None:
        server, over = await asyncio.start_server(connect, "127.0.0.1", 0), asyncio.Event()
        ready.set_result((asyncio.get_running_loop(), over, server.sockets[0].getsockname()[1]))
        await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    loop, over, found = ready.result()
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
