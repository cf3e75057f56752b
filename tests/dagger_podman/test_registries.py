"""Images to and from a real registry."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import dagger
import httpx
import pytest
from dagger import dag
from fakes.registry import PASSWORD, USER, Registry, registry

pytestmark = pytest.mark.anyio
DOCKER, OCI = dagger.ImageMediaTypes.DockerMediaTypes, dagger.ImageMediaTypes.OCIMediaTypes
KINDS = {
    DOCKER: "application/vnd.docker.distribution.manifest.v2+json",
    OCI: "application/vnd.oci.image.manifest.v1+json",
}


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Registry]:
    with registry(tmp_path / "registry") as started:
        yield started


@pytest.fixture
def image(session: None) -> dagger.Container:
    return dag.container().with_new_file("/data", "content").with_label("made.by", "a test")


@pytest.mark.parametrize("kind", KINDS)
async def test_an_image_is_published_as_the_media_types_say_and_read_back_by_its_digest(
    there: Registry, image: dagger.Container, kind: dagger.ImageMediaTypes
) -> None:
    address = await image.publish(f"{there.host}/one:tag", media_types=kind)
    name, _, digest = address.partition("@")
    assert name == f"{there.host}/one:tag"
    async with httpx.AsyncClient() as client:
        accepted = {"Accept": ", ".join(KINDS.values())}
        got = await client.get(f"http://{there.host}/v2/one/manifests/tag", headers=accepted)
    assert got.headers["Content-Type"] == KINDS[kind] and got.headers["Docker-Content-Digest"] == digest
    back = dag.container().from_(f"{there.host}/one@{digest}")
    assert await back.file("/data").contents() == "content"
    assert await back.label("made.by") == "a test"


async def test_a_registry_that_is_a_service_is_reached_by_the_name_that_is_pulled(
    there: Registry, image: dagger.Container
) -> None:
    service = dag.host().service([dagger.PortForward(backend=there.port, frontend=there.port)])
    await image.publish("registry.test/team/one:tag", registry_service=service)
    assert any(request == "PUT /v2/team/one/manifests/tag" for request in there.requests())
    back = dag.container().from_("registry.test/team/one:tag", registry_service=service)
    assert await back.file("/data").contents() == "content"


async def test_annotations_are_of_the_manifest_and_of_no_other_images(there: Registry, image: dagger.Container) -> None:
    async def annotations(published: dagger.Container, name: str) -> object:
        await published.publish(f"{there.host}/{name}:tag")
        async with httpx.AsyncClient() as client:
            accepted = {"Accept": KINDS[OCI]}
            return (
                (await client.get(f"http://{there.host}/v2/{name}/manifests/tag", headers=accepted))
                .json()
                .get("annotations")
            )

    annotated = image.with_annotation("org.example.note", "a").with_annotation("org.example.other", "b")
    assert await annotations(annotated, "annotated") == {"org.example.note": "a", "org.example.other": "b"}
    assert await annotations(image, "plain") is None
    assert await annotations(annotated.without_annotation("org.example.other"), "one") == {"org.example.note": "a"}


async def test_each_registry_gets_its_own_credentials_alone(tmp_path: Path, image: dagger.Container) -> None:
    with registry(tmp_path / "private", login=True) as private:
        service = dag.host().service([dagger.PortForward(backend=private.port, frontend=private.port)])
        right, wrong = dag.set_secret("right", PASSWORD), dag.set_secret("wrong", "of another")
        known = image.with_registry_auth("registry.test", USER, right).with_registry_auth(
            "other.test", "somebody", wrong
        )
        address = await known.publish("registry.test/one:tag", registry_service=service)
        unknown = dag.container().with_registry_auth("other.test", USER, right)
        with pytest.raises(dagger.QueryError, match=r"unauthorized|authentication required"):
            await unknown.from_(address, registry_service=service).file("/data").contents()
        back = dag.container().with_registry_auth("registry.test", USER, right)
        assert await back.from_(address, registry_service=service).file("/data").contents() == "content"


async def test_an_archive_has_the_media_types_that_were_asked_for(image: dagger.Container, tmp_path: Path) -> None:
    await image.export(str(tmp_path / "docker.tar"), media_types=DOCKER)
    await image.as_tarball(media_types=OCI).export(str(tmp_path / "oci.tar"))
    with tarfile.open(tmp_path / "docker.tar") as docker, tarfile.open(tmp_path / "oci.tar") as oci:
        assert "manifest.json" in docker.getnames() and "oci-layout" not in docker.getnames()
        index = oci.extractfile("index.json")
        assert index and json.load(index)["manifests"][0]["mediaType"] == KINDS[OCI]
    for name in ("docker.tar", "oci.tar"):
        archive = dag.host().file(str(tmp_path / name))
        assert await dag.container().import_(archive).file("/data").contents() == "content"
