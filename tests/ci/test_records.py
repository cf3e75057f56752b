"""What all files that stages hand on have in common."""

import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.records import Record, aligned, read


class Inner(Record):
    number: int


class Outer(Record):
    inner: dict[str, Inner]


def test_what_was_written_is_read() -> None:
    made = Outer(inner={"é": Inner(number=1)})
    assert "é" in made.json_text()
    assert read(Outer, made.json_text(), "--file", "another") == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"--file: Invalid JSON: .*; give another"),
        ('{"inner": {"a": {"number": "canary"}}}', r"--file: inner\.a\.number: .* valid integer, .*; give another"),
        ('{"inner": {}, "outer": 1}', r"--file: outer: Extra inputs are not permitted; give another"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_key_alone(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read(Outer, text, "--file", "another")
    assert "canary" not in str(raised.value)


def test_columns_are_as_wide_as_their_widest_and_the_last_as_it_is() -> None:
    assert aligned([("A", "B", "C"), ("long", "x", "the end"), ("", "", "")]) == "A     B  C\nlong  x  the end\n\n"
