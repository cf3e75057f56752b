"""A real Redis on loopback, with a password and TLS if wanted. Debian's package is `redis-server`."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fakes.registry import certificates, free_port

PASSWORD = "canary-51d8"


@dataclass(frozen=True)
class Redis:
    """A running server."""

    port: int
    ca: Path | None

    def url(self, login: str = f":{PASSWORD}@", *, host: str = "127.0.0.1") -> str:
        return f"redis{'s' if self.ca else ''}://{login}{host}:{self.port}"


@contextlib.contextmanager
def redis(*, password: str | None = PASSWORD, tls: bool = False) -> Iterator[Redis]:
    """Starts one that keeps nothing."""
    program, port = shutil.which("redis-server"), free_port()
    assert program, "Redis is not installed: apt-get install redis-server"
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        folder = Path(name)
        ca = certificates(folder, "127.0.0.1") if tls else None
        lines = ["bind 127.0.0.1 127.0.0.2", "save ''", f"dir {folder}", "appendonly no"]
        lines += ["port 0", f"tls-port {port}", "tls-auth-clients no"] if tls else [f"port {port}"]
        if tls:
            lines += [
                f"tls-cert-file {folder}/server.pem",
                f"tls-key-file {folder}/server.key",
                f"tls-ca-cert-file {ca}",
            ]
        if password:
            lines.append(f"requirepass {password}")
            lines.append(f"user reader on >{password} -@all +hello +auth +client")
        (folder / "redis.conf").write_text("\n".join(lines) + "\n")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, str(folder / "redis.conf")], stdout=log, stderr=log)
        try:
            _answers(port, process, folder / "log")
            yield Redis(port, ca)
        finally:
            process.kill()
            process.wait()


def _answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError("Redis does not answer")
