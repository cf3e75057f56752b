"""One proxy passes each port on to its service."""

import dagger
import pytest

from prodgy_ci.catalog import load
from prodgy_ci.errors import InputError
from prodgy_ci.testing.front import configuration, development, whole_stack


def test_each_port_goes_to_the_service_of_that_name() -> None:
    lines = configuration({"redis": 6379, "engine": 8001}).splitlines()
    assert lines[lines.index("listen redis") :] == [
        *("listen redis", "  bind :6379", "  server redis redis:6379"),
        *("listen engine", "  bind :8001", "  server engine engine:8001"),
    ]


@pytest.mark.anyio
async def test_what_cannot_be_brought_up_is_said_before_anything_is_built() -> None:
    source = dagger.Directory.__new__(dagger.Directory)  # never asked
    with pytest.raises(InputError, match=r"services\.\w+\.port: 3001 is that of '\w+' too"):
        await whole_stack(source, load("[services.web]\nport = 3001"))
    with pytest.raises(InputError, match="a service 'engine', and the catalog has none"):
        await development(source, load("builtin = false\n[rules.all]\npaths = ['x/']\nall = true"))
