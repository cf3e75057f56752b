"""Tests passed only where some ran, none failed, and the command itself said so."""

import pytest

from prodgy_ci.testing.outcome import DEADLINE_PASSED, KILLED, broken, explain, judge, table

GOOD = '<testsuites><testcase name="a"/></testsuites>'
BAD = '<testsuites><testcase name="a"/><testcase name="b"><failure>why</failure></testcase></testsuites>'


@pytest.mark.parametrize(
    ("exit_code", "report", "reason"),
    [
        (0, GOOD, None),
        (0, BAD, "1 of 2 tests failed"),
        (1, BAD, "1 of 2 tests failed"),
        (1, GOOD, "exit code 1"),
        (0, None, "it wrote no /reports/unit.xml"),
        (3, None, "exit code 3; it wrote no /reports/unit.xml"),
        (0, "<testsuites/>", "no test was executed"),
        (0, '<testsuites><testcase name="a"><skipped/></testcase></testsuites>', "no test was executed"),
        (0, "garbage", "the JUnit file is not XML"),
        (DEADLINE_PASSED, GOOD, "it did not end within 9 s"),
        (KILLED, None, "it was killed (exit code 137); often the machine ran out of memory"),
    ],
)
def test_the_verdict_and_its_reason(exit_code: int, report: str | None, reason: str | None) -> None:
    made = judge("api", "unit", exit_code, 1.0, 9, "log", report)
    assert made.verdict == ("failed" if reason else "passed")
    assert (made.reason or "").startswith(reason or "")
    assert bool(made.reason) == bool(reason)


def test_every_failure_is_shown_with_what_the_test_said() -> None:
    said = explain([judge("api", "unit", 1, 1.0, 9, "log", BAD), broken("web", "unit", 0.1, "no stage")])
    assert "api (unit): 1 of 2 tests failed\nb\nwhy" in said
    assert "web (unit): no stage" in said


def test_without_a_report_the_last_lines_of_the_log_are_shown() -> None:
    said = explain([judge("api", "unit", 1, 1.0, 9, "\n".join(f"line {i}" for i in range(1000)), None)])
    assert "line 999" in said
    assert "line 900\n" not in said


def test_the_table_has_one_line_for_each_outcome() -> None:
    lines = table([judge("api", "integration", 0, 2.345, 9, "", GOOD)]).splitlines()
    assert [line.split() for line in lines][1] == ["api", "integration", "passed", "1", "0", "2.3"]
