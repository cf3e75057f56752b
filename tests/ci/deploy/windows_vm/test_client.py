"""Every way in which the machine cannot be reached has its own words, and none of them the password."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fakes.silent import silent
from pydantic import SecretStr

from prodgy_ci.deploy.windows_vm import client
from prodgy_ci.deploy.windows_vm.settings import Scheme, Settings
from prodgy_ci.errors import ProdgyError

pytestmark = pytest.mark.anyio

CANARY = "canary-password"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def settings(port: int, ca: Path | None = None, scheme: Scheme = "http") -> Settings:
    return Settings(
        host="127.0.0.1",
        port=port,
        scheme=scheme,
        ca=ca,
        user="deployer",
        password=SecretStr(CANARY),
        service="prodgy-assistant",
        folder=r"C:\prodgy\assistant\current",
        releases=r"C:\prodgy\assistant\releases",
        nssm=r"C:\nssm\nssm.exe",
        health="http://127.0.0.1:5000/health",
        connect_timeout=0.3,
        read_timeout=0.3,
        retry_interval=0.01,
    )


@contextmanager
def listening(answer: bytes, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that answers each connection with the bytes and closes it."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            connection.recv(65536)
            connection.sendall(answer)
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "vm.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return path, context


async def refused(its: Settings) -> ProdgyError:
    with pytest.raises(ProdgyError) as caught:
        await client.in_thread(its, lambda shell: None)
    assert CANARY not in str(caught.value)
    return caught.value


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    error = await refused(settings(port))
    assert isinstance(error, client.Unreachable)
    assert f"127.0.0.1:{port}: cannot be reached; is VM_IP right" in str(error)


async def test_a_machine_that_never_answers_is_left_after_the_timeout() -> None:
    with silent() as port:
        error = await refused(settings(port))
    assert isinstance(error, client.Broken)
    assert "no answer within" in str(error)


async def test_a_connection_that_breaks_leaves_it_open_what_was_done() -> None:
    with listening(b"") as port:
        error = await refused(settings(port))
    assert isinstance(error, client.Broken) and not isinstance(error, client.Unreachable)


async def test_a_certificate_that_is_not_trusted_names_the_option(tmp_path: Path) -> None:
    _, context = certificate(tmp_path, "127.0.0.1")
    with listening(b"", context) as port:
        error = await refused(settings(port, scheme="https"))
    assert "give its issuer's certificate with --vm-ca" in str(error)


async def test_a_certificate_of_another_name_says_so(tmp_path: Path) -> None:
    ca, context = certificate(tmp_path, "other.example")
    with listening(b"", context) as port:
        error = await refused(settings(port, ca, "https"))
    assert "the machine's certificate is not one for 127.0.0.1" in str(error)


@pytest.mark.parametrize("status", ["401 Unauthorized", "404 Not Found", "200 OK"])
async def test_what_is_no_winrm_is_told(status: str) -> None:
    body = b"<html/>"
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: text/html\r\n\r\n".encode()
    with listening(head + body) as port:
        error = await refused(settings(port))
    assert str(error).startswith(f"127.0.0.1:{port}: ")
    assert ("VM_PASSWORD" in str(error)) == status.startswith("401")
