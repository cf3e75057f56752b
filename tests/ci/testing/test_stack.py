"""What a service needs is started before it, and nothing else is."""

from prodgy_ci.catalog import builtin
from prodgy_ci.testing.stack import BACKING, order


def test_what_is_needed_comes_first() -> None:
    ordered = order(builtin(), ["gateway"])
    assert set(ordered) == {"gateway", "api", "agentic", "engine", "redis", "postgres"}
    for before, after in (("redis", "engine"), ("engine", "agentic"), ("agentic", "api"), ("api", "gateway")):
        assert ordered.index(before) < ordered.index(after)


def test_a_service_brings_only_what_it_needs() -> None:
    assert order(builtin(), ["engine"]) == ["redis", "engine"]


def test_every_backing_service_that_a_catalog_may_name_can_be_started() -> None:
    from prodgy_ci.catalog.builtin import BACKING as NAMED

    assert set(NAMED) == set(BACKING)
