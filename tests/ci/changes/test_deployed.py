"""What deployed.json may say."""

import json
from typing import Any

import pytest

from prodgy_ci.changes.deployed import Deployed, load
from prodgy_ci.errors import InputError

COMMIT, DIGEST = "a" * 40, "sha256:" + "0" * 64


@pytest.mark.parametrize(
    "entry", [None, {}, {"commit": ""}, {"commit": None, "digest": DIGEST}, {"revision": "api--1"}]
)
def test_an_empty_entry_means_never_deployed(entry: Any) -> None:
    assert load(record(api=entry), "deployed.json") == Deployed("development", {})


def test_an_empty_record_means_that_nothing_was_deployed() -> None:
    assert load("{}", "deployed.json") == Deployed()


def test_what_the_planner_has_no_use_for_may_stand_there() -> None:
    entry = {"commit": COMMIT, "digest": DIGEST, "revision": "api--1", "since": "2024-01-01T00:00:00Z", "more": 1}
    assert load(record(api=entry), "deployed.json").commits == {"api": COMMIT}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "deployed.json: not valid JSON: "),
        ("[]", "deployed.json: schema_version: give 1, not None"),
        ('{"schema_version": 2}', "deployed.json: schema_version: give 1, not 2"),
        ('{"schema_version": 1, "environment": 3}', "deployed.json: environment: give its name, not 3"),
        ('{"schema_version": 1, "services": [1]}', "deployed.json: services: give an object"),
    ],
)
def test_what_is_no_record_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(text, "deployed.json")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("x", "services.api: give an object"),
        ({"commit": "abc"}, "services.api.commit: 'abc' is not a whole commit id"),
        ({"commit": "--upload-pack=x"}, "services.api.commit: '--upload-pack=x' is not a whole commit id"),
        ({"commit": 1}, "services.api.commit: '1' is not a whole commit id"),
        ({"commit": COMMIT, "digest": "latest"}, "services.api.digest: 'latest' is not sha256:"),
    ],
)
def test_a_wrong_entry_is_named(entry: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(record(api=entry), "deployed.json")
    assert str(caught.value).startswith(f"deployed.json: {message}")


def record(**services: Any) -> str:
    return json.dumps({"schema_version": 1, "environment": "development", "services": services})
