"""A name that Azure does not take would be deployed to production: it never gets there."""

import json

import pytest

from prodgy_ci.deploy.static_web_app import command
from prodgy_ci.deploy.static_web_app.names import environment
from prodgy_ci.errors import InputError


@pytest.mark.parametrize("name", ["", "pr-12", "feature/x", "a" * 17, "été", "stage\n", "--env", "\u0661"])
def test_refused(name: str) -> None:
    with pytest.raises(InputError, match="1 to 16 letters and digits"):
        environment(name, "swaEnvironment")
    with pytest.raises(InputError):
        command.deploy(name)


def test_taken() -> None:
    names = [environment(name, "x") for name in ("Pr12", "a" * 16, "production", "Prod")]
    assert names == ["Pr12", "a" * 16, "production", "production"]


def test_the_command_names_its_environment_and_no_token() -> None:
    assert command.deploy()[:6] == ["deploy", "/site", "--app-location", "/empty", "--env", "production"]
    assert "token" not in " ".join([*command.deploy("pr12"), *command.variables()]).lower()


def test_the_lock_file_holds_the_version_that_is_named() -> None:
    lock = json.loads((command.PACKAGE / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/@azure/static-web-apps-cli"]["version"] == command.VERSION
    assert all("integrity" in package for path, package in lock["packages"].items() if path)
