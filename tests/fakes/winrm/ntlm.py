"""NTLM as WinRM has it: a handshake for each connection, bound to the TLS channel, or with encrypted messages."""

import base64
import contextlib
import os
import struct
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import spnego
from spnego import _ntlm
from spnego._ntlm_raw.crypto import lmowfv1
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

MIME = "multipart/encrypted"
_BOUNDARY = b"--Encrypted Boundary"
_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_environment = threading.Lock()
# A password's hash takes milliseconds, on both sides of each of some thousand handshakes.
setattr(_ntlm, "lmowfv1", lru_cache(lmowfv1))  # noqa: B010  (the module does not export it)


@contextlib.contextmanager
def _users(file: Path) -> Iterator[None]:
    """pyspnego learns from the environment alone who is known, whenever it needs it."""
    with _environment:
        before = os.environ.get("NTLM_USER_FILE")
        os.environ["NTLM_USER_FILE"] = str(file)
        try:
            yield
        finally:
            os.environ.pop("NTLM_USER_FILE")
            if before is not None:
                os.environ["NTLM_USER_FILE"] = before


class Session:
    """One connection's."""

    def __init__(self, users: Path, certificate_hash: bytes | None) -> None:
        bindings = None
        if certificate_hash is not None:
            bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + certificate_hash)
        self._users = users
        with _users(users):
            self._context = spnego.server(protocol="ntlm", channel_bindings=bindings)

    @property
    def complete(self) -> bool:
        return self._context.complete

    def step(self, header: str) -> str | None:
        """Takes an Authorization header; returns the challenge, or None where the client is now known or is refused."""
        scheme, _, token = header.partition(" ")
        try:
            with _users(self._users):
                answer = self._context.step(base64.b64decode(token))
        except (SpnegoError, ValueError):
            return None
        return f"{scheme} {base64.b64encode(answer).decode()}" if answer and not self.complete else None

    def unwrap(self, body: bytes) -> bytes:
        """The envelope of an encrypted message."""
        _, _, rest = body.partition(b"application/octet-stream\r\n")
        sealed = rest.removesuffix(_BOUNDARY + b"--\r\n")
        (length,) = struct.unpack("<i", sealed[:4])
        return self._context.unwrap_winrm(sealed[4 : 4 + length], sealed[4 + length :])

    def wrap(self, envelope: bytes) -> tuple[str, bytes]:
        """The content type and body of an encrypted answer."""
        sealed = self._context.wrap_winrm(envelope)
        original = f"type=application/soap+xml;charset=UTF-8;Length={len(envelope)}"
        head = f"\tContent-Type: {_PROTOCOL}\r\n\tOriginalContent: {original}\r\n".encode()
        content = b"\tContent-Type: application/octet-stream\r\n" + struct.pack("<i", len(sealed.header))
        body = _BOUNDARY + b"\r\n" + head + _BOUNDARY + b"\r\n" + content + sealed.header + sealed.data
        return f'{MIME};protocol="{_PROTOCOL}";boundary="Encrypted Boundary"', body + _BOUNDARY + b"--\r\n"
