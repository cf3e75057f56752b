"""Images are published once, by digest, and read back."""

import json
from pathlib import Path

import anyio
import dagger
import pytest
from dagger import dag
from end_to_end.publish.publishing import NAMES, Publishing, digests, files_of, git, reach, results
from fakes.registry import PASSWORD, USER, proxy, registry

from prodgy_ci.catalog import Service
from prodgy_ci.errors import InputError
from prodgy_ci.images import archive, info, publish
from prodgy_ci.images.publish import Job
from prodgy_ci.images.record import Images

pytestmark = pytest.mark.anyio


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
