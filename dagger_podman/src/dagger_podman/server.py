"""The session's GraphQL endpoint: HTTP on 127.0.0.1, open only to who knows a token."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator

import h11

from .introspection import introspection
from .session import Session

LARGEST_BODY = 256 << 20


class Server:
    """Tokens say who asks: the caller's program, or the module's process for one function call."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.port = 0
        self.tokens: dict[str, str] = {}
        self._introspection = b""

    def token(self, call: str = "") -> str:
        token = secrets.token_urlsafe(24)
        self.tokens[token] = call
        return token

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            while connection.our_state is not h11.MUST_CLOSE:
                if connection.our_state is h11.DONE:
                    connection.start_next_cycle()
                request = await self._next(connection, reader)
                if not isinstance(request, h11.Request):
                    return
                body = bytearray()
                while isinstance(event := await self._next(connection, reader), h11.Data):
                    body += event.data
                    if len(body) > LARGEST_BODY:
                        return
                status, answer = await self._respond(request, bytes(body))
                headers = [("content-type", "application/json"), ("content-length", str(len(answer)))]
                writer.write(connection.send(h11.Response(status_code=status, headers=headers)) or b"")
                writer.write(connection.send(h11.Data(data=answer)) or b"")
                writer.write(connection.send(h11.EndOfMessage()) or b"")
                await writer.drain()
        except (h11.RemoteProtocolError, ConnectionError, asyncio.IncompleteReadError):
            pass  # who speaks no HTTP, or has gone, gets no answer
        except asyncio.CancelledError:
            pass  # the session ends, or what was asked for; Python 3.11 prints a traceback of a handler that says so
        finally:
            writer.close()

    async def _next(self, connection: h11.Connection, reader: asyncio.StreamReader) -> object:
        while (event := connection.next_event()) is h11.NEED_DATA:
            connection.receive_data(await reader.read(1 << 16))
        return event

    async def _respond(self, request: h11.Request, body: bytes) -> tuple[int, bytes]:
        call = self._caller(dict(request.headers).get(b"authorization", b""))
        if call is None:
            return 401, b'{"errors": [{"message": "the session token is missing or wrong"}]}'
        if request.method != b"POST" or request.target.partition(b"?")[0] != b"/query":
            return 404, b'{"errors": [{"message": "POST /query is all there is"}]}'
        try:
            text = json.loads(body)["query"]
        except (ValueError, KeyError, TypeError):
            return 400, b'{"errors": [{"message": "expected {\\"query\\": ...}"}]}'
        from .query import answer  # not at the top: what is all kept needs no GraphQL

        if "__schema" in text:
            self._introspection = self._introspection or introspection(self.session.schema)
            return 200, self._introspection
        return 200, json.dumps(await answer(self.session, text, call)).encode()

    def _caller(self, header: bytes) -> str | None:
        kind, _, encoded = header.partition(b" ")
        with contextlib.suppress(ValueError):
            given = base64.b64decode(encoded).partition(b":")[0]
            for token, call in self.tokens.items():
                if kind.lower() == b"basic" and hmac.compare_digest(token.encode(), given):
                    return call
        return None
