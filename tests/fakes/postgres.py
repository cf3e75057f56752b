"""A real PostgreSQL on loopback, with a password and, if wanted, TLS. Debian's package is `postgresql`."""

import contextlib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fakes.registry import certificates, free_port

USER, PASSWORD, DATABASE = "prodgy", "canary/3f:9@c", "prodgy"
ENCODED = "canary%2F3f%3A9%40c"
"""The password as a URL has it."""


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    port: int
    ca: Path | None

    def url(
        self,
        query: str = "",
        *,
        password: str = ENCODED,
        host: str = "127.0.0.1",
        database: str = DATABASE,
        user: str = USER,
    ) -> str:
        return f"postgresql://{user}:{password}@{host}:{self.port}/{database}{query}"


def _programs() -> Path:
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None)
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return Path(found).resolve().parent


@contextlib.contextmanager
def postgres(*, tls: bool = False) -> Iterator[Postgres]:
    """Starts one with a user, a password and a database; as root it runs as `nobody`, for it refuses root."""
    programs, port = _programs(), free_port()
    user = "nobody" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        ca = certificates(folder, "127.0.0.1") if tls else None
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, *folder.iterdir()):
                os.chown(path, pwd.getpwnam(user).pw_uid, -1)
        if tls:
            (folder / "server.key").chmod(0o600)

        def run(*command: str, **variables: str) -> None:
            environment = {**os.environ, **variables}
            done = subprocess.run(command, user=user, cwd=folder, env=environment, capture_output=True, text=True)
            assert not done.returncode, f"{command[0]}: {done.stdout}{done.stderr}"

        data = folder / "data"
        login = (f"--username={USER}", f"--pwfile={folder}/password", "--auth=scram-sha-256")
        run(str(programs / "initdb"), f"--pgdata={data}", *login, "--no-sync", "--locale=C", "--encoding=UTF8")
        secure = (
            f"ssl = on\nssl_cert_file = '{folder}/server.pem'\nssl_key_file = '{folder}/server.key'\n" if tls else ""
        )
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"listen_addresses = '127.0.0.1,127.0.0.2'\nport = {port}\nfsync = off\n{secure}")
            settings.write("unix_socket_directories = ''\n")
        control = (str(programs / "pg_ctl"), f"--pgdata={data}")
        # without a log file of its own the server would keep this process's pipes open
        run(*control, f"--log={folder}/log", "--wait", "start")
        try:
            place = ("--host=127.0.0.1", f"--port={port}", f"--username={USER}", "--dbname=postgres")
            run(str(programs / "psql"), *place, "--quiet", f"--command=create database {DATABASE}", PGPASSWORD=PASSWORD)
            yield Postgres(port, ca)
        finally:
            run(*control, "--mode=immediate", "--wait", "stop")


@contextlib.contextmanager
def refusing(folder: Path) -> Iterator[tuple[int, threading.Event]]:
    """A stand-in: refuses a password over TLS and leaves closing to the client. Its port, and whether that closed."""
    certificates(folder, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    refusal = b"SFATAL\0C28P01\0Mno\0\0"
    closed = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            connection.recv(8)
            connection.sendall(b"S")
            secure = context.wrap_socket(connection, server_side=True)
            secure.recv(1024)
            secure.sendall(b"E" + (4 + len(refusal)).to_bytes(4, "big") + refusal)
            with socket.socket(fileno=secure.detach()) as below:
                while below.recv(1024):
                    pass
            closed.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], closed
    thread.join(5)
