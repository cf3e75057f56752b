"""An API as the public sees it: HTTPS on loopback, with CORS for the origins that it allows."""

import contextlib
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class PublicApi:
    """A running API; what is changed here holds from the next request on."""

    port: int
    ca: Path
    allowed: tuple[str, ...]
    delay: float

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@contextlib.contextmanager
def public_api(*allowed: str, days: int = 90, delay: float = 0) -> Iterator[PublicApi]:
    """Starts one with a certificate for so many days, that takes `delay` seconds for an answer."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            time.sleep(api.delay)
            origin = self.headers.get("Origin", "")
            self.send_response(204 if self.command == "OPTIONS" else 200)
            if origin in api.allowed:
                self.send_header("Access-Control-Allow-Origin", origin)
                self.send_header("Access-Control-Allow-Credentials", "true")
                self.send_header("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
                self.send_header("Access-Control-Allow-Headers", "Authorization, Content-Type")
            self.send_header("Vary", "Origin")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_POST = do_OPTIONS = answer

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: object, address: object) -> None:
            with contextlib.suppress(OSError):  # who only looks at the certificate, or does not like it
                request.do_handshake()  # type: ignore[attr-defined]
                super().finish_request(request, address)  # type: ignore[arg-type]

    with tempfile.TemporaryDirectory(prefix="api-") as name:
        certificate, key = Path(name, "server.pem"), Path(name, "server.key")
        names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days))
        command = ("openssl", "req", "-x509", *kind, *names, "-keyout", str(key), "-out", str(certificate))
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = Quiet(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        api = PublicApi(server.server_port, certificate, allowed, delay)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            server.server_close()
