"""One command plans, builds, tests, publishes and reports, whatever fails; another says whether all is well."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from end_to_end.conftest import Call
from end_to_end.test_plan import deployed, git
from fakes.registry import PASSWORD, USER, Registry, registry

HOSTILE = "##vso[task.setvariable variable=hostile]1"
ALWAYS = {"run.json", "plan.json", "deployed.json", "builds.json", "tests.json", "verdict.json", "summary.md"} | {
    "report.html",
    "annotations.txt",
}


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "registry", login=True) as started:
        yield started


@pytest.fixture
def history(repository: Path) -> Path:
    """The copy with two commits: the second changes docs alone."""
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "first")
    change(repository, {"docs/content/index.md": "# Prodgy\n\nChanged.\n"})
    return repository


def change(repository: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (repository / "examples/prodgy/apps" / path).write_text(text)
    git(repository, "commit", "-q", "-a", "-m", "more")


class Run:
    """A run of `ci` after which its files lie in `out`."""

    def __init__(self, call: Call, repository: Path, out: Path, held: Registry, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PUBLISHER", PASSWORD)
        given = ("--ref=refs/heads/main", f"--deployed={deployed(repository)}", "--annotations=azure")
        place = (f"--registry={held.host}", f"--registry-service=tcp://{held.host}")
        login = (f"--username={USER}", "--password=env://PUBLISHER")
        self.done = call("ci", *given, *place, *login, "-o", str(out), repository=repository)
        self.call, self.repository, self.out = call, repository, out

    def texts(self) -> dict[str, str]:
        files = (file for file in self.out.rglob("*") if file.is_file())
        return {file.relative_to(self.out).as_posix(): file.read_text() for file in files}

    def json(self, path: str) -> dict[str, object]:
        made: dict[str, object] = json.loads((self.out / path).read_text())
        return made

    def verdict(self) -> subprocess.CompletedProcess[str]:
        return self.call("verdict", "--report", str(self.out), repository=self.repository)


def test_what_changed_is_built_tested_and_published(
    history: Path, call: Call, held: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(call, history, tmp_path / "out", held, monkeypatch)
    assert run.done.returncode == 0, run.done.stderr
    assert set(run.texts()) == {*ALWAYS, "images.json", "junit/docs-unit.xml", "logs/docs-unit.txt"}
    assert run.json("plan.json")["head"] == git(history, "rev-parse", "HEAD")
    images = run.json("images.json")["images"]
    assert isinstance(images, dict)
    assert {name: image["result"] for name, image in images.items()} == {"docs": "pushed"}
    assert any("manifests" in request for request in held.writes())
    assert run.json("verdict.json")["passed"] is True
    done = run.verdict()
    assert done.returncode == 0 and "docs     ✓" in done.stdout and "for development: passed" in done.stdout
    (run.out / "tests.json").unlink()
    done = run.verdict()
    assert done.returncode == 1 and "could not tell: tests.json is missing" in done.stderr


def test_what_fails_is_told_with_the_rest_and_nothing_it_prints_is_a_command(
    history: Path, call: Call, held: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = (
        f"import {{ test }} from 'node:test';\ntest('{HOSTILE}', () => {{ throw new Error('##[error]{HOSTILE}') }});\n"
    )
    dockerfile = f"FROM node:18-alpine AS test\nRUN echo '{HOSTILE}'; exit 7\n"
    change(history, {"docs/test/unit/markdown.test.js": test, "web/Dockerfile": dockerfile})
    run = Run(call, history, tmp_path / "out", held, monkeypatch)
    assert run.done.returncode == 0, run.done.stderr
    texts = run.texts()
    assert set(texts) == {*ALWAYS, "junit/docs-unit.xml", *(f"logs/{name}.txt" for name in LOGS)}
    assert held.writes() == []
    annotations = texts.pop("annotations.txt").splitlines()
    assert {line.partition("]")[0] for line in annotations if line.startswith("##")} == {
        *("##vso[task.logissue type=error;", "##[group", "##[endgroup")
    }
    assert not [line for line in annotations if "##" in line.removeprefix("##")]
    assert not [path for path, text in texts.items() if "##vso[" in text or "##[" in text]
    assert HOSTILE in json.dumps(run.json("builds.json"))
    done = run.verdict()
    assert done.returncode == 1 and "Traceback" not in done.stderr
    said = done.stderr.partition("\nError: ")[2]
    assert "build of web failed: exit code 7" in said
    assert "unit tests of web failed: as its build did" in said
    assert "unit tests of docs failed: 1 of " in said
    assert "# #vso[task.setvariable" in said and "##" not in said


LOGS = ("docs-unit", "web-unit", "web-integration")
