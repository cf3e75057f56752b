"""The report in a real browser: it fits a desktop and a phone, in the light and the dark, on paper, without scripts."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import browser, pipeline_run

from prodgy_ci.report import complete

LONG = "AssertionError: expected 200, got 502\n" + "x" * 400 + "\n    at apps/agentic/test/agentic.test.js:12:11"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OUTSIDE = """[...document.querySelectorAll("main *:not(svg *):not(thead *):not(thead)")].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && (box.left < 0 || box.right > document.documentElement.clientWidth + 0.5)
}).map(one => one.outerHTML.slice(0, 120))"""
UNFOLD = "document.querySelectorAll('details').forEach(one => one.open = true)"
CONTRASTS = """(() => {
    const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126*r + 0.7152*g + 0.0722*b };
    const under = one => { for (; one; one = one.parentElement) { const c = getComputedStyle(one).backgroundColor;
        if (c !== "rgba(0, 0, 0, 0)") return c } return "rgb(255, 255, 255)" };
    return [...document.querySelectorAll("main *:not(svg *)")]
        .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
        .map(one => { const [a, b] = [light(getComputedStyle(one).color), light(under(one))].sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), one.outerHTML.slice(0, 120)] }).filter(([ratio]) => ratio < 4.5)
})()"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Tab]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("the report was NOT looked at: chromium is not installed (Debian: chromium)")
    with browser.tab(program, tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "report.html"
    file.write_text(complete(pipeline_run.failed(LONG))["report.html"], encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 700, 360])
def test_it_fits_and_can_be_read(tab: browser.Tab, page: Path, width: int, scheme: str) -> None:
    tab.show(page, width, scheme=scheme)
    tab.value(UNFOLD)
    assert tab.value(OVERFLOW) == 0
    assert tab.value(OUTSIDE) == []
    assert tab.value(CONTRASTS) == []
    assert tab.picture(page.with_suffix(".png")).startswith(b"\x89PNG")


def test_the_dark_page_is_dark(tab: browser.Tab, page: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    tab.show(page, 1280)
    assert tab.value(background) == "rgb(251, 250, 248)"
    tab.show(page, 1280, scheme="dark")
    assert tab.value(background) == "rgb(21, 24, 28)"


def test_the_bars_lie_where_the_run_spent_its_time(tab: browser.Tab, page: Path) -> None:
    tab.show(page, 1280)
    boxes = tab.value("""[...document.querySelectorAll(".time .bar")].map(bar => {
        const box = bar.querySelector("rect").getBoundingClientRect();
        return [bar.querySelector("title").textContent, box.left, box.width] })""")
    assert len(boxes) == 17
    found = {title.partition(":")[0]: (left, width) for title, left, width in boxes}
    publish, build = found["publish of api"], found["build of api"]
    assert publish[0] > build[0] + build[1]
    assert found["build of engine"][1] == pytest.approx(build[1] * 41 / 14, rel=0.02)


def test_nothing_depends_on_scripts_and_details_unfold_without_them(tab: browser.Tab, page: Path) -> None:
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        tab.show(page, 1280)
        tree = tab.call("DOMSnapshot.captureSnapshot", computedStyles=[])["strings"]
        assert any("What failed" in text for text in tree)
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)


def test_on_paper_what_is_folded_is_printed_too(tab: browser.Tab, page: Path) -> None:
    seen = "[...document.querySelectorAll('details pre')].every(one => one.checkVisibility())"
    tab.show(page, 1280)
    assert tab.value(seen) is False
    tab.show(page, 1280, medium="print")
    assert tab.value(seen) is True
    assert len(tab.call("Page.printToPDF")["data"]) > 10_000
