"""Each way in which a request gets no usable answer has its own sentence and its own mend."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.encrypted import encrypted
from fakes.registry import free_port
from fakes.silent import silent

from prodgy_ci.checks.http import LARGEST, Answer, NoAnswerError, ask

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The address of a server that gives one client these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    thread.join(5)


async def refused(url: str, ca: Path | None = None, within: float = 5) -> NoAnswerError:
    with pytest.raises(NoAnswerError) as raised:
        await ask("GET", url, ca=ca, within=within)
    assert raised.value.mend
    return raised.value


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_who_cannot_be_reached_is_told_apart_from_who_does_not_answer() -> None:
    port = free_port()
    error = await refused(f"http://user:canary@127.0.0.1:{port}/health")
    assert error.kind == "refused" and str(error) == f"127.0.0.1:{port} refused the connection"
    assert (await refused("http://no.such.name.invalid/health")).kind == "dns"
    with silent() as port:
        error = await refused(f"http://127.0.0.1:{port}", within=0.3)
    assert error.kind == "timeout" and "hangs" in error.mend
    with answering(b"") as place:
        assert (await refused(f"http://{place}")).kind == "broken"


async def test_a_certificate_that_is_not_valid_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    with encrypted(tmp_path, days=-1) as (url, ca):
        error = await refused(url, ca)
    assert error.kind == "tls" and "expired" in str(error) and error.mend.startswith("renew")
    other = tmp_path / "other"
    other.mkdir()
    with encrypted(other, days=90, name="other.example") as (url, ca):
        error = await refused(url, ca)
    assert error.kind == "tls" and "has the name" in error.mend
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as place:
        assert (await refused(f"https://{place}")).kind == "tls"


async def test_a_redirect_is_told_and_never_followed() -> None:
    with answering(redirect("/health")) as place:
        assert str(await refused(f"http://{place}/health")) == "302: redirects to itself, without end"
    with answering(redirect("https://login.example/in?token=canary")) as place:
        assert str(await refused(f"http://{place}/health")) == "302: redirects to https://login.example/in"


async def test_no_more_is_read_than_a_small_answer_has() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    with answering(head + b" " * 3 * LARGEST) as place:
        error = await refused(f"http://{place}/health?token=canary")
    assert error.kind == "too large" and "more than 64 KB" in str(error) and "canary" not in error.mend
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") as place:
        assert (await ask("GET", f"http://{place}")).json == {}


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        ('{"a": {"b": 1}}', "a.b", 1),
        ('{"a": 1}', "a.b", None),
        ("[1]", "a", None),
        ("<html>", "a", None),
        ("[" * 100_000, "a", None),
    ],
)
def test_a_field_of_whatever_came(text: str, path: str, found: object) -> None:
    assert Answer(200, {}, text, 0.1, None).field(path) == found
