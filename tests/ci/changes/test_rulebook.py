"""What is remembered of a catalog is that catalog, and no other."""

from pathlib import Path

import pytest

from prodgy_ci import catalog
from prodgy_ci.changes import rulebook
from prodgy_ci.errors import CatalogError, UnknownServiceError

TEXT = '[rules.libs]\npaths = ["libs/"]\nservices = ["api"]\n'


def test_it_says_what_the_catalog_says() -> None:
    book, whole = rulebook.read(TEXT), catalog.load(TEXT)
    assert [(s.name, s.kind, s.path) for s in book.services.values()] == [
        (s.name, s.kind, s.path) for s in whole.services.values()
    ]
    assert [(r.name, r.paths, r.services, r.kinds, r.all) for r in book.rules] == [
        (r.name, r.paths, r.services, r.kinds, r.all) for r in whole.all_rules
    ]
    assert (book.root, book.ignored, book.pipeline_paths) == (whole.root, whole.ignored, whole.pipeline_paths)
    for ref in ("refs/heads/main", "refs/tags/v1", "refs/heads/x/main", "refs/heads/staging"):
        expected = whole.environment(ref)
        found = book.environment(ref)
        assert (found and found.name) == (expected and expected.name)
    for text in ("", 'root = "a/b"'):
        read, loaded = rulebook.read(text), catalog.load(text)
        assert read.in_repository("apps/x") == loaded.in_repository("apps/x")
    assert rulebook.FILE_NAME == catalog.FILE_NAME


def test_a_second_reading_needs_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    first = rulebook.read(TEXT)
    monkeypatch.setattr(rulebook, "_checked", lambda *_: pytest.fail("checked again"))
    assert rulebook.read(TEXT) == first


def test_another_text_is_another_catalog() -> None:
    assert rulebook.read(TEXT) != rulebook.read(TEXT.replace("libs/", "lib/"))


def test_a_wrong_catalog_is_never_remembered() -> None:
    for _ in range(2):
        with pytest.raises(CatalogError, match="mine: rooot: unknown key"):
            rulebook.read('rooot = "x"', "mine")


@pytest.mark.parametrize("broken", ["", "{}", "[]", '{"root": 1}', "\udcff"])
def test_a_broken_memory_is_made_anew(tmp_path: Path, broken: str) -> None:
    expected = rulebook.read(TEXT)
    (file,) = (tmp_path / "cache").rglob("*.json")
    file.write_text(broken, errors="surrogateescape")
    assert rulebook.read(TEXT) == expected


def test_without_a_place_to_remember_it_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/none")
    assert rulebook.read(TEXT) == rulebook.read(TEXT)


def test_few_are_kept(tmp_path: Path) -> None:
    for number in range(rulebook.KEPT + 3):
        rulebook.read(f'root = "r{number}"')
    assert len(list((tmp_path / "cache").rglob("*"))) == rulebook.KEPT + 2


def test_services_are_chosen_as_in_the_catalog() -> None:
    book = rulebook.read("")
    assert [service.name for service in book.choose(["engine", "api"])] == ["api", "engine"]
    assert len(book.choose(["all"])) == 9
    with pytest.raises(UnknownServiceError, match="unknown service 'enigne': did you mean 'engine'"):
        book.choose(["enigne"])
