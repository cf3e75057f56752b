"""A real registry (docker-registry) on loopback, with users and TLS if wanted, and a proxy before it that can misbehave."""

import contextlib
import datetime
import http.client
import ipaddress
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "publisher", "canary-7b1f"
TOKEN_USER = "00000000-0000-0000-0000-000000000000"
"""Whom Azure's registry takes for the owner of a token; here a second user with the same password."""
WATCHED_USER, WATCHED_PASSWORD = "watched", "canary-93e0"
"""For tests that look for the password where it must not be: no other test, at the same time, shows this one."""
HASHED = {
    **dict.fromkeys((USER, TOKEN_USER), "$2b$04$LIt3qx3LaKuTwldvW0WzOOzASnIcy/lV2m1hUED4OvML0xAscZtFm"),
    WATCHED_USER: "$2b$04$zsgnlQcruQ0mEsyGesWJ6es0ky2o5AnrsuZydL2I3WGy9pze5y5le",
}


LARGE = 1 << 20
"""Bytes: only a request with so many is cut off."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Registry:
    """A running registry: its address, and where its files are."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    ca: Path | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def requests(self) -> list[str]:
        """The requests so far: METHOD PATH."""
        lines = (self.folder / "log").read_text().splitlines()
        return [line.split('"')[1].rpartition(" HTTP/")[0] for line in lines if '" ' in line and " HTTP/" in line]

    def writes(self) -> list[str]:
        return [request for request in self.requests() if not request.startswith(("GET", "HEAD"))]


@contextlib.contextmanager
def registry(folder: Path, *, login: bool = False, tls: bool = False, port: int | None = None) -> Iterator[Registry]:
    """Starts one that keeps what it holds in `folder`."""
    program = shutil.which("docker-registry")
    assert program, "docker-registry is not installed; `dagger-podman doctor --install` installs it"
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    auth = ""
    if login:
        (folder / "htpasswd").write_text("".join(f"{user}:{hashed}\n" for user, hashed in HASHED.items()))
        auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
    secure, ca = "", None
    if tls:
        ca = certificates(folder, "127.0.0.1")
        secure = f", tls: {{certificate: {folder}/server.pem, key: {folder}/server.key}}"
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{accesslog: {{disabled: false}}}}\n{auth}"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'{secure}}}\n"
    )
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
        try:
            _answers(port, process)
            yield Registry(port, folder, process, ca)
        finally:
            process.kill()
            process.wait()


def _answers(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, "the registry ended"
        time.sleep(0.05)
    raise AssertionError("the registry does not answer")


def certificates(folder: Path, host: str) -> Path:
    """Writes server.pem and server.key for a host, and gives the certificate authority's file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        return made.not_valid_after(now + datetime.timedelta(days=2))

    ca = builder(ca_name, ca_key.public_key()).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address(host)), x509.DNSName("localhost"), x509.DNSName("registry")]
    )
    server = builder(x509.Name([]), key.public_key()).add_extension(names, False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (folder / "server.pem").write_bytes(server.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    (folder / "server.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "ca.pem"


@dataclass
class Proxy:
    """What the proxy saw and when, and how it shall misbehave: the next `failures` requests that `on` matches get that."""

    port: int = 0
    seen: list[tuple[str, float]] = field(default_factory=list)
    failures: int = 0
    kind: str = "500"
    """A status, or `cut` for a connection that breaks within a large body, or `die` for a registry killed there too."""
    on: str = "(PATCH|PUT) .*/blobs/uploads/"
    retry_after: int = 1

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[str]:
        return [request for request, _ in self.seen if not request.startswith(("GET", "HEAD"))]


@contextlib.contextmanager
def proxy(before: Registry) -> Iterator[Proxy]:
    """A proxy that misbehaves as often as `failures` says, then passes all on."""
    state = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            request = f"{self.command} {self.path}"
            state.seen.append((request, time.monotonic()))
            wanted = bool(state.failures) and re.match(state.on, request) is not None
            breaks = wanted and state.kind in ("cut", "die")
            body = b"".join(self._body(LARGE if breaks else None))
            if wanted and (not breaks or len(body) >= LARGE):
                state.failures -= 1
                self._misbehave(body)
                return
            try:
                self._pass_on(body)
            except OSError:  # the registry is gone
                self._fail(502)

        def _misbehave(self, body: bytes) -> None:
            if state.kind == "die":
                with self._sent(body, len(body) // 2):
                    before.process.kill()
            if state.kind in ("cut", "die"):
                # Reset while the other side still sends: a Dagger engine's tunnel to this machine tells of no other end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            else:
                self._fail(int(state.kind))

        def _fail(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Retry-After", str(state.retry_after))
            self.send_header("Content-Length", "0")
            self.end_headers()

        @contextlib.contextmanager
        def _sent(self, body: bytes, length: int) -> Iterator[http.client.HTTPConnection]:
            """The request, with so much of its body, on its way to the registry."""
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", before.port, timeout=60)) as onward:
                onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():  # Accept comes more than once
                    if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                        onward.putheader(name, value)
                onward.putheader("Content-Length", str(len(body)))
                onward.endheaders(body[:length])
                yield onward

        def _pass_on(self, body: bytes) -> None:
            with self._sent(body, len(body)) as onward:
                answer = onward.getresponse()
                content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self, most: int | None) -> Iterator[bytes]:
            """The request's body, of which no more than needed is read where there is a limit."""
            if self.headers.get("Transfer-Encoding") != "chunked":
                length = int(self.headers.get("Content-Length") or 0)
                yield self.rfile.read(length if most is None else min(length, most))
                return
            read = 0
            while (most is None or read < most) and (size := int(self.rfile.readline().strip() or b"0", 16)):
                yield self.rfile.read(size)
                self.rfile.readline()
                read += size
            if most is None or read < most:
                self.rfile.readline()

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
