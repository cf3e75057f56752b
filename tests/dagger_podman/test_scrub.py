"""A secret shows in no output, however the output is cut."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from dagger_podman.scrub import Scrubber

SECRET = b"s3cr3t-value"


def scrubber(*values: bytes) -> Scrubber:
    made = Scrubber()
    for value in values:
        made.add(value)
    return made


@given(st.lists(st.integers(0, 40), max_size=6), st.binary(max_size=10), st.binary(max_size=10))
def test_a_secret_split_over_reads_is_hidden(cuts: list[int], before: bytes, after: bytes) -> None:
    data = before + SECRET + after
    stream = scrubber(SECRET).stream()
    places = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    shown = b"".join(stream.feed(data[a:b]) for a, b in itertools.pairwise(places)) + stream.end()
    assert SECRET not in shown
    assert shown == data.replace(SECRET, b"***")


def test_each_line_of_a_secret_with_lines_is_hidden() -> None:
    shown = scrubber(b"-----BEGIN-----\nabcdef\nghijkl\n").clean(b"x abcdef y ghijkl")
    assert shown == b"x *** y ***"


def test_a_secret_that_holds_another_is_hidden_whole() -> None:
    assert scrubber(b"abcd", b"abcdefgh").clean(b"abcdefgh") == b"***"


def test_what_is_no_secret_passes_through_at_once_or_at_the_end() -> None:
    stream = scrubber(SECRET).stream()
    assert stream.feed(b"hello s3") + stream.feed(b" world") + stream.end() == b"hello s3 world"
