"""JUnit files are read for what they say, and refused where they are none."""

import pytest

from prodgy_ci.errors import ProdgyError
from prodgy_ci.testing.junit import Failure, Results, read


def test_tests_skips_and_failures_are_counted() -> None:
    text = """<testsuites><testsuite>
        <testcase classname="a" name="good"/>
        <testcase classname="a" name="bad"><failure message="short">long
        text</failure></testcase>
        <testcase name="broken"><error message="only a message"/></testcase>
        <testcase name="left out"><skipped/></testcase>
    </testsuite></testsuites>"""
    failures = (Failure("a.bad", "long\n        text"), Failure("broken", "only a message"))
    assert read(text) == Results(tests=3, skipped=1, failures=failures)


def test_a_single_suite_may_be_the_root() -> None:
    assert read('<testsuite><testcase name="x"/></testsuite>').tests == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not XML"),
        ("<testsuites", "is not XML"),
        ("<html/>", "begins with <html>"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>', "declares a document type"),
        ("x" * 20_000_001, "at most 20000000"),
    ],
    ids=["empty", "cut", "other", "entities", "huge"],
)
def test_what_is_no_junit_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(ProdgyError, match=message):
        read(text)
