"""What was published goes to other registries as it is, and each image is pushed once on the whole way."""

import contextlib
import gzip
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Set
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from end_to_end.conftest import Call
from end_to_end.publish.publishing import Publishing, digests, git, reach, results
from fakes.registry import PASSWORD, WATCHED_PASSWORD, WATCHED_USER, Registry, registry

from dagger_podman.store import default_folder
from prodgy_ci.images import promote
from prodgy_ci.images.record import Images


@pytest.mark.anyio
async def test_promotion_keeps_digests_and_reuse_builds_nothing(job: Publishing, tmp_path: Path) -> None:
    published = await job.run(ref="refs/tags/v2.0.0")
    with registry(tmp_path / "target", login=True) as target:
        here, there = await reach(job.registry.host, PASSWORD), await reach(target.host, PASSWORD, "--to")
        tried = await promote.promote(published, here, there, dry_run=True)
        assert set(results(tried).values()) == {"would promote"}
        assert target.writes() == []
        promoted = await promote.promote(published, here, there, dry_run=False)
        written = target.writes()
        again = await promote.promote(published, here, there, dry_run=False)
        assert target.writes() == written
    assert digests(again) == digests(promoted) == digests(published)
    assert set(results(promoted).values()) == {"promoted"}
    assert set(results(again).values()) == {"found"}
    assert promoted.images["hello"].reference == (
        f"{target.host}/team/prodgy-hello:{published.commit}@{published.images['hello'].digest}"
    )
    with registry(tmp_path / "production", login=True) as production:
        staging = await reach(job.registry.host, PASSWORD, "--reuse-from")
        reused = await job.run(through=production, reuse=staging)
    assert set(results(reused).values()) == {"reused"}
    assert digests(reused) == digests(published)


@contextlib.contextmanager
def command_lines() -> Iterator[list[str]]:
    """The command lines of this machine's processes meanwhile, those alone that hold the password."""
    told: list[str] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    told.extend([line] if WATCHED_PASSWORD in (line := file.read_text(errors="replace")) else [])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()


def manifests(target: Registry) -> Counter[str]:
    """How often each manifest was written."""
    return Counter(request for request in target.writes() if "/manifests/" in request)


def test_plan_publish_promote_push_each_image_once(
    call: Call, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_PASSWORD", WATCHED_PASSWORD)
    git(repository, "add", "-A")
    git(repository, "commit", "--quiet", "--message=one")
    names, before = ("api", "docs"), cached()
    plan, images, promoted, boms = (tmp_path / name for name in ("plan.json", "images.json", "promoted.json", "sbom"))
    printed = []

    def done(*arguments: str) -> None:
        ended = call(*arguments, repository=repository)
        printed.append(ended.stdout + ended.stderr)
        assert ended.returncode == 0, printed[-1]

    def login(side: str = "") -> tuple[str, str]:
        return f"--{side}username={WATCHED_USER}", f"--{side}password=env://REGISTRY_PASSWORD"

    with (
        registry(tmp_path / "one", login=True) as first,
        registry(tmp_path / "two", login=True) as second,
        command_lines() as told,
    ):
        done("plan", "--ref=refs/heads/main", f"--services={','.join(names)}", "json", "-o", str(plan))
        there = f"--registry-service=tcp://{first.host}"
        for _ in range(2):
            done("publish", f"--plan={plan}", f"--registry={first.host}", there, *login(), "-o", str(images))
        published = Images.model_validate_json(images.read_text())
        assert results(published) == dict.fromkeys(names, "found")
        assert manifests(first) == {f"PUT /v2/prodgy-{name}/manifests/{published.commit}": 1 for name in names}

        # What follows needs images.json alone: neither the plan nor the monorepo nor its history.
        plan.unlink()
        shutil.rmtree(repository / "examples")
        shutil.rmtree(repository / ".git")
        (repository / "prodgy-ci.toml").unlink()
        services = f"--from-service=tcp://{first.host}", f"--to-service=tcp://{second.host}"
        for _ in range(2):
            to = f"--to={second.host}/prod"
            done("promote", f"--images={images}", to, *login("from-"), *login("to-"), *services, "-o", str(promoted))
        assert set(manifests(second).values()) == {1} and len(manifests(second)) == len(names)
        done("sbom", f"--images={images}", *login(), there, "-o", str(boms))

    there_too = Images.model_validate_json(promoted.read_text())
    assert digests(there_too) == digests(published)
    assert results(there_too) == dict.fromkeys(names, "found")
    assert told == []
    assert WATCHED_PASSWORD not in "".join(printed)
    assert not [file for file in kept(tmp_path, before) if WATCHED_PASSWORD.encode() in content(file)]
    assert {file.name for file in boms.iterdir()} == {"api.cdx.json"}
    found = packages(boms / "api.cdx.json", str(published.images["api"].digest))
    assert "pkg:npm" in found and found & {"pkg:apk", "pkg:deb"}  # Debian's in a stand-in


def kept(folder: Path, before: Set[tuple[Path, int]]) -> list[Path]:
    """What the registries hold, and what dagger-podman has in its cache that it had not before."""
    files = [folder / name for name in ("images.json", "promoted.json")]
    return [*files, *folder.glob("*/data/**/data"), *(file for file, _ in cached() - before)]


def cached() -> set[tuple[Path, int]]:
    """The files of dagger-podman's cache. One that was written anew has another number."""
    found = set()
    for file in default_folder().rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if file.is_file():
                found.add((file, file.stat().st_ino))
    return found


def content(file: Path) -> bytes:
    """A file's bytes with its name, a layer's unpacked."""
    try:
        read = file.read_bytes()
    except FileNotFoundError:  # a cache's temporary file
        return b""
    return str(file).encode() + (gzip.decompress(read) if read.startswith(b"\x1f\x8b") else read)


def packages(file: Path, digest: str) -> set[str]:
    """The kinds of packages that a CycloneDX document of that image names, once it is found valid."""
    document = json.loads(file.read_text())
    some = document | {"components": document["components"][::5]}  # the validator takes a second for forty
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(some)) is None
    assert document["metadata"]["component"]["version"] == digest
    return {component["purl"].partition("/")[0] for component in document["components"] if "purl" in component}
