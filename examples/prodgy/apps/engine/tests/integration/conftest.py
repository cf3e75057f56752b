import os
import time
import uuid

import httpx
import pytest
import redis

REDIS_URL = os.environ.get("REDIS_URL") or "redis://redis:6379"
SERVICE_URL = os.environ.get("SERVICE_URL") or "http://engine:8001"


def until(what, probe, seconds=30):
    """Asks until the probe gives something true; fails with what was awaited and what was seen last."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            last = probe()
            if last:
                return last
        except (httpx.HTTPError, redis.RedisError, OSError) as error:
            last = error
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s: {what} (last: {last!r})")


@pytest.fixture
def store():
    with redis.Redis.from_url(REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        until("redis answers", client.ping)
        yield client


@pytest.fixture
def engine(store):
    with httpx.Client(base_url=SERVICE_URL, timeout=10, trust_env=False) as client:
        until("engine is healthy", lambda: client.get("/health").status_code == 200, 60)
        yield client


@pytest.fixture
def ask(engine):
    """Asks the engine a question; returns status and body."""

    def send(message, **more):
        token = os.environ.get("ENGINE_SERVICE_TOKEN")
        headers = {"x-service-token": token} if token else {}
        question = {"agent": "helper", "instructions": "", "message": message, **more}
        response = engine.post("/answers", json=question, headers=headers)
        return response.status_code, response.json()

    return send


@pytest.fixture
def question():
    """A question that nobody has asked before."""
    return f"What is {uuid.uuid4().hex}?"
