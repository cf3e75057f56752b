"""Images are published once, by digest, and read back; what goes wrong is told and leaves nothing half-done."""

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import dagger
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from dagger import dag
from end_to_end.conftest import Call
from fakes.registry import PASSWORD, USER, Proxy, Registry, proxy, registry

from dagger_podman.store import default_folder
from prodgy_ci.catalog import Service, load
from prodgy_ci.changes.plan import Base, Plan, Reason, ServicePlan
from prodgy_ci.errors import InputError
from prodgy_ci.images import archive, info, promote, publish
from prodgy_ci.images.publish import Job
from prodgy_ci.images.record import Images
from prodgy_ci.images.registry import Registry as Reached
from prodgy_ci.images.registry import registry as registry_of

pytestmark = pytest.mark.anyio

CATALOG = """
[services.hello]
kind = "text"
path = "hello"
dockerfile = "hello/Dockerfile"
[services.pages]
kind = "static"
target = "static-web-app"
path = "pages"
dockerfile = "pages/Dockerfile"
[services.files]
kind = "dotnet"
target = "windows-vm"
path = "files"
"""
NAMES = ("hello", "pages")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def session(runner: str) -> AsyncIterator[None]:
    """One session for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", runner)
        async with dagger.connection(dagger.Config(log_output=sys.stderr, retry=None)):
            yield


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    """A repository of its own with an image and a site."""
    folder = tmp_path / "monorepo"
    for name, path in (("hello", "/text"), ("pages", "/site/index.html")):
        (folder / name).mkdir(parents=True)
        (folder / name / "text").write_text(f"{name} {tmp_path}\n")
        (folder / name / "Dockerfile").write_text(f"FROM scratch AS site\nCOPY {name}/text {path}\n")
    (folder / ".gitignore").write_text("*.local\n")
    git(folder.parent, "init", "--quiet", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--message=one")
    return folder


@pytest.fixture
async def job(session: None, monorepo: Path, tmp_path: Path) -> AsyncIterator["Publishing"]:
    with registry(tmp_path / "registry", login=True) as started:
        yield Publishing(monorepo, started)


class Publishing:
    """Publishes what a repository holds to a registry, as often as wanted."""

    def __init__(self, monorepo: Path, target: Registry) -> None:
        self.monorepo = monorepo
        self.registry = target
        self.catalog = load(CATALOG)

    async def job(
        self,
        through: Registry | Proxy | None = None,
        ref: str = "refs/heads/main",
        names: Sequence[str] = NAMES,
        **changed: object,
    ) -> Job:
        where = through or self.registry
        made = Plan(
            schema_version=1,
            ref=ref,
            event="push",
            environment="development",
            head=git(self.monorepo, "rev-parse", "HEAD"),
            working_tree=False,
            notes=(),
            services={name: _built() for name in names},
            changed={},
        )
        now = f"none-{uuid.uuid4().hex}"  # else the session gives what it read before
        source = dag.host().directory(str(self.monorepo), exclude=[".git", now])
        repository = dag.host().directory(str(self.monorepo / ".git"), exclude=[now])
        target = await reach(where.host, PASSWORD)
        return replace(Job(source, repository, self.catalog, made, target), **changed)  # type: ignore[arg-type]

    async def run(self, **changed: object) -> Images:
        return await publish.publish(await self.job(**changed), None)  # type: ignore[arg-type]

    def commit(self, text: str) -> None:
        (self.monorepo / "hello" / "text").write_text(text)
        git(self.monorepo, "commit", "--quiet", "--all", "--message=more")


def _built() -> ServicePlan:
    return ServicePlan(action="build", base=Base(chosen="never-deployed"), reasons=(Reason(code="never-deployed"),))


async def reach(host: str, password: str, option: str = "--registry") -> Reached:
    port = int(host.rpartition(":")[2])
    service = dag.host().service([dagger.PortForward(backend=port, frontend=port)], host="127.0.0.1")
    secret = dag.set_secret(f"password-{host}", password + "\n")
    return await registry_of(f"{host}/team", option, USER, secret, service=service)


def results(images: Images) -> dict[str, str]:
    return {name: image.result for name, image in images.images.items()}


def digests(images: Images) -> list[str | None]:
    return [image.digest for image in images.images.values()]


async def test_a_second_run_pushes_nothing_and_gives_the_same_digests(job: Publishing) -> None:
    first = await job.run()
    assert results(first) == {"hello": "pushed", "pages": "pushed"}
    written = job.registry.writes()
    second = await job.run()
    assert results(second) == {"hello": "found", "pages": "found"}
    assert digests(second) == digests(first)
    assert job.registry.writes() == written
    hello = first.images["hello"]
    assert hello.reference == f"{job.registry.host}/team/prodgy-hello:{first.commit}@{hello.digest}"
    assert hello.labels["org.opencontainers.image.revision"] == first.commit
    assert hello.labels["org.opencontainers.image.created"] == git(job.monorepo, "show", "-s", "--format=%cI").replace(
        "+00:00", "Z"
    )


async def test_what_is_no_container_is_an_image_of_its_files_alone(job: Publishing, tmp_path: Path) -> None:
    head = git(job.monorepo, "rev-parse", "HEAD")
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "Files.exe").write_bytes(b"MZ")
    (tmp_path / "artifacts").mkdir()
    release = archive.pack(
        tmp_path / "release", tmp_path / "artifacts/files.zip", service="files", version="1.0.0", commit=head
    )
    artifacts = dag.host().directory(str(tmp_path / "artifacts"))
    images = await job.run(names=("pages", "files"), artifacts=artifacts)
    assert results(images) == {"pages": "pushed", "files": "pushed"}
    pages, files = [await files_of(images, name, tmp_path) for name in ("pages", "files")]
    assert set(pages) == {"site/index.html", "site/version.json"}
    assert json.loads(pages["site/version.json"]) == {"service": "pages", "revision": head}
    assert set(files) == {"artifact/files.zip", "artifact/release.json"}
    assert files["artifact/files.zip"] == (tmp_path / "artifacts/files.zip").read_bytes()
    assert files["artifact/release.json"].decode() == release.to_json()


async def files_of(images: Images, name: str, folder: Path) -> dict[str, bytes]:
    """The files of all layers of an image."""
    copy = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"--src-creds={USER}:{PASSWORD}"]
    reference = str(images.images[name].reference).replace(f":{images.commit}@", "@")
    await anyio.run_process([*copy, f"docker://{reference}", f"docker-archive:{folder / name}.tar"])
    found: dict[str, bytes] = {}
    with tarfile.open(folder / f"{name}.tar") as outer:
        for layer in (member for member in outer if member.name.endswith(".tar") and member.isfile()):
            with tarfile.open(fileobj=outer.extractfile(layer)) as inner:
                found |= {m.name: inner.extractfile(m).read() for m in inner if m.isfile()}  # type: ignore[union-attr]
    return found


async def test_equal_source_gives_equal_digests_in_another_registry(job: Publishing, tmp_path: Path) -> None:
    first = await job.run()
    with registry(tmp_path / "other", login=True) as other:
        second = await job.run(through=other)
    assert digests(second) == digests(first)
    assert results(second) == {"hello": "pushed", "pages": "pushed"}


async def test_a_dry_run_sends_no_write_and_asks_again_when_the_registry_says(job: Publishing) -> None:
    with proxy(job.registry) as between:
        between.on, between.kind, between.retry_after = ".*/manifests/", "429", 3
        between.failures = 2 * len(NAMES)  # a manifest and a configuration are asked for at once
        images = await job.run(through=between, dry_run=True)
    assert results(images) == {"hello": "would push", "pages": "would push"}
    assert between.writes == []
    asked = [moment for request, moment in between.seen if "/manifests/" in request]
    assert asked[2 * len(NAMES)] - asked[0] >= 3, "asked again before Retry-After was over"


async def test_a_release_has_its_version_as_a_tag_that_is_never_moved(job: Publishing) -> None:
    first = await job.run(ref="refs/tags/v1.0.0")
    assert first.images["hello"].tags == (first.commit, "v1.0.0")
    told = json.loads(await info.info(await reach(job.registry.host, PASSWORD), job.catalog.service("hello"), "v1.0.0"))
    assert told["images"][0]["reference"].endswith(str(first.images["hello"].digest))
    job.commit("other\n")
    second = await job.run(ref="refs/tags/v1.0.0")
    failed = second.images["hello"]
    assert failed.result == "failed"
    assert f"v1.0.0 is {first.images['hello'].digest} (of {first.commit}), not sha256:" in str(failed.error)


async def test_a_dirty_source_is_refused_with_what_differs(job: Publishing) -> None:
    (job.monorepo / "hello" / "text").write_text("changed\n")
    (job.monorepo / "hello" / "made.local").write_text("ignored by git, seen by the build\n")
    with pytest.raises(InputError) as raised:
        await job.run()
    assert "hello/text: changed" in str(raised.value)
    assert "hello/made.local: not in the commit" in str(raised.value)
    assert job.registry.writes() == []


async def test_a_tag_that_another_set_is_named_with_its_digest(job: Publishing) -> None:
    first = await job.run()
    job.commit("another\n")
    head = git(job.monorepo, "rev-parse", "HEAD")
    old = str(first.images["hello"].reference).replace(f":{first.commit}@", "@")
    login = f"{USER}:{PASSWORD}"
    copy = ["skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"]
    copy += [f"--src-creds={login}", f"--dest-creds={login}", f"docker://{old}"]
    await anyio.run_process([*copy, f"docker://{job.registry.host}/team/prodgy-hello:{head}"])
    images = await job.run()
    assert results(images) == {"hello": "failed", "pages": "pushed"}
    assert f"is {first.images['hello'].digest} (of {first.commit}), not" in str(images.images["hello"].error)


async def test_two_publishers_at_once_end_with_the_same_digests(job: Publishing) -> None:
    jobs = [await job.job(), await job.job()]
    done: list[Images] = []

    async def one(its: Job) -> None:
        done.append(await publish.publish(its, None))

    async with anyio.create_task_group() as group:
        for its in jobs:
            group.start_soon(one, its)
    assert digests(done[0]) == digests(done[1])
    assert not done[0].failed + done[1].failed


async def test_another_publisher_that_was_quicker_while_this_one_built_is_adopted(
    job: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = publish._image

    async def slow(its: Job, service: Service) -> dagger.Container:
        with monkeypatch.context() as quick:
            quick.setattr(publish, "_image", build)
            other = (await build(its, service)).with_label("other", "yes")
            quick.setattr(publish, "_image", lambda *_: _ready(other))
            await publish.publish(its, [service.name])
        return await build(its, service)

    monkeypatch.setattr(publish, "_image", slow)
    images = await publish.publish(await job.job(fresh=0.0), ["hello"])
    hello = images.images["hello"]
    assert hello.result == "found"
    assert "another publisher" in str(hello.note)


async def _ready(image: dagger.Container) -> dagger.Container:
    return image


async def test_a_wrong_password_says_which_right_is_needed(job: Publishing) -> None:
    wrong = replace(await job.job(), registry=await reach(job.registry.host, "canary-wrong"))
    with pytest.raises(Exception, match="AcrPull") as raised:
        await publish.publish(wrong, None)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("kind", ["500", "429", "cut"])
async def test_what_fails_for_now_is_repeated(job: Publishing, kind: str) -> None:
    with proxy(job.registry) as between:
        between.kind, between.failures = kind, 2
        images = await job.run(through=between)
    assert not images.failed
    assert results(images) == {"hello": "pushed", "pages": "pushed"}
    assert between.failures == 0


async def test_a_registry_that_dies_in_a_blob_leaves_nothing_referenced_and_the_next_run_completes(
    job: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prodgy_ci.images.registry.PAUSES", ())
    with proxy(job.registry) as between:
        between.kind, between.failures = "die", 1
        images = await job.run(through=between)
    assert results(images) == {"hello": "failed", "pages": "failed"}
    assert [image.reference for image in images.images.values()] == [None, None]
    assert not [*job.registry.folder.rglob("_manifests/tags/*")]
    with registry(job.registry.folder, login=True, port=job.registry.port):
        again = await job.run()
    assert results(again) == {"hello": "pushed", "pages": "pushed"}


@pytest.mark.parametrize("status", ["401", "403"], ids=["expired token", "no right to push"])
async def test_a_token_that_does_not_do_is_told_and_another_one_completes(job: Publishing, status: str) -> None:
    with proxy(job.registry) as between:
        between.kind, between.failures = status, 1000
        images = await job.run(through=between)
    assert results(images) == {"hello": "failed", "pages": "failed"}
    assert all("AcrPush" in str(image.error) and PASSWORD not in str(image.error) for image in images.failed)
    assert results(await job.run()) == {"hello": "pushed", "pages": "pushed"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
async def test_a_full_disk_is_told_and_the_next_run_completes(session: None, monorepo: Path, tmp_path: Path) -> None:
    data = tmp_path / "registry" / "data"
    data.mkdir(parents=True)
    await anyio.run_process(["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(data)])
    try:
        with registry(tmp_path / "registry", login=True) as full:
            assert set(results(await Publishing(monorepo, full).run()).values()) == {"failed"}
    finally:
        await anyio.run_process(["umount", str(data)])
    with registry(tmp_path / "registry", login=True, port=full.port) as emptied:
        assert results(await Publishing(monorepo, emptied).run()) == {"hello": "pushed", "pages": "pushed"}


async def test_a_private_ca_is_trusted_only_where_it_is_given(session: None, monorepo: Path, tmp_path: Path) -> None:
    with registry(tmp_path / "secure", login=True, tls=True) as secure:
        assert secure.ca
        publishing = Publishing(monorepo, secure)
        plain = await publishing.job()
        ca = dag.host().file(str(secure.ca))
        images = await publish.publish(replace(plain, registry=replace(plain.registry, ca=ca)), None)
        shutil.copy(secure.ca, tmp_path / "wrong.pem")
        (tmp_path / "wrong.pem").write_bytes((tmp_path / "wrong.pem").read_bytes()[:0])
        nobody = dag.host().file(str(tmp_path / "wrong.pem"))
        with pytest.raises(Exception, match="--registry-ca"):
            await publish.publish(replace(plain, registry=replace(plain.registry, ca=nobody)), None)
    assert results(images) == {"hello": "pushed", "pages": "pushed"}


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
                    told.extend([line] if PASSWORD in (line := file.read_text(errors="replace")) else [])

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
    monkeypatch.setenv("REGISTRY_PASSWORD", PASSWORD)
    git(repository, "add", "-A")
    git(repository, "commit", "--quiet", "--message=one")
    names = ("api", "engine", "docs")
    plan, images, promoted, boms = (tmp_path / name for name in ("plan.json", "images.json", "promoted.json", "sbom"))
    printed = []

    def done(*arguments: str) -> None:
        ended = call(*arguments, repository=repository)
        printed.append(ended.stdout + ended.stderr)
        assert ended.returncode == 0, printed[-1]

    def login(side: str = "") -> tuple[str, str]:
        return f"--{side}username={USER}", f"--{side}password=env://REGISTRY_PASSWORD"

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
    assert PASSWORD not in "".join(printed)
    assert not [file for file in kept(tmp_path) if PASSWORD.encode() in content(file)]
    assert {file.name for file in boms.iterdir()} == {"api.cdx.json", "engine.cdx.json"}
    assert {"pkg:deb", "pkg:npm"} == packages(boms / "api.cdx.json", str(published.images["api"].digest))
    assert {"pkg:deb", "pkg:pypi"} == packages(boms / "engine.cdx.json", str(published.images["engine"].digest))


def kept(folder: Path) -> Iterator[Path]:
    """What the registries hold, and what dagger-podman put into its cache since the first of them began."""
    yield from (folder / name for name in ("images.json", "promoted.json"))
    yield from folder.glob("*/data/**/data")
    since = (folder / "one").stat().st_ctime
    for file in default_folder().rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if file.is_file() and file.stat().st_mtime >= since:
                yield file


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
