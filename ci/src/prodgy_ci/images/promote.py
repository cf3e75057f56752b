"""Copies published images to another environment's registry: the same digests, nothing built."""

import time

import anyio

from .address import split
from .answers import Held, RegistryError, two_contents
from .failure import words
from .record import Image, Images
from .registry import Registry, ask, transfer


async def promote(images: Images, source: Registry, target: Registry, dry_run: bool) -> Images:
    """images.json of the target; the failure of one image stops no other."""
    present = [image for image in images.images.values() if image.reference]
    held = await ask(target, [(_repository(image, source, target), f":{images.commit}") for image in present])
    known = {image.service: found for image, found in zip(present, held, strict=True)}
    done: dict[str, Image] = {}

    async def one(image: Image) -> None:
        start = time.monotonic()
        try:
            promoted = await _promote(images, image, source, target, known.get(image.service), dry_run)
        except Exception as error:
            promoted = Image(service=image.service, form=image.form, result="failed", error=words(error))
        done[image.service] = promoted.model_copy(
            update={"seconds": round(time.monotonic() - start, 1), "began": start}
        )

    async with anyio.create_task_group() as group:
        for image in images.images.values():
            group.start_soon(one, image)
    return images.model_copy(
        update={"registry": str(target.address), "images": {name: done[name] for name in images.images}}
    )


def _repository(image: Image, source: Registry, target: Registry) -> str:
    """Where the target has the image that the source has."""
    repository, _, _ = split(image.reference or "")
    if not repository.startswith(f"{source.address}/"):
        raise RegistryError(f"{image.reference}: is not in {source.address}, the registry that images.json names")
    return f"{target.address}{repository.removeprefix(str(source.address))}"


async def _promote(
    images: Images, image: Image, source: Registry, target: Registry, held: Held | None, dry_run: bool
) -> Image:
    if image.reference is None:
        raise RegistryError(f"images.json holds no image of it: {image.error or image.result}")
    repository, (from_repository, _, digest) = _repository(image, source, target), split(image.reference)
    result = "found" if held else "would promote" if dry_run else "promoted"
    tags = [images.commit, *([images.version] if images.version else [])]
    if held is not None and held.digest != digest:
        raise RegistryError(two_contents(repository, images.commit, held, digest))
    if not dry_run:
        # The version's tag may be there already, and then on something else.
        versions = await ask(target, [(repository, f":{tag}") for tag in tags[1:]])
        for tag, there in zip(tags, [held, *versions], strict=True):
            if there is None:
                await transfer(source, target, (from_repository, f"@{digest}", repository, f":{tag}"))
        for tag, there in zip(tags, await ask(target, [(repository, f":{tag}") for tag in tags]), strict=True):
            if there is None:
                raise RegistryError(f"{repository}:{tag}: copied, but the registry does not have it")
            if there.digest != digest:
                raise RegistryError(two_contents(repository, tag, there, digest))
    note = f"from {from_repository}"
    reference = f"{repository}:{images.commit}@{digest}"
    return image.model_copy(update={"result": result, "reference": reference, "tags": tuple(tags), "note": note})
