"""The fake keeps the rules of the real one that deployments rely on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes.resource_manager import SCALED_TO_ZERO, App, Manager, resource_manager

NEW = "registry.test/prodgy-engine@sha256:" + "1" * 64


@pytest.fixture
def manager() -> Iterator[Manager]:
    with resource_manager(["engine", App("worker", ingress=False), App("old", mode="Single")]) as manager:
        yield manager


@pytest.fixture
def client(manager: Manager) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {manager.token}"}
    with httpx.Client(base_url=manager.url, headers=headers, params={"api-version": "2025-07-01"}) as client:
        yield client


def template(suffix: str, image: str = NEW) -> dict[str, Any]:
    variables = [{"name": "PRODGY_REVISION", "value": "b" * 40}]
    containers = [{"name": "engine", "image": image, "env": variables}]
    return {"properties": {"template": {"revisionSuffix": suffix, "containers": containers}}}


def traffic(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"configuration": {"ingress": {"traffic": list(entries)}}}}


def patched(client: httpx.Client, app: App, body: dict[str, Any]) -> dict[str, Any]:
    """The operation's end."""
    answer = client.patch(app.id, json=body)
    assert answer.status_code == 202, answer.text
    while True:
        operation: dict[str, Any] = client.get(answer.headers["Azure-AsyncOperation"]).json()
        if operation["status"] != "InProgress":
            return operation


def states(client: httpx.Client, path: str, times: int) -> list[str]:
    answers = [client.get(path) for _ in range(times)]
    return ["404" if one.status_code == 404 else one.json()["properties"]["healthState"] for one in answers]


def health(client: httpx.Client, manager: Manager, fqdn: str) -> str:
    answer = client.get(manager.public_url(fqdn) + "/health")
    return str(answer.json()["revision"][:1]) if answer.status_code == 200 else str(answer.status_code)


def test_a_revision_comes_up_beside_the_former_and_gets_traffic_by_weight(
    manager: Manager, client: httpx.Client
) -> None:
    app = manager.apps["engine"]
    pinned = template("r1") | traffic({"revisionName": "engine--first", "weight": 100})
    pinned["properties"] |= template("r1")["properties"]
    assert patched(client, app, pinned)["status"] == "Succeeded"
    assert states(client, f"{app.id}/revisions/engine--r1", 4) == ["404", "None", "Unhealthy", "Healthy"]
    assert (health(client, manager, app.fqdn), health(client, manager, f"engine--r1.{app.host}")) == ("a", "b")
    first, second = {"revisionName": "engine--first", "weight": 75}, {"revisionName": "engine--r1", "weight": 25}
    patched(client, app, traffic(first, second | {"label": "next"}))
    assert sorted(health(client, manager, app.fqdn) for _ in range(100)) == ["a"] * 75 + ["b"] * 25
    assert health(client, manager, f"engine---next.{app.host}") == "b"


def test_the_latest_ready_revision_gets_the_traffic_that_names_none(manager: Manager, client: httpx.Client) -> None:
    app = manager.apps["engine"]
    patched(client, app, template("r1"))
    assert health(client, manager, app.fqdn) == "a"
    states(client, f"{app.id}/revisions/engine--r1", 4)
    assert health(client, manager, app.fqdn) == "b"


def test_broken_and_missing_images(manager: Manager, client: httpx.Client) -> None:
    app = manager.apps["engine"]
    manager.broken_digests.add(NEW.rpartition("@")[2])
    patched(client, app, template("r1"))
    path = f"{app.id}/revisions/engine--r1"
    assert "Healthy" not in states(client, path, 8)
    (replica,) = client.get(f"{path}/replicas").json()["value"]
    assert replica["properties"]["containers"][0]["restartCount"] > 1
    manager.missing_digests.add("sha256:" + "2" * 64)
    ended = patched(client, app, template("r2", NEW.replace("1", "2")))
    assert ended["error"]["code"] == "ContainerAppOperationError" and "MANIFEST_UNKNOWN" in ended["error"]["message"]
    assert "engine--r2" not in app.revisions


