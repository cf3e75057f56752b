"""A model of receive.ps1: the numbered lines of one file."""

import base64
import binascii
import hashlib
import json
from typing import Any, Protocol

from .disk import Disk


class Failed(Exception):
    """The process ends with exit code 1 and these words on standard error."""


class Filter(Protocol):
    """A PowerShell process that takes lines."""

    def __init__(self, disk: Disk) -> None: ...

    def line(self, line: bytes) -> None: ...

    def end(self) -> str: ...


class Receiver:
    """One process of it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._want: dict[str, Any] | None = None
        self._present = False
        self._parts: list[bytes] = []
        self._sha256 = hashlib.sha256()

    def line(self, line: bytes) -> None:
        """Takes one line, without its end."""
        if self._present or not line:
            return
        if self._want is None:
            self._begin(json.loads(line))
            return
        number, colon, text = line.partition(b":")
        if not colon or not number.isdigit():
            if line[:1] == b"{":
                return  # the header of a request that was sent twice
            raise Failed(f'Cannot convert value "{line[:20]!r}" to type "System.Int64".')
        if int(number) < len(self._parts):
            return
        if int(number) > len(self._parts):
            raise Failed(f"line {len(self._parts)} is missing")
        try:
            part = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise Failed(f"The input is not a valid Base-64 string: {error}") from None
        self._parts.append(part)
        self._sha256.update(part)

    def _begin(self, want: dict[str, Any]) -> None:
        self._want = want
        path = want["path"]
        self._present = path in self._disk and hashlib.sha256(self._disk[path]).hexdigest() == want["sha256"]
        if not self._present:
            self._disk[f"{path}.part"] = b""

    def end(self) -> str:
        """Standard input has ended; returns what is written."""
        if self._want is None:
            raise Failed("nothing came")
        path = self._want["path"]
        if self._present:
            return _answer("present", self._want["sha256"])
        found = self._sha256.hexdigest()
        if found != self._want["sha256"]:
            self._disk.delete(f"{path}.part")
            return _answer("mismatch", found)
        self._disk[f"{path}.part"] = b"".join(self._parts)
        self._disk.delete(path)
        self._disk.rename(f"{path}.part", path)
        return _answer("received", found)


def _answer(result: str, sha256: str) -> str:
    return json.dumps({"result": result, "sha256": sha256}, separators=(",", ":")) + "\r\n"
