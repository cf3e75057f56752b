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


def test_what_no_build_takes_is_missed_where_it_is_committed_and_told_why() -> None:
    assert pathspecs(["a*b"]) == [":(literal)a*b"]
    assert differences(" D apps/web/dist/lib.js\0 D apps/web/distance\0") == [
        "apps/web/dist/lib.js: missing (no build takes **/dist from a source; rename it)",
        "apps/web/distance: missing",
    ]


def test_what_another_worktree_has_checked_out_is_no_difference() -> None:
    assert differences("M  apps/api/a\0MM apps/api/b\0") == ["apps/api/b: changed"]


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
