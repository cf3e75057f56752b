"""What Podman says of a Dockerfile that it refuses becomes words that name the line."""

import pytest

from dagger_podman.building import _explained

BASE = "FROM python:3.13-slim\nRUN true\n"


@pytest.mark.parametrize(
    ("instruction", "said", "message"),
    [
        (
            "COPY missing.txt /x",
            'building at STEP "COPY missing.txt /x": checking on sources under "/tmp/c": copier: stat: "/missing.txt": '
            "no such file or directory",
            "Dockerfile line 3: COPY missing.txt /x: the build context holds no 'missing.txt', or .dockerignore leaves it out",
        ),
        (
            "RUN <<EOF\necho hi\nEOF",
            'building at STEP "ECHO ": Build error: Unknown instruction: "ECHO" &imagebuilder.Step{Env:[]string{}}',
            "Dockerfile line 3: RUN <<EOF: this Podman does not know here-documents; 4.8 and newer do",
        ),
        (
            "COPY --link a /b",
            'building at STEP "COPY --link a /b": COPY only supports the --chmod flags',
            "Dockerfile line 3: COPY --link a /b: this Podman does not know the instruction's flags "
            "(COPY only supports the --chmod flags); a newer one may",
        ),
        ("RUN false", "some other words", "some other words"),
    ],
)
def test_a_refused_instruction_is_named_with_its_line(instruction: str, said: str, message: str) -> None:
    step = said.partition('STEP "')[2].partition('":')[0]
    assert _explained(BASE + instruction + "\n", step, said) == message
