"""A way to a server on this machine that takes as long as one through a network."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

DELAY = 0.01
"""Seconds that each byte is on its way, in each direction: a round trip takes twice that."""


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while chunk := await reader.read(1 << 18):
            loop.call_later(DELAY, writer.write, chunk)  # equal delays keep the order
    loop.call_later(DELAY, writer.close)


@contextlib.contextmanager
def distant(port: int) -> Iterator[int]:
    """The port on which the server at `port` is that far away."""
    loop = asyncio.new_event_loop()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

    server = loop.run_until_complete(asyncio.start_server(connect, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        open_ends = asyncio.all_tasks(loop)
        for task in open_ends:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*open_ends, return_exceptions=True))
        loop.close()