def test_a_suffix_that_is_taken_fails_only_in_the_operation(manager: Manager, client: httpx.Client) -> None:
    assert "already exists" in patched(client, manager.apps["engine"], template("first"))["error"]["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (template("1a"), "ContainerAppInvalidRevisionName"),
        (template("r" * 60), "ContainerAppInvalidRevisionName"),
        (traffic({"revisionName": "engine--first", "weight": 99}), "ContainerAppInvalidTrafficWeight"),
        (traffic({"revisionName": "engine--none", "weight": 100}), "RevisionNotFound"),
        ({"properties": {"configuration": {"secrets": [{"name": "database"}]}}}, "ContainerAppSecretInvalid"),
    ],
    ids=["suffix starts with a digit", "name too long", "weights", "unknown revision", "secret without a value"],
)
def test_refused(client: httpx.Client, manager: Manager, body: dict[str, Any], code: str) -> None:
    answer = client.patch(manager.apps["engine"].id, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_nonsense_that_is_accepted(manager: Manager, client: httpx.Client) -> None:
    app = manager.apps["engine"]
    assert client.post(f"{app.id}/revisions/engine--first/deactivate").status_code == 200
    entry = {"revisionName": "engine--first", "weight": 100}
    assert patched(client, app, traffic(entry))["status"] == "Succeeded"
    assert health(client, manager, app.fqdn) == "404"
    assert client.post(f"{app.id}/revisions/engine--first/activate").status_code == 200
    assert states(client, f"{app.id}/revisions/engine--first", 3)[-1] == "Healthy"


def test_one_operation_at_a_time(manager: Manager, client: httpx.Client) -> None:
    app = manager.apps["engine"]
    app.operation_looks = 2
    assert client.patch(app.id, json=template("r1")).status_code == 202
    busy = client.patch(app.id, json=template("r2"))
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "ContainerAppOperationInProgress")


def test_what_a_read_leaves_out(manager: Manager, client: httpx.Client) -> None:
    text = client.get(manager.apps["engine"].id).text
    assert "canary-app-secret" not in text and '{"name": "EMPTY"}' in text


def test_single_mode_moves_by_itself(manager: Manager, client: httpx.Client) -> None:
    app = manager.apps["old"]
    patched(client, app, template("r1"))
    states(client, f"{app.id}/revisions/old--r1", 4)
    assert app.active() == ["old--r1"] and app.traffic() == {"old--r1": 100}


def test_scaled_to_zero_until_it_is_asked(manager: Manager, client: httpx.Client) -> None:
    app = manager.apps["engine"]
    app.timeline = SCALED_TO_ZERO
    patched(client, app, template("r1"))
    assert states(client, f"{app.id}/revisions/engine--r1", 4)[-1] == "None"
    assert health(client, manager, f"engine--r1.{app.host}") == "b"
    assert states(client, f"{app.id}/revisions/engine--r1", 1) == ["Healthy"]


def test_faults(manager: Manager, client: httpx.Client) -> None:
    app = manager.apps["engine"]
    manager.fail(method="PATCH", app="engine", status=409, code="ContainerAppLockConflict")
    manager.lose_answer(method="PATCH", app="engine", body='"r1"')
    manager.hang(method="GET", path="/revisions$", seconds=0.01)
    manager.lie({"value": "?"}, path="/subscriptions$")
    assert client.patch(app.id, json=template("r1")).status_code == 409
    with pytest.raises(httpx.RemoteProtocolError):
        client.patch(app.id, json=template("r1"))
    assert "engine--r1" in app.revisions
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{app.id}/revisions")
    assert client.get("/subscriptions").json() == {"value": "?"}
    assert manager.writes() == [f"PATCH {app.id}"] * 2


def test_tokens_and_pages(manager: Manager, client: httpx.Client) -> None:
    manager.groups["second"] = ["x", "y"]
    manager.page_size = 1
    first = client.get("/subscriptions").json()
    assert httpx.get(first["nextLink"], headers=client.headers).json()["value"][0]["subscriptionId"] == "second"
    assert "nextLink" in client.get("/subscriptions/second/resourcegroups").json()
    manager.expire_token()
    assert client.get("/subscriptions").json()["error"]["code"] == "ExpiredAuthenticationToken"


def test_as_a_program() -> None:
    folder = Path(__file__).parents[2]
    command = [sys.executable, "-m", "fakes.resource_manager", "--apps", "engine,app-gateway=gateway"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as program:
        assert program.stdout
        told = json.loads(program.stdout.readline())
        headers = {"Authorization": f"Bearer {told['token']}"}
        answer = httpx.get(told["url"] + "/subscriptions", params={"api-version": "1"}, headers=headers)
        assert answer.json()["value"][0]["subscriptionId"] == told["subscription"]
        fqdn = App("app-gateway").fqdn
        assert httpx.get(told["public"].format(fqdn=fqdn) + "/health").json()["service"] == "gateway"
        program.terminate()
