"""Checks as people and CI servers read them."""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

from .model import Checks, Result, Status

MARKS: dict[Status, str] = {"passed": "ok", "failed": "FAILED", "warning": "warning", "not applicable": "-"}
NOTHING = "nothing was checked: that is a failure"
WIDEST = 100
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(checks: Checks) -> str:
    """A table for the terminal, with how to mend what did not pass, and a last line that sums up."""
    wide = max((len(result.name) for result in checks.results), default=0)
    lines = [line for result in checks.results for line in _lines(result, wide)]
    counts = Counter(result.status for result in checks.results)
    told = ", ".join(f"{counts[status]} {status}" for status in MARKS if counts[status])
    verdict = "passed" if checks.passed else "FAILED"
    if all(result.status == "not applicable" for result in checks.results):
        told = NOTHING + (f" ({told})" if told else "")
    return "\n".join((*lines, f"{checks.list} of {checks.environment} {verdict}: {told}")) + "\n"


def junit(checks: Checks) -> str:
    """JUnit XML, each check a test case; not applicable is skipped. That nothing was checked is a failed test case."""
    cases = [_case(checks, result) for result in checks.results]
    if all(result.status == "not applicable" for result in checks.results):
        cases.append(_failed(checks, "something is checked", NOTHING, NOTHING))
    suite = ElementTree.Element("testsuite", name=f"{checks.list} of {checks.environment}", tests=str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    suite.set("errors", "0")
    suite.extend(cases)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _lines(result: Result, wide: int) -> list[str]:
    first, *rest = result.evidence.splitlines() or [""]
    indent = " " * 9
    head = f"{MARKS[result.status]:<9}{result.name:<{wide}}  {result.seconds:5.1f} s  {_short(first)}"
    mend = [f"{indent}→ {result.mend}"] if result.mend and result.status != "passed" else []
    return [head, *(f"{indent}  {_short(line)}" for line in rest), *mend]


def _short(line: str) -> str:
    return line if len(line) <= WIDEST else f"{line[:WIDEST]}…"


def _case(checks: Checks, result: Result) -> ElementTree.Element:
    told = result.evidence + (f"\nTo mend it: {result.mend}" if result.mend else "")
    if result.status == "failed":
        return _failed(checks, result.name, result.evidence, told, result.seconds)
    case = _named(checks, result.name, result.seconds)
    if result.status == "not applicable":
        ElementTree.SubElement(case, "skipped", message=_fit(result.evidence))
    else:
        said = told if result.status == "passed" else f"warning: {told}"
        ElementTree.SubElement(case, "system-out").text = _fit(said)
    return case


def _failed(checks: Checks, name: str, message: str, told: str, seconds: float = 0) -> ElementTree.Element:
    case = _named(checks, name, seconds)
    ElementTree.SubElement(case, "failure", message=_fit(message.partition("\n")[0])).text = _fit(told)
    return case


def _named(checks: Checks, name: str, seconds: float) -> ElementTree.Element:
    where = f"{checks.list}.{checks.environment}"
    return ElementTree.Element("testcase", classname=where, name=_fit(name), time=f"{seconds:.3f}")


def _fit(told: str) -> str:
    """Without the characters that XML cannot hold."""
    return _UNFIT.sub(" ", told)
