"""The plan is the same in a container as from the plain command, and says why."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from end_to_end.conftest import Call


def git(repository: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *settings, *arguments], cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def history(repository: Path) -> Path:
    """The copy with two commits: the second changes web and one file that all Node services use."""
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "first")
    (repository / "examples/prodgy/apps/web/pages/index.html").write_text("changed")
    git(repository, "commit", "-q", "-a", "-m", "second")
    return repository


def deployed(repository: Path) -> Path:
    record = {"commit": git(repository, "rev-parse", "HEAD~1"), "digest": "sha256:" + "0" * 64}
    names = ("api", "web", "service", "studio", "gateway", "agentic", "engine", "assistant", "docs")
    path = repository.parent / "deployed.json"
    path.write_text(
        json.dumps({"schema_version": 1, "environment": "development", "services": dict.fromkeys(names, record)})
    )
    return path


def test_only_what_changed_since_the_deployed_commit_is_built(history: Path, call: Call) -> None:
    arguments = ("--ref=refs/heads/main", f"--deployed={deployed(history)}")
    assert call("plan", *arguments, "affected", repository=history).stdout.split() == ["web"]
    table = call("plan", *arguments, "table", repository=history).stdout
    assert "web        build" in table
    assert "apps/web/pages/index.html" in table


def test_container_and_plain_command_give_the_same_bytes(history: Path, call: Call) -> None:
    arguments = ("--ref=refs/heads/main", f"--deployed={deployed(history)}")
    plain = subprocess.run(
        [sys.executable, "-m", "prodgy_ci.changes", f"--repository={history}", *arguments],
        capture_output=True,
        check=True,
    )
    done = call("plan", *arguments, "json", "contents", repository=history)
    assert done.stdout.encode() == plain.stdout


def test_what_cannot_be_told_is_an_error_and_no_plan(history: Path, call: Call) -> None:
    done = call("plan", "--ref=refs/heads/main", f"--base={'1' * 40}", "table", repository=history)
    assert done.returncode == 1
    assert "1111111" in done.stderr.partition("\nError: ")[2]
    assert done.stdout == ""


def test_what_is_given_in_the_place_of_a_file_or_repository_is_named_as_the_user_knows_it(
    history: Path, call: Call, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text("{")
    done = call("plan", "--ref=refs/heads/main", f"--deployed={tmp_path}/bad.json", "table", repository=history)
    assert "--deployed: not valid JSON" in done.stderr.partition("\nError: ")[2]
    done = call("plan", "--ref=refs/heads/main", "--git=.", "table", repository=history)
    assert "--git: there is no repository; give the folder .git of one" in done.stderr.partition("\nError: ")[2]


def test_a_ref_that_is_not_full_is_refused(history: Path, call: Call) -> None:
    done = call("plan", "--ref=main", "table", repository=history)
    assert "refs/heads/main" in done.stderr.partition("\nError: ")[2]


def test_the_catalog_of_the_sample_covers_its_workspace(call: Call, repository: Path) -> None:
    assert call("check-catalog").returncode == 0
    (repository / "prodgy-ci.toml").write_text(
        'root = "examples/prodgy"\n[rules.node-workspace]\npaths = ["pnpm-lock.yaml"]\n'
    )
    done = call("check-catalog", repository=repository)
    assert done.returncode == 1
    assert "packages/http-service" in done.stderr.partition("\nError: ")[2]
