"""What `scaffold` guesses of the sample is a catalog by which the sample is planned and built."""

from pathlib import Path

from end_to_end.conftest import Call
from end_to_end.test_plan import git

from prodgy_ci.catalog import load


def test_the_guess_for_the_sample_plans_and_builds(call: Call, repository: Path, tmp_path: Path) -> None:
    sample = repository / "examples/prodgy"
    done = call("--source", str(sample), "scaffold", "-o", str(tmp_path / "first"))
    assert done.returncode == 0, done.stderr
    assert {file.name for file in (tmp_path / "first").iterdir()} == {
        *("prodgy-ci.toml", "azure-pipelines.yml", "dagger.json"),
    }
    text = (tmp_path / "first/prodgy-ci.toml").read_text()
    assert {"api", "engine", "docs"} < set(load(text).services)
    (sample / "prodgy-ci.toml").write_text(text)
    git(sample, "init", "-q")
    git(sample, "add", "-A")
    git(sample, "commit", "-q", "-m", "first")
    done = call(f"--source={sample}", "plan", f"--git={sample}/.git", "--ref=refs/heads/main", "affected")
    assert set(done.stdout.split()) == set(load(text).services), done.stderr
    done = call(f"--source={sample}", "build-all", "--services=docs", "contents")
    assert done.returncode == 0 and '"error": null' in done.stdout, done.stderr
