"""A run is what its folder holds."""

import json
from pathlib import Path

import pytest
from fakes import pipeline_run

from prodgy_ci.errors import InputError
from prodgy_ci.report import run


def test_a_folder_is_read_with_its_logs_and_checks(tmp_path: Path) -> None:
    files = pipeline_run.failed()
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "logs/binary.txt").write_bytes(b"\xff\x00")
    made = run.load(tmp_path)
    assert made.texts["logs/engine-unit.txt"] == "1 failed" and "logs/binary.txt" in made.texts
    assert not made.missing and not made.broken
    assert made.about and made.plan and made.builds and made.tests and made.images and made.deployments
    assert made.deployed and made.deployed.commits == {"api": pipeline_run.BEFORE}
    assert [checks.list for checks in made.checks] == ["verify"]


def test_the_checks_of_a_deployment_are_read_with_it() -> None:
    files = pipeline_run.failed()
    deployments = json.loads(files["deployments.json"]) | {"checks": [json.loads(files["checks/verify.json"])]}
    made = run.read(files | {"deployments.json": json.dumps(deployments)})
    assert [checks.list for checks in made.checks] == ["verify", "verify"]


def test_an_empty_folder_has_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    assert run.load(tmp_path).missing == run.NEEDED


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        run.load(tmp_path / "out")


def test_a_broken_file_is_named_with_the_key() -> None:
    made = run.read(pipeline_run.passed() | {"run.json": "{}", "builds.json": '{"builds": [{}]}'})
    assert made.about is None and "ref: Field required" in made.broken["run.json"]
    assert "builds.0.service" in made.broken["builds.json"]
