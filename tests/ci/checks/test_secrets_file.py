"""Misspelt names are errors that tell the nearest, and nothing of the file is ever shown."""

import pytest
from pydantic import SecretStr

from prodgy_ci.checks.secrets_file import parse as parse_with
from prodgy_ci.errors import InputError


def parse(text: SecretStr | None) -> dict[str, SecretStr]:
    return parse_with(text, ["API_SERVICE_TOKEN"])


def test_a_secret_is_all_that_stands_after_the_first_equals_sign() -> None:
    found = parse(SecretStr("# the check login\nLOGIN_EMAIL=a@b.example\r\n\nREDIS_URL = rediss://:a=b@h?x=1\n"))
    assert {name: secret.get_secret_value() for name, secret in found.items()} == {
        "LOGIN_EMAIL": "a@b.example",
        "REDIS_URL": "rediss://:a=b@h?x=1",
    }
    assert "a@b" not in repr(found)
    assert parse(None) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "DATABASE_URI=canary",
            "line 1 has an unknown name: did you mean DATABASE_URL.*Known: DATABASE_URL, REDIS_URL",
        ),
        ("redis_url=canary", "line 1 has an unknown name: did you mean REDIS_URL"),
        ("REDIS_URL=a\nREDIS_URL=canary", "line 2 has REDIS_URL for the second time"),
        ("REDIS_URL=a\ncanary", "line 2 is not NAME=value"),
        ("canary==", "line 1 has an unknown name. Known"),
        ("postgres://u:canary@h/d?sslmode=require", "line 1 has an unknown name"),
    ],
)
def test_a_fault_is_told_by_its_line_alone(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        parse(SecretStr(text))
    assert "canary" not in str(raised.value)
