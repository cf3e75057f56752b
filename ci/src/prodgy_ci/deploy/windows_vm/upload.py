"""Sends a file to the machine: numbered lines over the standard input of one process, hashed at both ends.

A line can be sent twice, so that a lost answer costs one line and not the file. The lines are as large as WinRM's default
envelope of 500 KB takes: the number of round trips is what an upload costs.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from ...errors import ProdgyError
from .client import Broken, Shell

RAW = 262_144
"""Bytes of the file in one line. Base64 twice (the line's, WinRM's) makes 466,000 of 512,000 bytes of them."""
POWERSHELL = "powershell.exe"
SWITCHES = ("-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-OutputFormat", "Text")


def script(name: str) -> bytes:
    """One of the PowerShell files that come with this program."""
    return (resources.files(__package__) / name).read_bytes()


def encoded_receiver() -> str:
    """receive.ps1 as -EncodedCommand takes it, without comments and indentation: a command line is short."""
    lines = (line.strip() for line in script("receive.ps1").decode("ascii").splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith("#"))
    return base64.b64encode(text.encode("utf-16-le")).decode("ascii")


def header(path: str, sha256: str, size: int) -> bytes:
    """The first line."""
    return json.dumps({"path": path, "sha256": sha256, "bytes": size}).encode("ascii") + b"\r\n"


def lines(source: Path | bytes, raw: int = RAW) -> Iterator[bytes]:
    """The numbered lines of the content."""
    for number, part in enumerate(_parts(source, raw)):
        yield b"%d:%s\r\n" % (number, base64.b64encode(part))


def digest(source: Path | bytes) -> tuple[str, int]:
    """The content's SHA-256 and size."""
    hashed, size = hashlib.sha256(), 0
    for part in _parts(source, 1 << 20):
        hashed.update(part)
        size += len(part)
    return hashed.hexdigest(), size


def upload(shell: Shell, source: Path | bytes, path: str, raw: int = RAW) -> bool:
    """Makes the file on the machine be the content; returns whether it had to be sent. Blocks.

    Raises ProdgyError where what arrived is not what was sent; Broken where that is not known.
    """
    sha256, size = digest(source)
    first = header(path, sha256, size)
    if size > raw and _receive(shell, [first])["result"] == "present":
        return False  # asked first: the answer costs less than what would be sent
    answer = _receive(shell, [first, *lines(source, raw)] if size <= raw else _all(first, source, raw))
    if answer["result"] == "mismatch":
        raise ProdgyError(f"{path}: arrived with SHA-256 {answer.get('sha256')}, sent with {sha256}; deploy again")
    return bool(answer["result"] == "received")


def _all(first: bytes, source: Path | bytes, raw: int) -> Iterator[bytes]:
    yield first
    yield from lines(source, raw)


def _receive(shell: Shell, data: Iterable[bytes]) -> dict[str, Any]:
    """Runs the receiver on the lines; returns its answer."""
    command = shell.start(POWERSHELL, [*SWITCHES, "-EncodedCommand", encoded_receiver()])
    out: list[str] = []
    failure: Broken | None = None
    try:
        _send(shell, command, iter(data))
    except Broken as error:  # a receiver that has ended takes nothing: its own words say why
        failure = error
    # What a receiver that has ended said is there at once; one that did not get all never ends.
    deadline = shell.settings.retry_interval if failure else shell.settings.staging_timeout
    try:
        code, errors = shell.receive(command, out.append, deadline)
    except Broken:
        raise failure or Broken("the receiver's answer was lost") from None
    answer = _answer("".join(out))
    if code != 0 or answer is None:
        raise failure or ProdgyError(
            f"the machine could not write the file (exit {code}): {errors[-500:] or 'no reason'}"
        )
    return answer


def _send(shell: Shell, command: str, data: Iterator[bytes]) -> None:
    """Each line in a request of its own, the last one with the end of the input; the first goes with the second."""
    held = next(data)
    second = next(data, b"")
    held += second
    for line in data:
        shell.send(command, held)
        held = line
    shell.send(command, held, end=True)


def _answer(text: str) -> dict[str, Any] | None:
    for line in reversed(text.splitlines()):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and value.get("result") in ("received", "present", "mismatch"):
            return value
    return None


def _parts(source: Path | bytes, size: int) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for start in range(0, len(source), size):
            yield source[start : start + size]
        return
    with source.open("rb") as opened:
        while part := opened.read(size):
            yield part
