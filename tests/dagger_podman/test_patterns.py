"""Path patterns follow Docker's rules."""

import pytest

from dagger_podman.patterns import Patterns, parse_dockerignore, selected, split_glob

PATHS = ["a.txt", "sub", "sub/b.txt", "sub/deep", "sub/deep/c.py", "node_modules", "node_modules/x.js", ".hidden"]


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "sub/b.txt", False),
        ("**/*.txt", "a.txt", True),
        ("**/*.txt", "sub/b.txt", True),
        ("sub", "sub/deep/c.py", True),
        ("sub/", "sub/deep/c.py", True),
        ("/sub", "sub/b.txt", False),  # of .dockerignore alone the slash is taken away
        ("./a.txt", "a.txt", True),
        ("**/node_modules", "apps/api/node_modules/x", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c].txt", "b.txt", True),
        ("[!a-c].txt", "b.txt", False),
        ("a\\*", "a*", True),
        ("a\\*", "ab", False),
        ("a.b", "aXb", False),
        ("**", "any/thing", True),
        ("ü*", "übung", True),
    ],
)
def test_a_pattern_matches_a_path_and_all_below_it(pattern: str, path: str, matches: bool) -> None:
    assert Patterns([pattern]).match(path) is matches


def test_the_last_pattern_that_matches_decides() -> None:
    patterns = Patterns(["*.md", "!keep.md", "keep.md/secret"])
    assert patterns.match("a.md")
    assert not patterns.match("keep.md")
    assert patterns.match("keep.md/secret")


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        (["**/*.txt"], [], {"a.txt", "sub", "sub/b.txt"}),
        ([], ["sub", "node_modules"], {"a.txt", ".hidden"}),
        ([], ["**", "!sub/**"], {"sub", "sub/b.txt", "sub/deep", "sub/deep/c.py"}),
        (["sub"], ["**/*.py"], {"sub", "sub/b.txt", "sub/deep"}),
        (["nothing"], [], set()),
    ],
)
def test_selection_keeps_the_folders_above_what_it_keeps(
    include: list[str], exclude: list[str], kept: set[str]
) -> None:
    assert selected(PATHS, include, exclude) == kept


def test_a_dockerignore_file_may_have_comments_and_blank_lines() -> None:
    assert parse_dockerignore("\ufeff# c\n\n  a  \n!b\n") == ["a", "!b"]


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    [
        ("**", "a/b", True),
        ("sub/**", "sub", False),
        ("sub/**", "sub/a/b", True),
        ("*", "a/b", False),
        (".*", ".x", True),
    ],
)
def test_a_glob_matches_whole_paths(glob: str, path: str, matches: bool) -> None:
    assert bool(split_glob(glob).match(path)) is matches
