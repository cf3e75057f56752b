"""What differs from the commit is named; a remote's URL is told without its user."""

import pytest

from prodgy_ci.images.source import differences, pathspecs, web_url


def test_differences_say_what_each_path_is() -> None:
    status = " M apps/api/main.js\0 D gone\0?? new file\0!! .env.production\0"
    assert differences(status) == [
        "apps/api/main.js: changed",
        "gone: missing",
        "new file: not in the commit",
        ".env.production: not in the commit (ignored)",
    ]
    assert differences("") == []


def test_what_the_source_never_holds_is_not_missed() -> None:
    assert ":(exclude,glob)**/node_modules/**" in pathspecs(["apps"])
    assert pathspecs(["a*b"])[0] == ":(literal)a*b"


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://user:secret@dev.example/org/prodgy.git", "https://dev.example/org/prodgy"),
        ("git@dev.example:org/prodgy.git", "https://dev.example/org/prodgy"),
        ("ssh://git@dev.example/org/prodgy", "https://dev.example/org/prodgy"),
        ("/srv/prodgy.git", None),
        ("", None),
    ],
)
def test_a_remote_is_told_without_its_user(remote: str, url: str | None) -> None:
    assert web_url(remote) == url
