"""The planner's packages."""

import re
from pathlib import Path

from prodgy_ci.planning import PACKAGES

ENTRY = re.compile(r"^\S.*(?:\n[ \t].*)*", re.MULTILINE)


def test_the_planners_packages_are_those_of_the_modules_lock_with_their_hashes() -> None:
    of_module = ENTRY.findall((Path(__file__).parents[2] / "ci/requirements.lock").read_text())
    of_planner = ENTRY.findall(PACKAGES.read_text())
    assert set(of_planner) <= set(of_module)
    assert all("--hash=sha256:" in entry for entry in of_planner)
    assert {entry.partition("==")[0] for entry in of_planner} == {
        *("annotated-types", "pydantic", "pydantic-core", "typing-extensions", "typing-inspection")
    }
