"""The HTTP side: `with windows_machine(folder) as machine`."""

import contextlib
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fakes.registry import certificates

from . import soap
from .faults import Fault
from .machine import ROOT, SERVICE, Machine
from .ntlm import MIME, Session
from .shells import Refused, Shells

ENVELOPE = 500 * 1024
"""Bytes that an envelope may have, by default."""
_REFUSALS = {
    "fault-2150858793": (soap.TIMED_OUT, "The WS-Management service cannot complete the operation within the time."),
    "busy-170": (170, "The requested resource is in use."),
    "max-operations": (soap.MAX_OPERATIONS, "The maximum number of concurrent operations for this user is exceeded."),
    "no-shell": (2150858843, "The shell was not found on the server."),
}


class Cut(Exception):
    """The connection ends without an answer."""


class Handler(BaseHTTPRequestHandler):
    """A connection, which has an NTLM session of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    machine: Machine
    shells: Shells
    context: ssl.SSLContext | None
    stopping: threading.Event
    open: set[socket.socket]
    """The connections, which end with the server."""

    def setup(self) -> None:
        if self.context is not None:  # here, as a client that does not speak must not hold the others
            plain = self.request
            self.request = self.context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            try:
                self.request.do_handshake()
            except OSError:
                self.request.close()
                raise
        self.open.add(self.request)
        super().setup()
        self._known = False
        self._session: Session | None = None

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed under its hands at the end
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        self.open.discard(self.request)
        self.request.close()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.machine.delay:
            time.sleep(self.machine.delay)
        try:
            if not self._known or "Authorization" in self.headers:
                self._authenticate()
            if self._known and not body:
                self._send(200, b"")
            elif self._known:
                self._answer(body)
        except (Cut, ConnectionError):
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.close()

    def _authenticate(self) -> None:
        """Answers 401 with the next token, unless the client is known then."""
        header = self.headers.get("Authorization")
        challenge: str | None = "NTLM"
        if header is not None:
            if self._session is None or self._known:
                self._session, self._known = Session(self.machine.files / "users", self._certificate()), False
                self.machine.handshakes += 1
            challenge = self._session.step(header)
            self._known = self._session.complete
        if not self._known:
            self._send(401, b"", **{"WWW-Authenticate": challenge or "NTLM"})
            if header is not None and challenge is None:
                self._session = None

    def _certificate(self) -> bytes | None:
        if self.context is None:
            return None
        pem = (self.machine.files / "server.pem").read_text()
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()

    def _answer(self, body: bytes) -> None:
        encrypted = self.headers.get("Content-Type", "").startswith(MIME)
        assert self._session
        if not encrypted and self.context is None:
            self._send(500, b"")  # AllowUnencrypted is false
            return
        envelope = self._session.unwrap(body) if encrypted else body
        request = soap.parse(envelope)
        self._log(request)
        if len(envelope) > ENVELOPE:
            status, content = 500, soap.fault(request, None, f"The envelope has more than {ENVELOPE} bytes.")
        else:
            status, content = self._faulty(request)
        kind = "application/soap+xml;charset=UTF-8"
        if encrypted and content:
            kind, content = self._session.wrap(content)
        self._send(status, content, **{"Content-Type": kind})

    def _log(self, request: soap.Request) -> None:
        self.machine.requests.append(f"{request.action.title()} {request.line}".strip())

    def _faulty(self, request: soap.Request) -> tuple[int, bytes]:
        """The answer, or what a fault makes of it."""
        fault = self.machine.faults.take(request.action, self._line(request))
        if fault is None:
            return self._act(request, request.data)
        if fault.kind == "wrong-hash":
            return self._act(request, _damaged(request.data))
        if fault.kind in _REFUSALS:
            return 500, soap.fault(request, *_REFUSALS[fault.kind])
        if fault.kind == "error":
            return 500, b""
        if fault.kind == "wrong":
            return 200, b"<html>It works!</html>"
        return self._silent(fault, request)

    def _silent(self, fault: Fault, request: soap.Request) -> tuple[int, bytes]:
        if fault.kind == "lost":
            self._act(request, request.data)
        if fault.kind == "hang":
            self.stopping.wait(fault.seconds)
        raise Cut

    def _line(self, request: soap.Request) -> str:
        if request.line or not request.command:
            return request.line
        with contextlib.suppress(Refused):
            return self.shells.find(request.shell, request.command).process.line
        return ""

    def _act(self, request: soap.Request, data: bytes) -> tuple[int, bytes]:
        try:
            return self._done(request, data)
        except Refused as refused:
            return 500, soap.fault(request, refused.code, refused.reason)

    def _done(self, request: soap.Request, data: bytes) -> tuple[int, bytes]:
        shells = self.shells
        if request.action == "create":
            return 200, soap.created(request, shells.create())
        if request.action == "delete":
            shells.delete(request.shell)
            return 200, soap.done(request)
        if request.action == "command":
            return 200, soap.started(request, shells.command(request.shell, request.line))
        command = shells.find(request.shell, request.command)
        if request.action == "send":
            shells.send(command, data, request.end)
        elif request.action == "signal":
            shells.signal(command)
        else:
            found = command.process.output(min(request.timeout, self.machine.patience))
            if found is None:
                return 500, soap.fault(request, *_REFUSALS["fault-2150858793"])
            return 200, soap.received(request, *found)
        return 200, soap.done(request)

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away, or do not trust the certificate, are part of the tests."""


def _damaged(data: bytes) -> bytes:
    """With another letter near its end."""
    place = max(0, len(data) - 12)
    return data[:place] + (b"B" if data[place : place + 1] == b"A" else b"A") + data[place + 1 :]


@contextlib.contextmanager
def windows_machine(
    folder: Path,
    *,
    tls: bool = True,
    delay: float = 0.0,
    service: str = SERVICE,
    root: str = ROOT,
    port: int = 0,
) -> Iterator[Machine]:
    """Starts one that keeps its certificate and its users in `folder`; nothing is installed there yet."""
    machine = Machine(folder, service, root, delay)
    folder.mkdir(parents=True, exist_ok=True)
    known = "".join(f"{domain}:{machine.user}:{machine.password}\n" for domain in ("", ".", machine.computer))
    (folder / "users").write_text(known)
    context = None
    if tls:
        machine.ca = certificates(folder, machine.host)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
    stopping = threading.Event()
    connections: set[socket.socket] = set()
    bound = {"machine": machine, "shells": Shells(machine), "context": context, "stopping": stopping}
    server = _Server((machine.host, port), type("BoundHandler", (Handler,), {**bound, "open": connections}))
    machine.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield machine
    finally:
        stopping.set()
        machine.kill_all()
        server.shutdown()
        server.server_close()
        for connection in list(connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
