"""The API of dagger-podman, as an ordinary `dagger-io` program meets it."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import dagger
import pytest


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def session() -> AsyncIterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", str(Path(sys.executable).with_name("dagger-podman")))
        async with dagger.connection(dagger.Config(log_output=sys.stderr, retry=None)):
            yield
