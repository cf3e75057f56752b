"""Services are built side by side, and the failure of one is told and stops no other."""

import json
import time

import anyio
import pytest

from prodgy_ci.catalog import Service, builtin
from prodgy_ci.errors import ProdgyError
from prodgy_ci.images import builds

CATALOG = builtin()


async def size_of(result: int) -> int | None:
    return result or None


def test_one_failure_stops_no_other() -> None:
    async def build(service: Service) -> int:
        if service.name == "web":
            raise ProdgyError("exit code 1: pnpm build\nno such module")
        return 0 if service.name == "docs" else 4096

    async def run() -> builds.Builds:
        return await builds.build_each(CATALOG.choose(["docs", "web", "api"]), build, size_of, str)

    data = json.loads(anyio.run(run).model_dump_json())
    found = [[b[key] for key in ("service", "image", "form", "size", "error")] for b in data["builds"]]
    assert found == [
        ["api", "prodgy-api", "image", 4096, None],
        ["web", "prodgy-web", "image", None, "exit code 1: pnpm build\nno such module"],
        ["docs", "prodgy-docs", "site", None, None],
    ]


def test_only_so_many_are_built_at_once() -> None:
    running: list[str] = []
    most = 0

    async def build(service: Service) -> int:
        nonlocal most
        running.append(service.name)
        most = max(most, len(running))
        await anyio.sleep(0.01)
        running.remove(service.name)
        return 1

    async def run() -> builds.Builds:
        return await builds.build_each(CATALOG.choose(None), build, size_of, str)

    assert len(anyio.run(run).builds) == 9
    assert most == builds.AT_ONCE


def test_the_seconds_are_those_of_the_build_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    async def build(_: Service) -> int:
        clock[0] += 2.5
        return 1

    async def slow_size(result: int) -> int | None:
        clock[0] += 60
        return result

    async def run() -> builds.Builds:
        return await builds.build_each(CATALOG.choose(["engine"]), build, slow_size, str)

    assert anyio.run(run).builds[0].seconds == 2.5
