"""A Dockerfile tells what it copies, where from, and what it exposes."""

import pytest

from prodgy_ci.scaffold.dockerfiles import is_service, read


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Dockerfile", True),
        ("apps/web/Dockerfile", True),
        ("Dockerfile.engine", True),
        ("docker/web.Dockerfile", True),
        ("docker/dockerfile", True),
        ("Dockerfile.dev", False),
        ("apps/web/Dockerfile.test", False),
        ("apps/web/Dockerfile.dockerignore", False),
        (".devcontainer/Dockerfile", False),
        ("packages/x/tests/Dockerfile", False),
        ("docs/writing-a-Dockerfile.md", False),
    ],
)
def test_which_is_a_services(path: str, expected: bool) -> None:
    assert is_service(path) is expected


def test_what_it_copies() -> None:
    text = """\ufeff# COPY not this
FROM node:18-alpine AS base
COPY package.json pnpm-lock.yaml ./
COPY --chown=1:1 ./apps/web/ /web
COPY ["with space/", "/x"]
copy \\
  packages \\
  # a comment between
  ./packages
COPY --from=base /built /built
ADD https://example.com/x.tgz /x
ADD ../up $SOMEWHERE /y
EXPOSE 8080/tcp 9090
FROM base AS Test
"""
    made = read("apps/web/Dockerfile", text)
    assert made.copied == ("package.json", "pnpm-lock.yaml", "apps/web", "with space", "packages")
    assert made.port == 8080
    assert made.stages == ("base", "test")


@pytest.mark.parametrize(
    ("path", "copied", "context"),
    [
        ("Dockerfile", "COPY . .", "."),
        ("apps/web/Dockerfile", "COPY apps/web ./", "."),
        ("apps/web/Dockerfile", "COPY package.json pnpm-lock.yaml ./\nCOPY . .", "."),
        ("apps/web/Dockerfile", "COPY package.json ./\nCOPY . .", "apps/web"),
        ("apps/web/Dockerfile", "COPY package*.json ./\nCOPY src ./src", "apps/web"),
        ("apps/web/Dockerfile", "FROM scratch", "apps/web"),
    ],
)
def test_where_it_copies_from(path: str, copied: str, context: str) -> None:
    root, own = {"apps", "package.json", "pnpm-lock.yaml"}, {"Dockerfile", "package.json", "src"}
    assert read(path, copied).context(root, own) == context


def test_its_word() -> None:
    assert [read(path, "").word for path in ("Dockerfile", "Dockerfile.engine", "docker/web.Dockerfile")] == [
        *(None, "engine", "web")
    ]
