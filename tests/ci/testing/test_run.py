"""Which services can be tested, and what cannot is said."""

import dagger
import pytest

from prodgy_ci.catalog import builtin
from prodgy_ci.errors import InputError, UnknownServiceError
from prodgy_ci.testing.outcome import Outcomes, judge
from prodgy_ci.testing.run import TestsFailedError, all_of, passed, services_to_test


def test_all_services_with_a_dockerfile_have_unit_tests() -> None:
    assert {s.name for s in services_to_test(builtin(), None, "unit")} == set(builtin().services) - {"assistant"}


def test_all_services_that_run_as_containers_have_integration_tests() -> None:
    assert {s.name for s in services_to_test(builtin(), ["all"], "integration")} == set(builtin().services) - {
        "assistant",
        "docs",
    }


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [("assistant", "unit", "service 'assistant' has no Dockerfile"), ("docs", "integration", "no container that runs")],
)
def test_a_named_service_that_cannot_be_tested_is_an_error(name: str, kind: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        services_to_test(builtin(), [name], kind)  # type: ignore[arg-type]


def test_an_unknown_service_is_an_error() -> None:
    with pytest.raises(UnknownServiceError, match="did you mean 'engine'"):
        services_to_test(builtin(), ["engin"], "unit")


@pytest.mark.anyio
@pytest.mark.parametrize("deadline", [0, -5])
async def test_a_deadline_that_is_none_is_refused(deadline: int) -> None:
    source = dagger.Directory.__new__(dagger.Directory)  # never asked
    with pytest.raises(InputError, match=f"--deadline: give seconds of at least 1, not {deadline}"):
        await all_of(source, builtin(), services_to_test(builtin(), ["api"], "unit"), ["unit"], deadline)


def test_no_test_at_all_is_a_failure() -> None:
    with pytest.raises(TestsFailedError, match="no tests were run"):
        passed(Outcomes(tests=()))


def test_one_failure_fails_all() -> None:
    good = judge("api", "unit", 0, 1.0, 9, "", '<testsuites><testcase name="a"/></testsuites>')
    assert "api" in passed(Outcomes(tests=(good,)))
    with pytest.raises(TestsFailedError, match="exit code 1"):
        passed(Outcomes(tests=(good, judge("web", "unit", 1, 1.0, 9, "", None))))
