"""The sample's services run together: a Playground message goes through all of them and comes back answered."""

import json
import sys
import uuid
from pathlib import Path

import dagger
import pytest
from dagger import dag
from end_to_end.conftest import REPOSITORY, Call

from prodgy_ci.catalog import load
from prodgy_ci.testing import stack

MESSAGE = """
import json, urllib.request

def ask(path, body=None, token=None):
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request("http://gateway:3004" + path, data, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)

token = ask("/api/login", {"email": "demo@prodgy.example", "password": "prodgy-demo"})["token"]
answer = ask("/api/playground/messages", {"message": "Does it all work together?"}, token)
pages = [urllib.request.urlopen(f"http://{host}/version.json", timeout=30).status for host in ("web:3000", "studio:3003")]
print(json.dumps({"health": ask("/health"), "answer": answer, "pages": pages}))
"""
NAMES = ("web", "studio", "service", "gateway")


@pytest.mark.anyio
async def test_a_playground_message_is_answered_through_the_gateway(
    runner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", runner)
    catalog = load((REPOSITORY / "prodgy-ci.toml").read_text())
    run = uuid.uuid4().hex
    async with dagger.connection(dagger.Config(log_output=sys.stderr, retry=None)):
        exclude = ["**/node_modules", "**/__pycache__"]
        source = dag.host().directory(str(REPOSITORY), include=["examples/prodgy"], exclude=exclude)
        running = await stack.start(source, catalog, NAMES, run, revision="abc123")
        client = stack.bound(dag.container().from_("python:3.13-slim"), {name: running[name] for name in NAMES})
        client = client.with_env_variable("PRODGY_RUN", run)
        said = json.loads(await client.with_exec(["python", "-c", MESSAGE]).stdout())
    assert said["health"]["status"] == "ok"
    assert said["health"]["revision"] == "abc123"
    assert said["answer"]["message"] == "Does it all work together?"
    assert said["answer"]["answer"]
    assert said["pages"] == [200, 200]


def test_a_service_that_cannot_be_built_is_named(repository: Path, call: Call) -> None:
    catalog = repository / "prodgy-ci.toml"
    catalog.write_text(catalog.read_text() + '\n[services.service]\ndockerfile = "none/Dockerfile"\n')
    done = call("stack", "up", repository=repository)
    assert done.returncode == 1
    assert "services.service.dockerfile: the source holds no" in done.stderr.partition("\nError: ")[2]
    assert "Exception in callback" not in done.stderr
