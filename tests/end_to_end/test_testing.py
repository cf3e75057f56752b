"""Tests run in containers, apart from every other run, and fail loudly."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import dagger
import pytest
from dagger import dag
from end_to_end.conftest import REPOSITORY, Call

from prodgy_ci.catalog import load
from prodgy_ci.testing import run, stack

ENGINE = "examples/prodgy/apps/engine"


def test_integration_tests_run_against_a_redis_of_their_own(call: Call) -> None:
    done = call("integration-test", "--service", "engine")
    assert done.returncode == 0, done.stderr
    assert "engine   integration  passed   6" in done.stdout


def test_every_service_with_tests_passes_and_is_reported(call: Call, tmp_path: Path) -> None:
    done = call("test-report", "--integration", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    outcomes = json.loads((tmp_path / "tests.json").read_text())["tests"]
    assert {(o["service"], o["kind"]): o["reason"] for o in outcomes if o["verdict"] != "passed"} == {}
    assert {o["service"] for o in outcomes} == {
        "api",
        "web",
        "service",
        "studio",
        "gateway",
        "agentic",
        "engine",
        "docs",
    }
    for o in outcomes:
        assert o["tests"] > 0
        assert (tmp_path / f"junit/{o['service']}-{o['kind']}.xml").is_file()
        assert (tmp_path / f"logs/{o['service']}-{o['kind']}.txt").is_file()


def test_a_broken_service_fails_with_the_failing_tests_output(repository: Path, call: Call, tmp_path: Path) -> None:
    (repository / ENGINE / "tests/unit/test_broken.py").write_text('def test_it():\n    assert "this" == "that"\n')
    done = call("test", "--service", "engine", repository=repository)
    assert done.returncode == 1
    said = done.stderr.partition("\nError: ")[2]
    assert "1 of 16 tests failed" in said
    assert "test_broken" in said
    assert "'this' == 'that'" in said
    done = call("test-report", "--services", "engine", "-o", str(tmp_path / "out"), repository=repository)
    assert done.returncode == 0
    (outcome,) = json.loads((tmp_path / "out/tests.json").read_text())["tests"]
    assert (outcome["verdict"], outcome["failed"]) == ("failed", 1)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo so far; sleep 100", "it did not end within 3 s"),
        ("kill -9 $$", "it was killed (exit code 137)"),
        ("echo '<html/>' > /reports/unit.xml", "begins with <html>"),
        ("echo '<testsuites' > /reports/unit.xml", "is not XML"),
        ("echo '<testsuites/>' > /reports/unit.xml", "no test was executed"),
        ("true", "it wrote no /reports/unit.xml"),
        ("head -c 1000000 /dev/urandom; exit 3", "exit code 3"),
    ],
    ids=["hangs", "killed", "other-xml", "no-xml", "zero-tests", "no-report", "a-megabyte-of-garbage"],
)
def test_what_a_test_command_may_do_wrong_is_named(repository: Path, call: Call, script: str, reason: str) -> None:
    (repository / ENGINE / "unit-test.sh").write_text(f"{script}\n")
    done = call("test", "--service", "engine", "--deadline", "3", repository=repository)
    assert done.returncode == 1
    assert reason in done.stderr.partition("\nError: ")[2]
    assert "Traceback" not in done.stderr
    if "so far" in script:
        assert "so far" in done.stderr.partition("\nError: ")[2]


def test_a_dockerfile_without_the_stage_is_named(repository: Path, call: Call) -> None:
    (repository / "examples/prodgy/apps/web/Dockerfile").write_text("FROM node:18-alpine\n")
    done = call("test", "--service", "web", repository=repository)
    assert done.returncode == 1
    assert "examples/prodgy/apps/web/Dockerfile has no stage 'test'" in done.stderr


def test_what_cannot_be_tested_is_said(call: Call) -> None:
    assert "service 'assistant' has no Dockerfile" in call("test", "--service", "assistant").stderr
    assert "service 'docs' has no container that runs" in call("integration-test", "--service", "docs").stderr


def test_an_interrupted_run_leaves_nothing_behind(runner: str, call: Call) -> None:
    if os.path.basename(runner) != "dagger-podman":
        pytest.skip("an engine clears up after the command has ended")
    process = subprocess.Popen(
        [runner, "call", "--progress=plain", "integration-test", "--service", "engine"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    for line in process.stderr:
        if "integration-test.sh" in line:
            break
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    left = subprocess.run(["podman", "ps", "-aq", "--filter", "label=dagger-podman"], capture_output=True, check=True)
    assert left.stdout == b""


@pytest.mark.anyio
async def test_a_redis_image_that_is_missing_is_named(runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", runner)
    monkeypatch.setattr(stack, "REDIS_IMAGE", "127.0.0.1:1/none:1")
    monkeypatch.setitem(stack._QUESTIONS, "redis", ("127.0.0.1:1/none:1", "true"))
    catalog = load((REPOSITORY / "prodgy-ci.toml").read_text())
    async with dagger.connection(dagger.Config(log_output=sys.stderr, retry=None)):
        source = dag.host().directory(str(REPOSITORY), include=["examples/prodgy"], exclude=["**/node_modules"])
        outcomes = await run.all_of(source, catalog, [catalog.service("engine")], ["integration"], 60)
    (outcome,) = outcomes.tests
    assert outcome.verdict == "failed"
    assert "127.0.0.1:1/none:1" in (outcome.reason or "")
