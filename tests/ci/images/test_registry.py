"""How a registry is described on the command line, and what is repeated."""

from typing import Any
from unittest.mock import AsyncMock, MagicMock

import anyio
import dagger
import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.images.answers import RegistryError, TransientRegistryError
from prodgy_ci.images.registry import Registry, registry, repeat


def described(text: str, option: str = "--registry", *, password: str | None = None, **named: Any) -> Registry:
    secret = None if password is None else MagicMock(dagger.Secret, plaintext=AsyncMock(return_value=password))
    return anyio.run(lambda: registry(text, option, password=secret, **named))


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What becomes a secret, by its name."""
    made: dict[str, str] = {}
    monkeypatch.setattr(dagger.dag, "set_secret", made.__setitem__)
    return made


def test_a_passwords_last_line_break_is_not_part_of_it(secrets: dict[str, str]) -> None:
    described("prodgy.azurecr.io", username="me", password="canary\r\n")
    assert secrets["registry-prodgy.azurecr.io-password"] == "canary"


@pytest.mark.parametrize(
    ("password", "message"), [("\n", "is empty"), ("$(REGISTRY_TOKEN)", "is a variable that is not set")]
)
def test_a_password_that_was_never_given_is_refused(password: str, message: str, secrets: dict[str, str]) -> None:
    with pytest.raises(InputError, match=f"--to: the password {message}"):
        described("prodgy.azurecr.io", "--to", username="me", password=password)
    assert not secrets


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"username": "me"}, "give both the user name and the password"),
        ({"text": "localhost", "service": True}, "name the port too"),
        ({"text": "localhost:5000"}, "add the option that gives the registry as a service: tcp://localhost:5000"),
        ({"text": "registry.example:5000", "service": True}, "spoken to without TLS"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        described(**{"text": "prodgy.azurecr.io", **arguments})


def test_only_this_machines_own_registry_is_spoken_to_without_tls() -> None:
    assert described("localhost:5000", service=MagicMock()).plain
    assert not described("localhost:5000", service=MagicMock(), ca=MagicMock()).plain
    assert not described("prodgy.azurecr.io").plain


@pytest.mark.parametrize(("error", "attempts"), [(TransientRegistryError("busy"), 3), (RegistryError("no"), 1)])
def test_only_what_fails_for_now_is_repeated(
    error: RegistryError, attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prodgy_ci.images.registry.PAUSES", (0.0, 0.0))
    action = AsyncMock(side_effect=error)
    with pytest.raises(RegistryError):
        anyio.run(repeat, action)
    assert action.await_count == attempts
