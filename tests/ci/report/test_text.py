"""What programs print becomes text and nothing but text."""

import pytest

from prodgy_ci.report.text import LONGEST_LINE, clean, duration, first_line, last_lines


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("\x1b[31mred\x1b[0m \x9b1mbold", "red bold"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ended\nnext", "\nnext"),
        ("a\x00b\x08c\x7fd", "abcd"),
        ("10%\r20%\r\ndone", "10%\n20%\ndone"),
        ("abc\u202egpj\u2066\u200b", "abcgpj"),
        ("one\u2028two\x0bthree\x85", "one\ntwo\nthree\n"),
        ("\ud800 ü 漢\t✓", " ü 漢\t✓"),
    ],
    ids=["colours", "link", "open", "controls", "carriage", "direction", "separators", "kept"],
)
def test_text_is_cleaned(raw: str, text: str) -> None:
    assert clean(raw) == text


def test_lines_are_chosen_and_cut() -> None:
    text = "\n  first  \n\n" + "x" * 600 + "\nlast\n\n"
    assert first_line(text) == "first"
    assert last_lines(text, 2) == "x" * LONGEST_LINE + "…\nlast"
    assert first_line(" \n") == last_lines("") == ""


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0.0 s"), (9.96, "10 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (3900, "1 h 5 min")]
)
def test_times_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words
