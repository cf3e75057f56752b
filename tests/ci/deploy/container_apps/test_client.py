"""What the client does with each answer that is not the wished-for one."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
from fakes.resource_manager import Manager, resource_manager
from fakes.resource_manager.server import token
from pydantic import SecretStr

from prodgy_ci.deploy.container_apps.answers import Lost, OperationFailed, Refused
from prodgy_ci.deploy.container_apps.client import Client, Pace, connect, token_seconds_left
from prodgy_ci.errors import InputError, ProdgyError

pytestmark = pytest.mark.anyio

FAST = Pace(request=1, retries=1, busy=1, operation=1, poll=0.005, pause=0.005, longest_pause=0.02)
TRAFFIC = [{"revisionName": "api--first", "weight": 100}]
BODY = {"properties": {"configuration": {"ingress": {"traffic": TRAFFIC}}}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def azure() -> Iterator[Manager]:
    with resource_manager(["api"]) as manager:
        yield manager


def connected(azure: Manager, pace: Pace = FAST, **more: Any) -> AbstractAsyncContextManager[Client]:
    more = {"subscription": azure.subscription, **more}
    return connect(SecretStr(azure.token), azure.group, url=azure.url, pace=pace, **more)


@pytest.fixture
async def client(azure: Manager) -> AsyncIterator[Client]:
    async with connected(azure) as client:
        yield client


async def never() -> bool:
    return False


async def always() -> bool:
    return True


async def test_lists_are_read_to_their_last_page(azure: Manager, client: Client) -> None:
    azure.page_size = 1
    azure.apps["api"].add_revision("second", azure.apps["api"].template)
    assert [one["name"] for one in await client.revisions("api")] == ["api--first", "api--second"]


async def test_what_is_not_there_is_none(client: Client) -> None:
    assert await client.app("other") is None
    assert await client.revision("api", "api--other") is None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_read_is_repeated(azure: Manager, client: Client, status: int) -> None:
    azure.fail(method="GET", status=status, times=2)
    assert await client.app("api")
    assert len(azure.requests) == 3


async def test_a_read_is_repeated_after_a_cut_a_hang_and_what_is_no_answer_of_azure(azure: Manager) -> None:
    azure.cut(method="GET")
    azure.hang(method="GET", seconds=2)
    azure.lie("<html>")
    async with connected(azure, Pace(request=0.7, retries=5, pause=0.005)) as client:
        assert await client.app("api")
    assert len(azure.requests) == 4


async def test_a_read_is_not_repeated_for_ever(azure: Manager, client: Client) -> None:
    azure.fail(method="GET", status=503, times=1000)
    with pytest.raises(Refused, match="api: Azure answered 503 InternalServerError injected"):
        await client.app("api")


async def test_the_time_that_azure_asks_for_is_given(azure: Manager) -> None:
    azure.fail(method="GET", status=429, headers={"Retry-After": "1"})
    async with connected(azure, Pace(pause=0.001)) as client:
        start = time.monotonic()
        await client.app("api")
    assert time.monotonic() - start >= 1


@pytest.mark.parametrize(
    ("status", "code", "message", "told"),
    [
        (401, "ExpiredAuthenticationToken", "expired", "has ended .* take a new one: az account get-access-token"),
        (
            403,
            "AuthorizationFailed",
            "no right to perform action 'Microsoft.App/containerApps/write' over scope",
            "no right to Microsoft.App/containerApps/write .* Container Apps Contributor on the resource group prodgy-dev",
        ),
        (404, "ResourceNotFound", "not found", "check the names"),
        (400, "ContainerAppInvalidRevisionName", "Invalid name", "400 ContainerAppInvalidRevisionName Invalid name"),
        (409, "Conflict", "another reason", "409 Conflict another reason"),
    ],
)
async def test_an_error_that_waiting_does_not_mend_is_told_at_once(
    azure: Manager, client: Client, status: int, code: str, message: str, told: str
) -> None:
    azure.fail(method="PATCH", status=status, code=code, message=message)
    with pytest.raises(Refused, match=told) as raised:
        await client.patch("api", BODY, never)
    assert len(azure.requests) == 1
    assert azure.token not in str(raised.value)


@pytest.mark.parametrize("synchronous", [True, False])
async def test_a_change_has_ended_when_patch_returns(azure: Manager, client: Client, synchronous: bool) -> None:
    azure.synchronous, azure.apps["api"].operation_looks = synchronous, 3
    await client.patch("api", BODY, never)
    app = await client.app("api")
    assert app and app["properties"]["provisioningState"] == "Succeeded"
    assert app["properties"]["configuration"]["ingress"]["traffic"] == TRAFFIC


async def test_a_change_that_came_to_nothing_says_why(azure: Manager, client: Client) -> None:
    azure.fail_operation("api", "MANIFEST_UNKNOWN")
    with pytest.raises(OperationFailed, match="api: ContainerAppOperationError: MANIFEST_UNKNOWN"):
        await client.patch("api", BODY, never)


async def test_a_change_that_does_not_end_is_given_up(azure: Manager, client: Client) -> None:
    azure.apps["api"].operation_looks = 10**6
    with pytest.raises(ProdgyError, match="the change has not ended"):
        await client.patch("api", BODY, never)


async def test_another_operation_is_waited_for(azure: Manager, client: Client) -> None:
    azure.apps["api"].operation_seconds = 0.1
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.patch, "api", BODY, never)
        tasks.start_soon(client.patch, "api", BODY, never)
    assert len(azure.bodies) == 3


async def test_another_operation_is_not_waited_for_for_ever(azure: Manager, client: Client) -> None:
    azure.fail(method="PATCH", status=409, code="ContainerAppLockConflict", times=1000)
    with pytest.raises(Refused, match="ContainerAppLockConflict"):
        await client.patch("api", BODY, never)


async def test_a_lost_answer_is_settled_by_reading(azure: Manager, client: Client) -> None:
    azure.lose_answer(method="PATCH")
    await client.patch("api", BODY, always)
    azure.lose_answer(method="PATCH")
    await client.patch("api", BODY, never)
    assert len(azure.bodies) == 3


async def test_a_lost_answer_that_reading_does_not_settle_is_an_error(azure: Manager, client: Client) -> None:
    azure.cut(method="PATCH", times=1000)
    with pytest.raises(Lost, match="api: Azure could not be reached"):
        await client.patch("api", BODY, never)


async def test_the_token_goes_to_no_other_host(azure: Manager, client: Client) -> None:
    azure.lie({"value": [], "nextLink": "http://127.0.0.1:1/elsewhere"}, path="revisions")
    with pytest.raises(ProdgyError, match=r"another host: 127\.0\.0\.1:1"):
        await client.revisions("api")


async def test_activating_is_repeated_where_the_service_is_not_ready_for_it(azure: Manager, client: Client) -> None:
    await client.deactivate("api", "api--first")
    azure.fail(method="POST", status=400, code="RevisionNotReady")
    await client.activate("api", "api--first")
    assert azure.apps["api"].active() == ["api--first"]
    azure.fail(method="POST", status=400, code="Whatever")
    with pytest.raises(Refused, match=r"api--first: deactivate: .*Whatever"):
        await client.deactivate("api", "api--first")


async def test_requests_in_flight_are_bounded(azure: Manager) -> None:
    azure.hang(method="GET", seconds=3, times=2)
    async with connected(azure, Pace(pause=0.001), at_once=2) as client, anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(client.app, "api")
        with anyio.fail_after(2):
            while len(azure.requests) < 2:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        await anyio.sleep(0.05)
        assert len(azure.requests) == 2


async def test_the_subscription_is_the_only_one_that_holds_the_group(azure: Manager) -> None:
    azure.groups = {"other": ["prodgy-prod"], azure.subscription: ["Prodgy-Dev"]}
    async with connected(azure, subscription=None) as client:
        assert client.subscription == azure.subscription


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ({"one": ["prodgy-dev"], "two": ["prodgy-dev"]}, r"2 subscriptions hold .*\(one, two\): give .*--subscription"),
        ({"one": ["else"]}, r"no subscription that the token sees holds the resource group prodgy-dev \(one\)"),
        ({}, "it sees none"),
    ],
)
async def test_a_group_that_none_or_several_hold_is_an_error(
    azure: Manager, groups: dict[str, list[str]], told: str
) -> None:
    azure.groups = groups
    with pytest.raises(InputError, match=told):
        async with connected(azure, subscription=None):
            pass


@pytest.mark.parametrize("url", ["http://management.example", "ftp://127.0.0.1", "management.azure.com"])
async def test_the_token_is_sent_over_tls_alone(url: str) -> None:
    with pytest.raises(InputError, match="is not https"):
        async with connect(SecretStr("t"), "group", url=url):
            pass


def jwt(ends_in: float) -> SecretStr:
    return SecretStr(token(ends_in))


def test_a_token_tells_how_long_it_lasts() -> None:
    assert token_seconds_left(jwt(100)) == pytest.approx(100, abs=2)
    assert token_seconds_left(jwt(-50)) == pytest.approx(-50, abs=2)


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.e30.c", "a.W10.c"])
def test_a_token_that_does_not_tell_is_not_guessed_at(text: str) -> None:
    assert token_seconds_left(SecretStr(text)) is None


@pytest.mark.parametrize("given", ['{\n  "accessToken": "canary-token"\n}', "canary-token ", "\ufeffcanary-token"])
async def test_what_is_no_token_alone_is_refused_and_not_shown(azure: Manager, given: str) -> None:
    with pytest.raises(InputError, match="is no token alone on one line: take it from az account") as raised:
        async with connect(SecretStr(given), azure.group, url=azure.url):
            pass
    assert "canary" not in str(raised.value)


async def test_a_token_that_has_ended_is_told_before_anything_is_asked(azure: Manager) -> None:
    with pytest.raises(InputError, match="--arm-token: the token for Azure ended 2 min ago"):
        async with connect(jwt(-120), azure.group, url=azure.url):
            pass
    assert azure.requests == []


async def test_a_token_that_ends_soon_does_not_begin_a_change(
    azure: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connect(jwt(120), azure.group, azure.subscription, azure.url) as client:
        assert "lasts for 2 min more" in capsys.readouterr().err
        with pytest.raises(ProdgyError, match="does not last for a change"):
            client.check_token()
