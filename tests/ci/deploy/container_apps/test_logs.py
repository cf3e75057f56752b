"""The replicas' log streams: whose lines come, with which token, and what happens where none comes."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fakes.resource_manager import App, Manager, resource_manager
from pydantic import SecretStr

from prodgy_ci.deploy.container_apps.client import Client, connect
from prodgy_ci.deploy.container_apps.logs import lines, text
from prodgy_ci.errors import ProdgyError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def azure() -> Iterator[Manager]:
    with resource_manager([App("api", sidecar=True)]) as manager:
        yield manager


@pytest.fixture
async def client(azure: Manager) -> AsyncIterator[Client]:
    async with connect(SecretStr(azure.token), azure.group, azure.subscription, azure.url) as client:
        yield client


async def read(client: Client, *revisions: str) -> list[str]:
    return [line async for line in lines(client, "api", revisions)]


def replica(place: str) -> dict[str, Any]:
    return {"value": [{"name": "x", "properties": {"containers": [{"name": "api", "logStreamEndpoint": place}]}}]}


async def test_each_container_of_a_revision_is_read_without_what_the_platform_says(
    azure: Manager, client: Client
) -> None:
    azure.apps["api"].log = ['{"level":"info"}', "  at line 7", "größer \u001b[31m"]
    assert await read(client, "api--first") == [f"{line}\n" for line in azure.apps["api"].log] * 2


async def test_a_revision_without_replicas_has_no_log_and_no_token_is_taken(azure: Manager, client: Client) -> None:
    azure.apps["api"].revisions["api--first"].active = False
    assert await read(client, "api--first") == []
    assert not azure.writes()


async def test_a_stream_that_refuses_is_told(azure: Manager, client: Client) -> None:
    azure.lie({"properties": {"token": "another"}}, method="POST", path="getAuthtoken")
    with pytest.raises(ProdgyError, match="api: its log stream answered 401"):
        await read(client, "api--first")
    azure.lie({"properties": {}}, method="POST", path="getAuthtoken")
    with pytest.raises(ProdgyError, match="api: getAuthtoken: Azure's answer has no token"):
        await read(client, "api--first")


async def test_no_token_is_sent_in_the_clear(azure: Manager, client: Client) -> None:
    azure.lie(replica("http://logs.example/stream"), path="replicas")
    with pytest.raises(ProdgyError, match=r"http://logs\.example: no token is sent there"):
        await read(client, "api--first")


async def test_local_is_this_machine_and_where_a_local_azure_answers(client: Client) -> None:
    there = Client(client._to, "subscription", "azure.service:8080")
    assert there.is_local("http://azure.service:8080/logs") and there.is_local("http://127.0.0.1:1/logs")
    assert not there.is_local("http://azure.service/logs") and not client.is_local("http://azure.service:8080/logs")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"TimeStamp": "2026-01-01T00:00:00", "Log": "boom"}', "boom"),
        ("2026-01-01T00:00:00Z stdout F boom", "2026-01-01T00:00:00Z stdout F boom"),
        ('{"message": "boom"}', '{"message": "boom"}'),
        ("7", "7"),
    ],
)
def test_a_line_that_is_not_the_streams_own_is_taken_as_it_is(line: str, expected: str) -> None:
    assert text(line) == expected
