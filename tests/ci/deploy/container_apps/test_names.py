"""Names that Azure would refuse, or wait on for ever, are refused before anything is sent."""

import pytest

from prodgy_ci.deploy.container_apps import names
from prodgy_ci.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("text", ["api", "prodgy-api2", "a" * 32])
def test_an_app_name(text: str) -> None:
    assert names.app_name(text, "apiContainerAppName") == text


@pytest.mark.parametrize("text", ["", "a", "Api", "2api", "api-", "a--b", "a_b", "a" * 33, "api\n"])
def test_what_cannot_be_an_app_name_is_refused_by_variable(text: str) -> None:
    with pytest.raises(InputError, match=r"^apiContainerAppName: "):
        names.app_name(text, "apiContainerAppName")


def test_a_suffix_begins_with_a_letter_and_counts_the_attempts_of_its_commit() -> None:
    others = ["api--first", "api--rffffffffff-7", "api--r0123456789-x"]
    assert names.next_suffix("api", COMMIT, others) == "r0123456789-1"
    assert names.next_suffix("api", COMMIT, [*others, "api--r0123456789-2", "api--r0123456789-10"]) == "r0123456789-11"


def test_the_longest_app_name_leaves_room_for_the_suffix_and_no_more_is_taken() -> None:
    assert len(names.revision_name("a" * 32, names.suffix(COMMIT, 1))) == 47
    with pytest.raises(InputError, match="longer than 54"):
        names.revision_name("a" * 32, "r0123456789-12345678901")


@pytest.mark.parametrize("commit", ["", "main", "0123", COMMIT.upper()])
def test_only_a_commit_makes_a_suffix(commit: str) -> None:
    with pytest.raises(InputError, match="not a commit"):
        names.suffix(commit, 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("api--r0123456789-1", True),
        ("api--first", False),
        ("api2--r0123456789-1", False),
        ("api--r0123456789-0", False),
    ],
)
def test_what_was_made_here_is_known_by_its_name(name: str, expected: bool) -> None:
    assert names.is_made_here("api", name) is expected
