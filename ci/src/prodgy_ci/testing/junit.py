"""Reads the JUnit XML that test runners write. No Dagger."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from ..errors import ProdgyError

LARGEST = 20_000_000


@dataclass(frozen=True)
class Failure:
    """A test that failed, and what it said."""

    name: str
    message: str


@dataclass(frozen=True)
class Results:
    """What a JUnit file tells. `tests` counts those that ran: skipped ones are not among them."""

    tests: int
    skipped: int
    failures: tuple[Failure, ...]


def read(text: str) -> Results:
    """The results in a JUnit file; raises ProdgyError where it is none."""
    if len(text) > LARGEST:
        raise ProdgyError(f"the JUnit file has {len(text)} characters; at most {LARGEST} are read")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ProdgyError("the JUnit file declares a document type or entities, which no test runner needs")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (declarations are refused above)
    except ElementTree.ParseError as error:
        raise ProdgyError(f"the JUnit file is not XML: {error}") from None
    if root.tag not in ("testsuites", "testsuite"):
        raise ProdgyError(f"the JUnit file begins with <{root.tag}>, not <testsuites>")
    cases = list(root.iter("testcase"))
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Results(len(cases) - skipped, skipped, tuple(f for case in cases if (f := _failure(case))))


def _failure(case: ElementTree.Element) -> Failure | None:
    for kind in ("failure", "error"):
        if (found := case.find(kind)) is not None:
            name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
            said = (found.text or "").strip() or found.get("message") or ""
            return Failure(name, said)
    return None
