"""One proxy passes each port on to its service."""

from prodgy_ci.testing.front import configuration


def test_each_port_goes_to_the_service_of_that_name() -> None:
    lines = configuration({"redis": 6379, "engine": 8001}).splitlines()
    assert lines[lines.index("listen redis") :] == [
        *("listen redis", "  bind :6379", "  server redis redis:6379"),
        *("listen engine", "  bind :8001", "  server engine engine:8001"),
    ]
