"""The sample's services as the checks see them, in one process; each part can be broken."""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

EMAIL, PASSWORD = "demo@prodgy.example", "canary-password-0123"
SERVICE_TOKEN = "canary-service-token-0123"
ORIGIN = "https://web.prodgy.example"
REVISION = "4f2c0a1"
KEY = b"canary-key"

NEEDS = {
    "api": ("database", "agentic"),
    "gateway": ("api", "agentic"),
    "agentic": ("engine",),
    "engine": ("redis",),
    "service": ("redis",),
    "web": (),
    "studio": (),
}
SERVICES = tuple(NEEDS)

Reply = tuple[int, Any]


@dataclass
class Stack:
    """A running stack. What is broken is named in `broken`: a service, `redis`, or a word that is asked for below."""

    ports: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    origins: set[str] = field(default_factory=lambda: {ORIGIN})
    tokens: set[str] = field(default_factory=set)
    """The API tokens that were not taken back."""

    @property
    def urls(self) -> dict[str, str]:
        """Where each service is; nothing listens where a broken one was."""
        return {
            name: f"http://127.0.0.1:{_free_port() if name in self.broken else port}"
            for name, port in self.ports.items()
        }

    def ok(self, name: str) -> bool:
        """Whether a service or what it stores in works, and all that it needs."""
        return name not in self.broken and all(self.ok(need) for need in NEEDS.get(name, ()))

    def answer(self, service: str, method: str, path: str, headers: Any, body: dict[str, Any]) -> Reply:
        """What a service says."""
        if path == "/health":
            states = {need: "ok" if self.ok(need) else "down" for need in NEEDS[service]}
            well = self.ok(service)
            revision = "0ld0000" if f"revision of {service}" in self.broken else REVISION
            told = {"status": "ok" if well else "unavailable", "revision": revision, "dependencies": states}
            return 200 if well else 503, told
        part: Callable[[str, str, Any, dict[str, Any]], Reply] | None = getattr(self, f"_{service}", None)
        return part(method, path, headers, body) if part else (404, {"error": "no route"})

    def headers(self, origin: str) -> dict[str, str]:
        """What an answer to a request from that origin carries."""
        allowed = (origin in self.origins and "no origin" not in self.broken) or "any origin" in self.broken
        cors = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST, DELETE",
            "Access-Control-Allow-Headers": "authorization, content-type",
        }
        return {**(cors if allowed else {}), "Vary": "Origin"}

    def _api(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> Reply:
        if "database" in self.broken:
            return 503, {"error": "the database cannot be reached"}
        bearer = headers.get("Authorization", "").removeprefix("Bearer ")
        if (method, path) == ("POST", "/login"):
            return self._login(body)
        if not self._known(bearer):
            return 401, {"error": "sign in"}
        if (method, path) == ("POST", "/tokens"):
            token = f"prodgy_canary{len(self.tokens)}"
            self.tokens.add(token)
            return 201, {"id": len(self.tokens), "token": token}
        if method == "DELETE":
            self.tokens.clear()
            return 204, None
        if (method, path) == ("POST", "/playground/messages"):
            status, run = self._agentic(method, "/runs", {}, body)
            return status, {"answer": "" if "agent" in self.broken else "yes"} if status == 201 else run
        return 200, {"agents": []} if path == "/agents" else {"email": EMAIL}

    def _login(self, body: dict[str, Any]) -> Reply:
        if "login" in self.broken:
            return 500, {"error": f"internal error: {body['password']} and {SERVICE_TOKEN}"}
        if body["password"] != PASSWORD and "any password" not in self.broken:
            return 401, {"error": "wrong e-mail or password"}
        lifetime = -60 if "expired JWT" in self.broken else 3600
        return 200, {"token": jwt({"sub": "1", "exp": int(time.time()) + lifetime})}

    def _known(self, bearer: str) -> bool:
        if bearer.startswith("prodgy_"):
            return "any API token" in self.broken or (bearer in self.tokens and "API token" not in self.broken)
        if bearer.count(".") != 2:
            return "open" in self.broken
        signed, _, signature = bearer.rpartition(".")
        genuine = hmac.compare_digest(signature, _signature(signed)) or "any JWT" in self.broken
        return genuine and "JWT" not in self.broken

    def _gateway(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> Reply:
        if {"database", "api"} & self.broken:
            return 502, {"error": "api cannot be reached"}
        if not self._known(headers.get("Authorization", "").removeprefix("Bearer ")) and "gate" not in self.broken:
            return 401, {"error": "a token is needed"}
        if path.startswith("/api/"):
            return self._api(method, path.removeprefix("/api"), headers, body)
        return self._agentic(method, path.removeprefix("/agentic"), {}, body)

    def _agentic(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> Reply:
        if "agentic token" in self.broken:
            return 401, {"error": "the service token is wrong"}
        if not self.ok("agentic"):
            return 502, {"error": "cannot be reached"}
        return 201, {"answer": "yes"}

    def _service(self, method: str, path: str, headers: Any, body: dict[str, Any]) -> Reply:
        if headers.get("X-Service-Token") != SERVICE_TOKEN and "service token" not in self.broken:
            return 401, {"error": "the service token is wrong"}
        if "redis" in self.broken:
            return 503, {"error": "Redis cannot be reached"}
        if method == "POST":
            return 202, {"id": "7"}
        return 200, {"id": "7", "status": "queued" if "queue" in self.broken else "done"}


@contextlib.contextmanager
def stack() -> Iterator[Stack]:
    """Starts all services, each on a port of its own on loopback."""
    made = Stack()
    with contextlib.ExitStack() as running:
        for name in SERVICES:
            made.ports[name] = running.enter_context(_serving(made, name))
        yield made


@contextlib.contextmanager
def _serving(stack: Stack, service: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(size)) if size else {}
            if f"endless {service}" in stack.broken:
                return self.flood()
            if f"loop {service}" in stack.broken:
                self.send_response(302)
                self.send_header("Location", self.path)
                return self.end_headers()
            if self.command == "OPTIONS":
                return self.reply(204, None)
            return self.reply(*stack.answer(service, self.command, self.path, self.headers, body))

        do_GET = do_POST = do_DELETE = do_OPTIONS = handle_any

        def reply(self, status: int, told: Any) -> None:
            text = b"" if told is None else json.dumps(told).encode()
            self.send_response(status)
            for name, value in stack.headers(self.headers.get("Origin", "")).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def flood(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(10**9))
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(10**9 // 10**6):
                    self.wfile.write(b" " * 10**6)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # who asked went away

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def jwt(claims: dict[str, Any]) -> str:
    """A signed token."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    signed = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{signed}.{_signature(signed)}"


def _signature(signed: str) -> str:
    made = hmac.new(KEY, signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
