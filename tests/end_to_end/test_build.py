"""Services are built by one command, from what they may see alone."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from end_to_end.conftest import Call

CONTAINERS = ("api", "web", "service", "studio", "gateway", "agentic", "engine")


def test_all_containers_are_built_side_by_side_and_reported(call: Call, tmp_path: Path) -> None:
    done = call("build-all", "--services", ",".join(CONTAINERS), "-o", str(tmp_path / "builds.json"))
    assert done.returncode == 0, done.stderr
    services = {b["service"]: b for b in json.loads((tmp_path / "builds.json").read_text())["builds"]}
    assert {name: entry["error"] for name, entry in services.items()} == dict.fromkeys(CONTAINERS)
    for name, entry in services.items():
        assert entry["image"] == f"prodgy-{name}"
        assert entry["size"] > 1_000_000
        assert entry["seconds"] >= 0


def test_an_image_runs_as_an_ordinary_user_and_answers_on_its_port(call: Call) -> None:
    user = call("build", "--service", "api", "user")
    assert user.returncode == 0, user.stderr
    assert user.stdout.partition(":")[0].isdigit()
    assert user.stdout != "0"


def stamp(repository: Path, call: Call) -> str:
    """What a RUN instruction drew by chance: the same as long as its layer is cached."""
    done = call("build", "--service", "api", "file", "--path", "/stamp", "contents", repository=repository)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_only_what_a_service_may_see_builds_it_anew(repository: Path, call: Call) -> None:
    root = repository / "examples/prodgy"
    dockerfile = root / "apps/api/Dockerfile"
    dockerfile.write_text(
        "FROM node:18-alpine\nWORKDIR /app\nCOPY . .\n"
        'RUN node -e \'require("fs").writeFileSync("/stamp", require("crypto").randomUUID())\'\n'
    )
    first = stamp(repository, call)
    (root / "apps/web/added.txt").write_text("a change of another service")
    (repository / "docs/added.md").write_text("a change outside the monorepo")
    assert stamp(repository, call) == first
    (root / "apps/api/added.txt").write_text("a change of the service")
    second = stamp(repository, call)
    assert second != first
    (root / "packages/added.txt").write_text("a change of what services share")
    assert stamp(repository, call) != second


def test_a_failing_build_shows_the_commands_own_output_and_ends_with_its_code(repository: Path, call: Call) -> None:
    dockerfile = repository / "examples/prodgy/apps/web/Dockerfile"
    dockerfile.write_text("FROM node:18-alpine\nRUN echo what went wrong; exit 42\n")
    done = call("build", "--service", "web", repository=repository)
    assert done.returncode == 42
    assert "what went wrong" in done.stderr.rpartition("Error:")[2]
    assert "Traceback" not in done.stderr


def test_one_failing_service_hides_no_other(repository: Path, call: Call, tmp_path: Path) -> None:
    root = repository / "examples/prodgy"
    (root / "apps/web/Dockerfile").write_text("FROM node:18-alpine\nRUN echo web is broken; exit 3\n")
    (root / "apps/api/Dockerfile").write_text("FROM node:18-alpine\nRUN echo api is broken; exit 4\n")
    (root / "apps/studio/Dockerfile").write_text("FROM node:18-alpine\nRUN true\n")
    out = tmp_path / "builds.json"
    done = call("build-all", "--services", "api,web,studio", "-o", str(out), repository=repository)
    assert done.returncode == 0, done.stderr
    services = {b["service"]: b for b in json.loads(out.read_text())["builds"]}
    assert "api is broken" in services["api"]["error"]
    assert "exit code 3" in services["web"]["error"]
    assert services["studio"]["error"] is None


def image_digests(archive: Path) -> list[str]:
    """The digests of an OCI archive's manifests, which stand for all that is in them."""
    with tarfile.open(archive) as tar:
        index = tar.extractfile("index.json")
        assert index
        return [manifest["digest"] for manifest in json.load(index)["manifests"]]


def test_the_same_source_gives_the_same_image(repository: Path, call: Call, tmp_path: Path) -> None:
    other = tmp_path / "other/place"
    other.parent.mkdir()
    first = call("build", "--service", "web", "-o", str(tmp_path / "1.tar"), repository=repository)
    assert first.returncode == 0, first.stderr
    repository.rename(other)
    second = call("build", "--service", "web", "-o", str(tmp_path / "2.tar"), repository=other)
    assert second.returncode == 0, second.stderr
    assert image_digests(tmp_path / "1.tar") == image_digests(tmp_path / "2.tar")


def test_a_static_site_is_a_folder_of_files(call: Call, tmp_path: Path) -> None:
    done = call("build-static", "--service", "docs", "-o", str(tmp_path / "site"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/index.html").is_file()
    assert json.loads((tmp_path / "site/version.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--service", "engin"], "unknown service 'engin': did you mean 'engine'?"),
        (["build", "--service", "docs"], "call build-static --service docs"),
        (["build", "--service", "assistant"], "call build-artifact --service assistant"),
        (["build-static", "--service", "api"], "call build --service api"),
        (["build-all", "--services", "api,wbe"], "unknown service 'wbe': did you mean 'web'?"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_users_mistake_gets_one_message(call: Call, arguments: list[str], message: str) -> None:
    done = call(*arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_in_the_catalog_names_file_and_key(repository: Path, call: Call) -> None:
    (repository / "prodgy-ci.toml").write_text('root = "examples/prodgy"\n[services.api]\ndockerfil = "Dockerfile"\n')
    done = call("services", repository=repository)
    assert done.returncode == 1
    assert "prodgy-ci.toml: services.api.dockerfil: unknown key: did you mean 'dockerfile'?" in done.stderr


def test_a_container_service_may_become_a_static_site(repository: Path, call: Call) -> None:
    (repository / "prodgy-ci.toml").write_text('root = "examples/prodgy"\n[services.web]\ntarget = "static-web-app"\n')
    done = call("services", repository=repository)
    assert "static-web-app" in next(line for line in done.stdout.splitlines() if line.startswith("web "))
    done = call("build", "--service", "web", repository=repository)
    assert "call build-static --service web" in done.stderr
    done = call("build-static", "--service", "web", "entries", repository=repository)
    assert {"index.html", "version.json"} <= set(done.stdout.split())


def stand_in(folder: Path, commit: str) -> Path:
    """A zip in place of what a .NET SDK would build; it says so itself."""
    files = folder / "files"
    files.mkdir()
    (files / "STAND-IN.txt").write_text("This is no build of the assistant: it stands in for one in a test.")
    archive = folder / "artifacts/assistant.zip"
    archive.parent.mkdir()
    options = ["--service", "assistant", "--version", "1.2.3", "--commit", commit]
    command = [sys.executable, "-m", "prodgy_ci.images.archive", "pack", str(files), str(archive), *options]
    subprocess.run(command, check=True)
    return archive


def test_an_artifact_built_elsewhere_is_checked_and_taken(call: Call, tmp_path: Path) -> None:
    archive = stand_in(tmp_path, "a" * 40)
    given = ("build-artifact", "--service", "assistant", "--artifacts", str(archive.parent))
    done = call(*given, "--commit", "a" * 40, "-o", str(tmp_path / "out.zip"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.zip").read_bytes() == archive.read_bytes()
    assert call(*given, "--commit", "b" * 40).returncode == 1
    with zipfile.ZipFile(archive, "a") as changed:
        changed.writestr("added.dll", "smuggled in")
    done = call(*given)
    assert done.returncode == 1
    assert "added.dll" in done.stderr.partition("\nError: ")[2]
