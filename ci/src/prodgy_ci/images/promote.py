"""Copies published images to another environment's registry: the same digests, nothing built."""

from collections.abc import Sequence
from functools import partial

from .address import split
from .answers import RegistryError, two_contents
from .each import each
from .record import Image, Images
from .registry import Registry, ask, transfer


async def promote(images: Images, source: Registry, target: Registry, dry_run: bool) -> Images:
    """images.json of the target; the failure of one image stops no other."""
    tags = [images.commit, *([images.version] if images.version else [])]
    work = partial(_promote, tags=tags, source=source, target=target, dry_run=dry_run)
    promoted = await each(list(images.images.values()), work)
    return images.model_copy(update={"registry": str(target.address), "images": promoted})


def _repository(reference: str, source: Registry, target: Registry) -> str:
    """Where the target has what the source has."""
    repository, _, _ = split(reference)
    if not repository.startswith(f"{source.address}/"):
        raise RegistryError(f"{reference}: is not in {source.address}, the registry that images.json names")
    return f"{target.address}{repository.removeprefix(str(source.address))}"


async def _promote(image: Image, tags: Sequence[str], source: Registry, target: Registry, dry_run: bool) -> Image:
    if image.reference is None:
        raise RegistryError(f"images.json holds no image of it: {image.error or image.result}")
    repository, (from_repository, _, digest) = _repository(image.reference, source, target), split(image.reference)

    async def missing() -> list[str]:
        """The tags that are not there; raises RegistryError where one is something else."""
        held = await ask(target, [(repository, f":{tag}") for tag in tags])
        for tag, there in zip(tags, held, strict=True):
            if there is not None and there.digest != digest:
                raise RegistryError(two_contents(repository, tag, there, digest))
        return [tag for tag, there in zip(tags, held, strict=True) if there is None]

    to_set = await missing()
    if to_set and not dry_run:
        for tag in to_set:
            await transfer(source, target, (from_repository, f"@{digest}", repository, f":{tag}"))
        if lost := await missing():
            raise RegistryError(f"{repository}:{lost[0]}: copied, but the registry does not have it")
    return image.model_copy(
        update={
            "result": "would promote" if to_set and dry_run else "promoted" if tags[0] in to_set else "found",
            "reference": f"{repository}:{tags[0]}@{digest}",
            "tags": tuple(tags),
            "note": f"from {from_repository}",
        }
    )
