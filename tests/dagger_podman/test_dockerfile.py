"""What a Dockerfile refers to is known before it is built."""

import re

import pytest

from dagger_podman.dockerfile import instructions, outside_images, stages
from dagger_podman.errors import DaggerPodmanError


def images(text: str, target: str = "", **build_args: str) -> list[str]:
    return sorted(outside_images(stages(text, build_args), target))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a", ["a"]),
        ("FROM a AS x\nFROM x", ["a"]),
        ("from a as X\nFROM x", ["a"]),
        ("FROM a\nFROM b", ["b"]),
        ("FROM a\nFROM b\nCOPY --from=0 /x /y", ["a", "b"]),
        ("FROM a AS x\nFROM b\nRUN --mount=type=bind,from=x,target=/x true", ["a", "b"]),
        ("FROM b\nCOPY --from=docker.io/library/c:1 /x /y", ["b", "docker.io/library/c:1"]),
        ("FROM scratch\nCOPY a b", []),
        ("ARG V=18\nFROM node:${V}-alpine", ["node:18-alpine"]),
        ("ARG V\nFROM node:${V:-20}", ["node:20"]),
        ("FROM --platform=$BUILDPLATFORM a \\\n  AS x\nFROM x", ["a"]),
        ("# FROM c\nFROM a\nRUN echo \\\n  # comment\n  FROM", ["a"]),
        ("FROM a\nRUN <<EOF\nFROM b\nEOF\nRUN true", ["a"]),
        ("# escape=`\nFROM a `\n AS x\nFROM x", ["a"]),
        ("FROM node AS node\nRUN true", ["node"]),
    ],
)
def test_only_images_that_the_target_needs_are_wanted(text: str, expected: list[str]) -> None:
    assert images(text) == expected


def test_a_target_leaves_later_stages_out() -> None:
    assert images("FROM a AS one\nFROM b AS two", "one") == ["a"]


def test_build_arguments_win_over_defaults() -> None:
    assert images("ARG V=18\nFROM node:$V", V="20") == ["node:20"]


def test_an_unknown_target_names_the_stages() -> None:
    with pytest.raises(DaggerPodmanError, match=r"'tset' could not be found.*base, test"):
        images("FROM a AS base\nFROM base AS test", "tset")


@pytest.mark.parametrize("text", ["", "RUN true", "# only a comment"])
def test_without_from_it_is_no_dockerfile(text: str) -> None:
    with pytest.raises(DaggerPodmanError, match="no FROM"):
        stages(text, {}, file="api/Dockerfile")


def test_an_error_names_the_file_and_the_line_of_any_stage() -> None:
    for text, message in (
        ("", "api/Dockerfile has no FROM"),
        ("FROM", "api/Dockerfile line 1: FROM names no image"),
        (
            "FROM a\nRUN x\nfrun x\nFROM b",
            "api/Dockerfile: dockerfile parse error on line 3: unknown instruction: FRUN",
        ),
    ):
        with pytest.raises(DaggerPodmanError, match=f"^{re.escape(message)}$"):
            stages(text, {}, file="api/Dockerfile")


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nRUN\tx",
        "FROM a\r\nRUN x \\\r\n  y\r\n",
        "FROM a\nRUN echo '\u2028x'",
        "FROM a\nRUN 3<<EOF x <&3\nfirst\nEOF\nRUN x",
        "FROM a\nCOPY <<-'ONE' <<TWO /x\none\nONE\ntwo\nTWO",
        "FROM a\nRUN echo $((1<<y)) a<<b\nONBUILD RUN x",
    ],
)
def test_what_docker_accepts_is_accepted(text: str) -> None:
    assert images(text) == ["a"]


def test_instructions_know_their_line() -> None:
    found = instructions("FROM a\n\nRUN x \\\n  y\nCMD z")
    assert [(i.name, i.line) for i in found] == [("FROM", 1), ("RUN", 3), ("CMD", 5)]
