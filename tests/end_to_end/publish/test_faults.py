"""What goes wrong on the way to a registry is told, and leaves nothing half-done."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from dagger import dag
from end_to_end.publish.publishing import Publishing, reach, results
from fakes.registry import PASSWORD, proxy, registry

from prodgy_ci.images import publish

pytestmark = pytest.mark.anyio


async def test_a_wrong_password_says_which_right_is_needed(job: Publishing) -> None:
    wrong = replace(await job.job(), registry=await reach(job.registry.host, "canary-wrong"))
    with pytest.raises(Exception, match="AcrPull") as raised:
        await publish.publish(wrong, None)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("kind", ["500", "429", "cut"])
async def test_what_fails_for_now_is_repeated(job: Publishing, kind: str) -> None:
    job.commit_large()
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
    job.commit_large()
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
