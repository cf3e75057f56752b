import pytest
from fastapi.testclient import TestClient
from redis.exceptions import ConnectionError as RedisConnectionError

from engine.app import create_app

QUESTION = {"agent": "helper", "instructions": "be brief", "message": "What is Redis?"}


class MemoryStore:
    def __init__(self):
        self.values, self.seconds, self.gone = {}, {}, False

    async def get(self, name):
        if self.gone:
            raise RedisConnectionError("gone")
        return self.values.get(name)

    async def set(self, name, value, ex):
        self.values[name], self.seconds[name] = value, ex


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def client(store):
    return TestClient(create_app(store))


def test_the_second_answer_comes_from_the_cache(client):
    first = client.post("/answers", json=QUESTION).json()
    second = client.post("/answers", json=QUESTION).json()
    assert (first["cached"], second["cached"]) == (False, True)
    assert first["answer"] == second["answer"]


def test_an_answer_is_kept_for_as_long_as_the_question_says(client, store):
    client.post("/answers", json={**QUESTION, "cache_seconds": 7})
    assert list(store.seconds.values()) == [7]


def test_an_answer_is_kept_for_cache_seconds_by_default(store, monkeypatch):
    monkeypatch.setenv("CACHE_SECONDS", "12")
    TestClient(create_app(store)).post("/answers", json=QUESTION)
    assert list(store.seconds.values()) == [12]


@pytest.mark.parametrize("change", [{"message": ""}, {"agent": None}, {"cache_seconds": 0}])
def test_a_question_that_makes_no_sense_is_refused(client, change):
    assert client.post("/answers", json={**QUESTION, **change}).status_code == 422


def test_health_tells_the_revision(client, monkeypatch):
    monkeypatch.setenv("PRODGY_REVISION", "abc123")
    response = client.get("/health")
    assert response.status_code == 200
    expected = {"status": "ok", "service": "engine", "revision": "abc123", "dependencies": {"redis": "ok"}}
    assert response.json() == expected


def test_without_redis_health_and_answers_are_503_and_come_back(client, store):
    store.gone = True
    assert client.get("/health").status_code == 503
    assert client.get("/health").json()["dependencies"] == {"redis": "down"}
    assert client.post("/answers", json=QUESTION).status_code == 503
    store.gone = False
    assert client.post("/answers", json=QUESTION).status_code == 200


def test_a_service_token_is_required_where_one_is_set(client, monkeypatch):
    monkeypatch.setenv("ENGINE_SERVICE_TOKEN", "right")
    refused = client.post("/answers", json=QUESTION, headers={"x-service-token": "wrong"})
    assert (refused.status_code, refused.json()) == (403, {"error": "service token missing or wrong"})
    assert client.post("/answers", json=QUESTION, headers={"x-service-token": "right"}).status_code == 200
