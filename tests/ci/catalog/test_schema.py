"""The schema of prodgy-ci.toml takes what the catalog takes, and finds a misspelling."""

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from prodgy_ci.catalog.schema import schema

REPOSITORY = Path(__file__).parents[3]
VALIDATOR = Draft7Validator(json.loads(schema()))
README = REPOSITORY.joinpath("README.md").read_text().partition("```toml\n")[2].partition("```")[0]


def faults(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize(
    "text",
    [
        "",
        (REPOSITORY / "prodgy-ci.toml").read_text(),
        (REPOSITORY / "bench/karakeep.toml").read_text(),
        README,
        "[services.assistant]\nremove = true",
    ],
    ids=["empty", "own", "karakeep", "readme", "remove"],
)
def test_what_is_right_passes(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "rot = '.'",
        "[services.api]\nprot = 1",
        "[services.api]\nport = 0",
        "[services.api]\nname = 'x'",
        "[rules.x]\npaths = []",
        "[services]\nAPI = {}",
    ],
)
def test_what_is_wrong_is_found(text: str) -> None:
    assert len(faults(text)) == 1
