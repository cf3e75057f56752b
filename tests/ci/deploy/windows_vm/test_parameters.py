"""What the script is given, and how its answer is read."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from prodgy_ci.catalog import Service
from prodgy_ci.deploy.windows_vm import parameters as p
from prodgy_ci.deploy.windows_vm.settings import of

CANARY = "canary-password"


def line(**values: Any) -> str:
    return json.dumps(values) + "\r\n"


def read(text: str, code: int = 0) -> dict[str, Any]:
    answer = p.Answer(lambda line: None)
    answer.feed(text)
    return answer.end(code)


def test_the_parameter_file_is_ascii_and_holds_no_secret() -> None:
    service = Service(name="assistant", kind="dotnet", target="windows-vm", port=5000)
    text = p.parameters(of(service, "vm.example", "deployer", SecretStr(CANARY)), p.Wanted("r1", "c", "sha256:d"))
    assert text.isascii()
    assert CANARY not in text
    assert "deployer" not in text
    assert json.loads(text)["release"] == "r1"


def test_steps_are_told_as_they_come_however_the_output_is_cut() -> None:
    seen: list[str] = []
    answer = p.Answer(seen.append)
    text = line(step="stop", level="info", msg="stopping") + "noise\r\n" + line(step="undo", level="error", msg="bad")
    for character in text + json.dumps({"result": "switched"}):
        answer.feed(character)
    assert seen == ["stop: stopping", "undo: error: bad"]
    assert answer.end(0) == {"result": "switched"}


@pytest.mark.parametrize("code", sorted(p.EXIT_CODES))
def test_each_exit_code_says_what_it_means_what_happened_and_what_to_do(code: int) -> None:
    with pytest.raises(p.ScriptFailed) as caught:
        read(line(result="failed", exit=code, error="the cause"), code)
    message = str(caught.value)
    assert p.EXIT_CODES[code].meaning in message
    assert "the cause" in message
    assert p.EXIT_CODES[code].mend in message


@pytest.mark.parametrize("code", [1, 4294770688, -1])
def test_an_exit_without_a_last_line_tells_nothing(code: int) -> None:
    with pytest.raises(p.Unanswered, match=rf"exit {code}\) without its last line"):
        read("", code)


@pytest.mark.parametrize(
    "text", ["", "garbage", line(step="stop", msg="x"), line(result="nonsense"), line(result="failed")]
)
def test_no_last_line_is_never_taken_for_a_success(text: str) -> None:
    with pytest.raises(p.Unanswered):
        read(text)


def test_the_status_is_read() -> None:
    kept = {"release": "r0", "commit": "c0", "digest": None, "since": None}
    status = p.status(
        {
            "result": "status",
            "release": "r1",
            "commit": "c1",
            "digest": "sha256:d",
            "since": "2025-01-01T00:00:00Z",
            "service": "Running",
            "healthy": True,
            "staged": None,
            "former": [kept],
            "journal": None,
            "busy": True,
        }
    )
    assert status.serving == p.Kept("r1", "c1", "sha256:d", "2025-01-01T00:00:00Z")
    assert status.former == (p.Kept("r0", "c0", None, None),)
    assert status.healthy and status.busy


@pytest.mark.parametrize("wrong", [{"former": [{}]}, {"former": [3]}, {"former": 3}])
def test_a_status_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(p.Unanswered):
        p.status({"result": "status", **wrong})
