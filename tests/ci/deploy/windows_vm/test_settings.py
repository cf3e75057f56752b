"""What cannot be is refused before anything is sent, each with its variable or key."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from prodgy_ci.catalog import Service
from prodgy_ci.catalog.model import Windows
from prodgy_ci.deploy.windows_vm.settings import Settings, address, of
from prodgy_ci.errors import InputError

CANARY = "canary-password"


def service(**windows: object) -> Service:
    return Service(
        name="assistant", kind="dotnet", target="windows-vm", port=5000, windows=Windows.model_validate(windows)
    )


def settings(**windows: object) -> Settings:
    return of(service(**windows), "vm.example", "deployer", SecretStr(CANARY))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.4", ("10.0.0.4", 5986)),
        ("vm.example:15986", ("vm.example", 15986)),
        ("fd00::4", ("fd00::4", 5986)),
        ("[fd00::4]:15986", ("fd00::4", 15986)),
        (" 10.0.0.4 ", ("10.0.0.4", 5986)),
    ],
)
def test_the_address_may_carry_a_port(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    "text", ["https://vm.example", "vm.example:", "vm.example:0", "vm.example:99999", "[fd00::4", "vm:x"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^VM_IP: "):
        address(text)


def test_the_defaults_are_made_of_the_services_name_and_https() -> None:
    made = settings()
    assert made.endpoint == "https://vm.example:5986/wsman"
    assert (made.service, made.folder, made.releases) == (
        "prodgy-assistant",
        r"C:\prodgy\assistant\current",
        r"C:\prodgy\assistant\releases",
    )
    assert made.health == "http://127.0.0.1:5000/health"


def test_http_has_its_own_port_and_must_be_asked_for() -> None:
    made = of(service(), "fd00::4", "deployer", SecretStr(CANARY), scheme="http")
    assert made.endpoint == "http://[fd00::4]:5985/wsman"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"host": "no host"}, "VM_IP: 'no host'"),
        ({"user": ""}, "VM_USER: is empty"),
        ({"password": SecretStr("")}, "VM_PASSWORD: is empty"),
        ({"ca": Path("missing.pem")}, "--vm-ca: there is no file missing.pem"),
        ({"ca": Path(__file__), "scheme": "http"}, "--vm-ca: HTTP has no certificate"),
        ({"service": "a*"}, "windows.service: 'a*'"),
        ({"folder": "C:\\"}, "windows.folder: "),
        ({"folder": r"C:\prodgy\..\Windows"}, "windows.folder: "),
        ({"folder": r"C:\%TEMP%\x"}, "windows.folder: "),
        ({"nssm": "nssm.exe"}, "windows.nssm: "),
        ({"releases": r"D:\releases"}, "windows.releases: must lie on the volume"),
        ({"releases": r"c:\Prodgy\assistant\current\old"}, "windows.releases: must not be windows.folder"),
        ({"releases": r"C:\prodgy"}, "windows.releases: must not be windows.folder"),
        ({"preserve": (r"..\x.json",)}, "windows.preserve: "),
        ({"keep": 0}, "windows.keep: 0"),
    ],
)
def test_what_cannot_be_is_named(change: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(settings(), **change).validated()  # type: ignore[arg-type]
    assert str(caught.value).startswith(fault)
    assert "\n" not in str(caught.value)


def test_a_service_that_cannot_be_asked_for_its_health_is_refused() -> None:
    silent = service().model_copy(update={"port": None})
    with pytest.raises(InputError, match=r"services\.assistant: .* set port, or windows\.health"):
        of(silent, "vm.example", "deployer", SecretStr(CANARY))


def test_the_password_is_in_no_text_of_it() -> None:
    assert CANARY not in repr(settings())
