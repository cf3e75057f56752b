"""The run in short, with failures first in Markdown and last on a terminal."""

import re

from fakes import pipeline_run

from prodgy_ci.report import run, summary, verdict

HOSTILE = "a | b\n```\n# head <img src=x> </script> [x](http://evil) ![y](z)\n`````\n~~~ @everyone #12 \x1b[31m\x00end"


def both(files: dict[str, str]) -> tuple[str, str]:
    made = run.read(files)
    judged = verdict.judge(made)
    return summary.markdown(made, judged), summary.plain(made, judged)


def test_markdown_tells_each_part_failures_first() -> None:
    text, _ = both(pipeline_run.failed())
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == [
        "# prodgy-ci: failed",
        "### ✗ build of agentic",
        "### ✗ unit tests of engine",
        "### ✗ publish of engine",
        "### ✗ deploy of gateway",
        "### ✗ verify of development",
        "## Warnings",
        "## What changed, and why",
        "## Images",
        "## Deploy in development",
        "## Verify of development",
        "## Notes",
    ]
    assert "| service | build | unit tests | integration tests | publish | deploy | why |" in text
    assert (
        "| engine | ✓ 12 s | ✗ 1 of 42, 3.2 s | ✓ 42, 21 s | ✗ failed, 6.1 s | - | engine: apps/engine/x and 1 more |"
        in text
    )
    assert "Not affected: docs, web" in text


def test_a_fence_is_longer_than_any_in_what_it_holds() -> None:
    text, _ = both(pipeline_run.failed(HOSTILE))
    fences = re.findall(r"^(`{6,})(text)?$", text, re.MULTILINE)
    assert fences and [kind for _, kind in fences] == ["text", ""] * (len(fences) // 2)
    outside = re.sub(r"^``````text\n.*?\n``````$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"[<`\x1b\x00]|\]\(|://|!\[|[^\\]\\", outside)
    widths = {line.count("|") for line in outside.splitlines() if "apps/" in line and line.startswith("|")}
    assert len(widths) == 1


def test_the_terminal_shows_the_table_and_then_what_failed() -> None:
    _, text = both(pipeline_run.failed("it broke"))
    lines = text.splitlines()
    assert lines[0] == "refs/heads/main at 4f4f4f4f4f, for development: failed"
    assert lines[2].split() == ["SERVICE", "BUILD", "UNIT", "TESTS", "INTEGRATION", "TESTS", "PUBLISH", "DEPLOY", "WHY"]
    assert lines.index("build of agentic failed: exit code 1: npm ci") > lines.index("note: it broke")
    assert not {"\x1b", "\x00"} & set(both(pipeline_run.failed(HOSTILE))[1])


def test_a_run_that_left_nothing_is_told_of_too() -> None:
    text, plain = both({})
    assert text.startswith("# prodgy-ci: incomplete\n") and "- run.json is missing" in text
    assert "could not tell: plan.json is missing" in plain
