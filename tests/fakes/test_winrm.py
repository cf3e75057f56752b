"""The machine as pywinrm sees it, without this program's own client."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import requests
from fakes.winrm import Machine, script, windows_machine
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WSManFaultError
from winrm.protocol import Protocol

from prodgy_ci.deploy.windows_vm import parameters
from prodgy_ci.deploy.windows_vm.upload import encoded_receiver


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with windows_machine(tmp_path / "machine") as running:
        running.install()
        yield running
    assert running.errors == []


def connected(machine: Machine, password: str | None = None, ca: Path | None = None) -> Protocol:
    return Protocol(
        f"{'https' if machine.ca else 'http'}://{machine.address}/wsman",
        transport="ntlm",
        username=machine.user,
        password=password or machine.password,
        ca_trust_path=str(ca or machine.ca) if machine.ca else None,  # type: ignore[arg-type]
        proxy=None,
        operation_timeout_sec=1,
    )


def run(protocol: Protocol, *line: str) -> tuple[str, str, int]:
    shell = protocol.open_shell(codepage=65001)
    out, error, code = protocol.get_command_output(shell, protocol.run_command(shell, line[0], line[1:]))
    protocol.close_shell(shell)
    return out.decode(), error.decode(), code


def test_echo_over_tls(machine: Machine) -> None:
    assert run(connected(machine), "echo", "hello") == ("hello\r\n", "", 0)
    assert machine.requests[:2] == ["Create", "Command echo hello"]
    assert machine.handshakes == 1


def test_echo_over_http_with_encrypted_messages(tmp_path: Path) -> None:
    with windows_machine(tmp_path, tls=False) as machine:
        assert run(connected(machine), "echo", "hello") == ("hello\r\n", "", 0)
        plain = requests.post(f"http://{machine.address}/wsman", b"<x/>", timeout=5)
    assert plain.status_code == 401


def test_wrong_password(machine: Machine) -> None:
    with pytest.raises(InvalidCredentialsError):
        connected(machine, password="wrong").open_shell()


def test_an_unknown_issuer_of_the_certificate(machine: Machine, tmp_path: Path) -> None:
    with windows_machine(tmp_path / "other") as other:
        with pytest.raises(requests.exceptions.SSLError):
            connected(machine, ca=other.ca).open_shell()


def receiver(protocol: Protocol) -> tuple[str, str]:
    shell = protocol.open_shell()
    return shell, protocol.run_command(shell, "powershell.exe", ["-EncodedCommand", encoded_receiver()])


def test_an_upload_in_which_a_line_comes_twice(machine: Machine) -> None:
    content = bytes(range(256)) * 4096
    parts = [content[start : start + 250_000] for start in range(0, len(content), 250_000)]
    sha256 = hashlib.sha256(content).hexdigest()
    wanted = {"path": "C:\\new\\file.zip", "sha256": sha256, "bytes": len(content)}
    lines = [b"%d:%s\r\n" % (n, base64.b64encode(part)) for n, part in enumerate(parts)]
    protocol = connected(machine)
    shell, command = receiver(protocol)
    protocol.send_command_input(shell, command, json.dumps(wanted).encode() + b"\r\n")
    for line in [*lines[:2], lines[1], *lines[2:]]:
        protocol.send_command_input(shell, command, line)
    protocol.send_command_input(shell, command, b"", end=True)
    out, _, code = protocol.get_command_output(shell, command)
    assert (json.loads(out), code) == ({"result": "received", "sha256": sha256}, 0)
    assert machine.disk["c:\\NEW\\file.zip"] == content
    assert "C:\\new\\file.zip.part" not in machine.disk
    protocol.close_shell(shell)


def test_an_upload_with_a_gap_fails(machine: Machine) -> None:
    protocol = connected(machine)
    shell, command = receiver(protocol)
    header = json.dumps({"path": "C:\\x", "sha256": "0", "bytes": 1}).encode()
    protocol.send_command_input(shell, command, header + b"\r\n1:QQ==\r\n")
    _, error, code = protocol.get_command_output(shell, command)
    assert (error, code) == (b"line 0 is missing", 1)
    with pytest.raises(WSManFaultError):
        protocol.send_command_input(shell, command, b"2:QQ==\r\n")
    protocol.close_shell(shell)


def test_faults_that_are_asked_for(machine: Machine) -> None:
    protocol = connected(machine)
    machine.fault("create", "busy-170")
    with pytest.raises(WSManFaultError) as busy:
        protocol.open_shell()
    assert busy.value.wsman_fault_code == 170
    machine.fault("create", "max-operations")
    with pytest.raises(WSManFaultError) as full:
        protocol.open_shell()
    assert full.value.wmierror_code == 0x803381A6
    shell, command = receiver(protocol)
    machine.patience = 0.01
    with pytest.raises(WinRMOperationTimeoutError):
        protocol.get_command_output_raw(shell, command)
    machine.fault("receive", "cut")
    with pytest.raises(requests.exceptions.ConnectionError):
        protocol.get_command_output_raw(shell, command)
    protocol.close_shell(shell)


def deploy(machine: Machine, mode: str, **wanted: Any) -> dict[str, Any]:
    """Runs the model with an archive of these files; returns its last line."""
    root = machine.service.folder.rpartition("\\")[0]
    given: dict[str, Any] = {
        "service": machine.service.name,
        "nssm": "C:\\nssm\\nssm.exe",
        "folder": machine.service.folder,
    }
    given |= {"releases": f"{root}\\releases", "preserve": ["appsettings.Production.json"], "expected": None}
    seconds = {"stopSeconds": 60, "startSeconds": 30, "stableSeconds": 10, "healthSeconds": 60}
    machine.disk["C:\\p.json"] = json.dumps({**given, **seconds, "healthUrl": "", "keep": 2, **wanted}).encode()
    machine.disk["C:\\deploy.ps1"] = b""
    line = ["-File", "C:\\deploy.ps1", "-Mode", mode, "-Parameters", '"C:\\p.json"']
    out, _, code = run(connected(machine), "powershell.exe", *line)
    found: dict[str, Any] = json.loads(out.splitlines()[-1]) if out else {}
    return {**found, "code": code}


def release(machine: Machine, name: str, *files: str) -> dict[str, Any]:
    import io
    import zipfile

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for file in ("app.exe", *files):
            archive.writestr(file, "")
        archive.writestr("release.json", json.dumps({"commit": name}))
    machine.disk["C:\\a.zip"] = held.getvalue()
    sha256 = hashlib.sha256(held.getvalue()).hexdigest()
    return {"release": name, "commit": name, "digest": None, "archive": "C:\\a.zip", "sha256": sha256}


def test_a_release_and_the_way_back(machine: Machine) -> None:
    machine.service.stop_seconds = 20  # nssm stop exits with 1
    wanted = release(machine, "one")
    assert deploy(machine, "Stage", **wanted)["result"] == "staged"
    assert deploy(machine, "Switch", **wanted) == {"result": "switched", "release": "one", "code": 0}
    assert machine.service.serves == "one"
    assert f"{machine.service.folder}\\appsettings.Production.json" in machine.disk
    status = deploy(machine, "Status")
    assert (status["commit"], status["healthy"], status["journal"]) == ("one", True, None)
    before = status["former"][0]["release"]
    assert deploy(machine, "Rollback", release=before)["result"] == "switched"
    assert deploy(machine, "Status")["release"] == before


@pytest.mark.parametrize("file", ["BROKEN", "CRASH", "CRASH-LATER"])
def test_a_release_that_does_not_run_is_undone(machine: Machine, file: str) -> None:
    before = deploy(machine, "Status")
    wanted = release(machine, "bad", file)
    deploy(machine, "Stage", **wanted)
    assert deploy(machine, "Switch", **wanted)["code"] == parameters.UNDONE
    now = deploy(machine, "Status")
    assert (now["release"], now["healthy"], now["journal"]) == (before["release"], True, None)


@pytest.mark.parametrize("place", ["stop", "swap", "swap.half", "swap.done", "start", "stable", "health"])
def test_what_was_broken_off_is_put_right_by_the_next_run(machine: Machine, place: str) -> None:
    before = deploy(machine, "Status")
    wanted = release(machine, "one")
    deploy(machine, "Stage", **wanted)
    machine.fault(f"step:{place}", "kill")
    assert deploy(machine, "Switch", **wanted)["code"] == -1
    assert deploy(machine, "Status")["journal"] is not None
    assert deploy(machine, "Rollback", release=before["release"])["code"] == 0
    now = deploy(machine, "Status")
    assert (now["release"], now["healthy"], now["journal"]) == (before["release"], True, None)


def test_the_model_has_the_steps_and_exit_codes_of_the_script() -> None:
    real = (resources.files("prodgy_ci.deploy.windows_vm") / "deploy.ps1").read_text()
    assert script.__file__
    model = Path(script.__file__).read_text()
    steps = re.findall(r"\bSay '(\w+)'", real)
    assert set(steps) == set(re.findall(r'\.say\(\s*"(\w+)"', model)) == set(parameters.STEPS)
    codes = {int(code) for code in re.findall(r"\bStop-With (\d+)", real)}
    assert codes | {parameters.FAILED} == set(parameters.EXIT_CODES)
    assert codes == {int(code) for code in re.findall(r"\bStop\((\d+)", model)}
