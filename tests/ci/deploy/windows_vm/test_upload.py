"""What arrives is what was sent: numbered, hashed, and sent again where an answer was lost."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from prodgy_ci.deploy.windows_vm import upload as sending
from prodgy_ci.deploy.windows_vm.client import Broken, Shell
from prodgy_ci.deploy.windows_vm.settings import Settings
from prodgy_ci.errors import ProdgyError

RAW = 1000
PATH = r"C:\prodgy\x.zip"
ENVELOPE = 500 * 1024
FRAME = 1800
"""What WinRM puts around a line."""


@dataclass
class Machine(Shell):
    """A shell whose receiver does what receive.ps1 says."""

    files: dict[str, bytes] = field(default_factory=dict)
    sends: list[bytes] = field(default_factory=list)
    spoil: Callable[[bytes], bytes] = lambda data: data
    twice: bool = False
    broken_at: int | None = None
    settings: Settings = Settings(
        "vm", "deployer", SecretStr("x"), "prodgy-x", "C:\\x", "C:\\y", "C:\\nssm.exe", "http://x"
    )

    def start(self, program: str, arguments: list[str]) -> str:
        self.input: list[bytes] = []
        self.ended = False
        return "1"

    def send(self, command: str, data: bytes, end: bool = False) -> None:
        assert not self.ended
        self.sends.append(data)
        if self.broken_at == len(self.sends):
            raise Broken("the connection was broken")
        self.input += [self.spoil(data)] * (2 if self.twice else 1)
        self.ended = end

    def receive(
        self, command: str, seen: Callable[[str], None], deadline: float, survives: bool = False
    ) -> tuple[int, str]:
        if not self.ended:
            raise Broken("its answer was lost")
        first, *lines = b"".join(self.input).split(b"\r\n")
        want = json.loads(first)
        old = self.files.get(want["path"])
        if old is not None and hashlib.sha256(old).hexdigest() == want["sha256"]:
            seen(json.dumps({"result": "present", "sha256": want["sha256"]}) + "\n")
            return 0, ""
        content = b""
        expected = 0
        for line in lines:
            if not line or line.startswith(b"{"):
                continue
            number, part = line.split(b":")
            if int(number) > expected:
                return 1, f"line {expected} is missing"
            if int(number) == expected:
                content += base64.b64decode(part)
                expected += 1
        found = hashlib.sha256(content).hexdigest()
        if found == want["sha256"]:
            self.files[want["path"]] = content
        seen(json.dumps({"result": "received" if found == want["sha256"] else "mismatch", "sha256": found}) + "\n")
        return 0, ""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "x.zip"
    path.write_bytes(bytes(range(256)) * 20)
    return path


@pytest.mark.parametrize("size", [0, 1, RAW - 1, RAW, RAW + 1, 5 * RAW])
def test_what_arrives_is_what_was_sent(size: int) -> None:
    machine = Machine()
    assert sending.upload(machine, b"x" * size, PATH, RAW)
    assert machine.files == {PATH: b"x" * size}


def test_a_small_file_is_one_request() -> None:
    machine = Machine()
    sending.upload(machine, b"x" * RAW, PATH, RAW)
    assert len(machine.sends) == 1


def test_what_is_there_already_is_not_sent(archive: Path) -> None:
    machine = Machine(files={PATH: archive.read_bytes()})
    assert not sending.upload(machine, archive, PATH, RAW)
    assert sum(map(len, machine.sends)) < 200


def test_another_file_of_that_name_is_replaced(archive: Path) -> None:
    machine = Machine(files={PATH: b"old"})
    assert sending.upload(machine, archive, PATH, RAW)
    assert machine.files[PATH] == archive.read_bytes()


def test_a_line_that_arrives_twice_counts_once(archive: Path) -> None:
    machine = Machine(twice=True)
    sending.upload(machine, archive, PATH, RAW)
    assert machine.files[PATH] == archive.read_bytes()


def test_what_was_spoilt_on_the_way_is_refused(archive: Path) -> None:
    machine = Machine(spoil=lambda data: data.replace(b"AAEC", b"AAED"))
    with pytest.raises(ProdgyError, match=r"arrived with SHA-256 \w+, sent with \w+; deploy again"):
        sending.upload(machine, archive, PATH, RAW)
    assert machine.files == {}


def test_a_gap_is_the_machines_error_with_its_words(archive: Path) -> None:
    machine = Machine(spoil=lambda data: b"" if data.startswith(b"2:") else data)
    with pytest.raises(ProdgyError, match="line 2 is missing"):
        sending.upload(machine, archive, PATH, RAW)


def test_a_broken_connection_is_told_as_such(archive: Path) -> None:
    with pytest.raises(Broken, match="the connection was broken"):
        sending.upload(Machine(broken_at=3), archive, PATH, RAW)


def test_the_largest_line_fits_winrms_default_envelope() -> None:
    line = next(sending.lines(b"x" * sending.RAW))
    assert len(base64.b64encode(sending.header(PATH * 10, "0" * 64, 10**9) + line)) + FRAME < ENVELOPE


def test_stopping_is_seen_between_two_lines() -> None:
    stop = threading.Event()
    shell = Shell.__new__(Shell)
    shell._stop = stop
    shell.check()
    stop.set()
    with pytest.raises(ProdgyError, match="stopped"):
        shell.check()
