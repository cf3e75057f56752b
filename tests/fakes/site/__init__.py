"""A static site on loopback: it takes uploads, and serves the old build for a while after one."""

import contextlib
import io
import re
import tarfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import anyio

CLIENT = Path(__file__).parent / "client.sh"
"""Stands for StaticSitesClient: what the CLI starts."""
SECRET = "canary-swa-token"
Files = dict[str, bytes]
Mode = Literal["success", "nothing", "rejected", "broken", "lost", "hang", "late"]
"""success; exit 0 with nothing uploaded; refused by Azure; fails half-way with nothing changed; fails although it was
done; never ends; never ends although it was done."""


@dataclass
class Site:
    """A running one. Its fields are read when requests come."""

    port: int = 0
    environments: dict[str, Files] = field(default_factory=dict)
    modes: list[Mode] = field(default_factory=list)
    """What becomes of the next uploads; `success` after them."""
    stale_requests: int = 0
    """So many requests after the next upload are answered by the former build."""
    stale_seconds: float = 0.0
    """The same in time."""
    fallback: bool = False
    """Whether the start page is answered where a file is not there."""
    down: bool = False
    fault: Literal["error", "hang", "lost answer", "wrong answer", ""] = ""
    """What becomes of each request that reads."""
    uploads: list[str] = field(default_factory=list)
    """The environment of each upload that came."""
    requests: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    _former: Files = field(default_factory=dict)
    _stale_left: int = 0
    _stale_until: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """A deployment token tells the client where to; as real ones do."""
        return self.token_at(self.url)

    def token_at(self, url: str) -> str:
        """The same where the client reaches the site at another address."""
        return f"{SECRET}@{url}"

    @property
    def files(self) -> Files:
        """What production holds."""
        return self.environments.get("production", {})

    def mode(self) -> Mode:
        return self.modes.pop(0) if self.modes else "success"

    def take(self, mode: Mode, environment: str, files: Files) -> tuple[int, str]:
        """An upload: the client's exit code and output. A name that is none ends up in production, as with the real."""
        said = ""
        if environment and not re.fullmatch("[0-9A-Za-z]{1,16}", environment):
            said, environment = f"\x1b[31mThe environment name {environment} is invalid\x1b[0m\n", ""
        environment = environment or "production"
        self.uploads.append(environment)
        if mode == "rejected":
            reason = "Reason: No matching Static Web App was found or the api key was invalid."
            return 1, f"The content server has rejected the request with: BadRequest\n{reason}\nExiting\n"
        if mode == "broken":
            return 1, "Uploading build artifacts.\nunexpected end of stream\n"
        if mode in ("nothing", "hang"):
            return 0, "Verbose logging enabled\n"
        if environment == "production":
            self._former, self._stale_left = self.files, self.stale_requests
            self._stale_until = time.monotonic() + self.stale_seconds
            self.stale_requests, self.stale_seconds = 0, 0.0
        self.environments[environment] = dict(files)
        if mode != "success":
            return 1, "Finished Upload. Polling on deployment.\nconnection reset\n"
        return 0, f"{said}Visit your site at: https://happy-sea.azurestaticapps.net\n"

    def served(self) -> Files:
        """What the next request is answered from."""
        if self._stale_left > 0 or time.monotonic() < self._stale_until:
            self._stale_left -= 1
            return self._former
        return self.files


async def swa(site: Site, folder: Path, environment: str = "") -> tuple[int, str]:
    """What the CLI would end with and say, without it."""
    mode = site.mode()
    code, said = site.take(mode, environment, read(folder))
    if mode in ("hang", "late"):
        await anyio.sleep(60)
    where = re.search("https://.*", said)
    if code == 0:
        return 0, f"- Preparing deployment. Please wait...\n✔ Project deployed to {where[0] if where else ''} 🚀\n"
    return code, f"token {site.token}\n✖ {said}✖ Deployment failed with exit code {code}\nRun ldd: shared libraries\n"


def read(folder: Path) -> Files:
    """A folder's files by their path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        path = urllib.parse.urlsplit(self.path).path.lstrip("/") or "index.html"
        self.site.requests.append(f"GET /{path}")
        files = self.site.served()
        if self.site.fault in ("hang", "lost answer"):
            self.site.stopping.wait(0.3 if self.site.fault == "hang" else 0)
            self.close_connection = True
        elif self.site.fault == "wrong answer":
            self._send(200, b'{"revision": 1}')
        elif self.site.down or self.site.fault == "error":
            self._send(503, b"")
        elif path in files:
            self._send(200, files[path])
        elif self.site.fallback and "index.html" in files:
            self._send(200, files["index.html"])
        else:
            self._send(404, b"<!doctype html><h1>404</h1>")

    def do_POST(self) -> None:
        if self.headers.get("Authorization", "").partition("@")[0] != SECRET:
            return self._send(401, b"")
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        with tarfile.open(fileobj=io.BytesIO(self.rfile.read(int(self.headers["Content-Length"])))) as archive:
            held = ((member.name.removeprefix("./"), archive.extractfile(member)) for member in archive)
            files = {name: file.read() for name, file in held if file}
        mode = self.site.mode()
        code, said = self.site.take(mode, query.get("environment", ""), files)
        if mode in ("hang", "late"):
            self.site.stopping.wait(60)
        return self._send(200, said.encode(), {"X-Exit-Code": str(code)})

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the requests are kept by the site."""

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)


@contextlib.contextmanager
def site(files: Files | None = None) -> Iterator[Site]:
    """Starts one that serves these files; it ends with the block."""
    running = Site(environments={"production": dict(files or {})})
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (_Handler,), {"site": running}))
    server.daemon_threads, server.block_on_close = True, False
    running.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.stopping.set()
        server.shutdown()
        server.server_close()
