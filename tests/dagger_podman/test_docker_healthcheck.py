"""A service with Docker's health check is ready when that passes; its ports are not asked."""

import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import dagger
import pytest
from dagger import dag

PYTHON = "python:3.13-slim"
pytestmark = pytest.mark.anyio


async def test_a_service_is_ready_when_its_health_check_passes(session: None) -> None:
    script = f"sleep 1; echo {time.time_ns()} > /tmp/ready; python3 -m http.server 8000"
    server = dag.container().from_(PYTHON).with_exposed_port(9999).with_default_args(["sh", "-c", script])
    checked = server.with_docker_healthcheck(["test -s /tmp/ready"], shell=True, interval="100ms", retries=50)
    service = await checked.as_service().start()
    await service.stop(kill=True)


async def test_a_health_check_that_fails_too_often_is_told(session: None) -> None:
    server = dag.container().from_(PYTHON).with_default_args(["sleep", str(60 + time.time_ns() % 1000)])
    failing = server.with_docker_healthcheck(["sh", "-c", "echo not yet; exit 3"], interval="10ms", retries=2)
    with pytest.raises(dagger.QueryError) as told:
        await failing.as_service().start()
    extensions = told.value.errors[0].extensions or {}
    assert (extensions["exitCode"], extensions["stdout"].strip()) == (3, "not yet")


async def test_what_was_said_is_given_back(session: None) -> None:
    checked = dag.container().with_docker_healthcheck(
        ["true", "x"], timeout="90s", interval="500ms", start_period="1h0m1.5s"
    )
    health = checked.docker_healthcheck()
    assert (await health.args(), await health.shell(), await health.retries()) == (["true", "x"], False, 0)
    times = [
        await health.timeout(),
        await health.interval(),
        await health.start_period(),
        await health.start_interval(),
    ]
    assert times == ["1m30s", "500ms", "1h0m1.5s", "0s"]
    with pytest.raises(dagger.QueryError, match="invalid duration '5 minutes'"):
        await dag.container().with_docker_healthcheck(["true"], interval="5 minutes").sync()
    with pytest.raises(dagger.QueryError, match="single element"):
        await dag.container().with_docker_healthcheck(["a", "b"], shell=True).sync()


async def test_a_dockerfile_s_health_check_and_shell_are_kept(session: None, tmp_path: Path) -> None:
    dockerfile = f"""FROM {PYTHON}
SHELL ["/bin/bash", "-c"]
RUN [[ -n "$BASH_VERSION" ]] && date +%N > /stamp
RUN [[ -n "$BASH_VERSION" ]] && date +%N > /again
HEALTHCHECK --interval=7s --retries=2 CMD test -f /stamp
"""
    built = dag.directory().with_new_file("Dockerfile", dockerfile).docker_build()
    health = built.with_env_variable("A", "1").docker_healthcheck()
    assert (await health.args(), await health.shell()) == (["test -f /stamp"], True)
    assert (await health.interval(), await health.retries()) == ("7s", 2)
    await built.as_tarball().export(str(tmp_path / "image.tar"))
    with tarfile.open(tmp_path / "image.tar") as image:
        files = {name: image.extractfile(name) for name in image.getnames() if "blobs/" in name or name == "index.json"}

        def read(digest: str) -> Any:
            return json.load(files[f"blobs/sha256/{digest.removeprefix('sha256:')}"] or io.BytesIO())

        manifest = read(json.load(files["index.json"] or io.BytesIO())["manifests"][0]["digest"])
        kept = read(manifest["config"]["digest"])["config"]["Healthcheck"]
    assert kept == {"Test": ["CMD-SHELL", "test -f /stamp"], "Interval": 7 * 10**9, "Retries": 2}
