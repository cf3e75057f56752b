"""report.html is one well-formed page that needs nothing else."""

from html.parser import HTMLParser

import pytest
from fakes import pipeline_run

from prodgy_ci.report import complete
from prodgy_ci.report.picture import rows_of
from prodgy_ci.report.run import Span

HOSTILE = (
    "</script></pre></style><script>alert(1)</script>\"' onload=x <img src=//evil> javascript: \x1b[31m\x00&lt;end"
)
VOID = {"meta", "br", "link", "img"}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "files",
    [{}, pipeline_run.passed(), pipeline_run.failed(), pipeline_run.failed(HOSTILE)],
    ids=["nothing", "passed", "failed", "hostile"],
)
def test_it_is_well_formed_and_needs_nothing_else(files: dict[str, str]) -> None:
    text = complete(files)["report.html"]
    page = Page(text)
    assert page.open == []
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "a", "form"}
    for tag, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on") or name in ("href", "src", "style")}, tag
    assert "://" not in text and "url(" not in text and "@import" not in text
    assert not {"\x1b", "\x00"} & set(text)


def test_it_shows_every_part() -> None:
    page = Page(complete(pipeline_run.failed("it broke"))["report.html"])
    for words in (
        *("✗ failed", "refs/heads/main", "development", "engine: apps/engine/x and 1 more", "M apps/api/src/routes.js"),
        *("build of agentic", "test_x\nit broke", "integration tests  21 s", pipeline_run.DIGEST, "61.3 MB"),
        *("api--r41-9a9a9a9", "api--r42-4f4f4f4", "expires in 12 days", "set CORS_ORIGINS", "2 services not affected"),
    ):
        assert words in page.text, words


def test_what_was_said_is_shown_as_it_is() -> None:
    page = Page(complete(pipeline_run.failed(HOSTILE))["report.html"])
    assert "<script>alert(1)</script>\"' onload=x <img src=//evil>" in page.text and "&lt;end" in page.text


def test_bars_that_overlap_lie_in_rows_of_their_own() -> None:
    starts = {"a": 0, "b": 1, "c": 2, "d": 3}
    spans = [Span(stage=s, service=None, start=start, seconds=2, result="passed") for s, start in starts.items()]
    assert [[span.stage for span in row] for row in rows_of(spans)] == [["a", "c"], ["b", "d"]]
