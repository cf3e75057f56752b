"""What a registry holds of a service."""

import json

from ..catalog import Service
from ..errors import InputError, ProdgyError
from .labels import own
from .registry import Registry, ask, list_tags

MOST = 200
"""Tags that are looked at in one call."""


async def info(registry: Registry, service: Service, tag: str | None) -> str:
    """JSON: each image with digest, tags, labels, date, platform and size; raises InputError for a tag not there."""
    repository = registry.address.repository(service.image)
    tags = [tag] if tag else await list_tags(registry, repository)
    if len(tags) > MOST:
        raise ProdgyError(
            f"{repository}: holds {len(tags)} tags, more than are looked at in one call; name one with --tag"
        )
    found = await ask(registry, [(repository, f":{name}") for name in tags])
    images: dict[str, dict[str, object]] = {}
    for name, held in zip(tags, found, strict=True):
        if held is None:
            if tag:
                raise InputError(f"--tag: {repository} holds no {tag!r}")
            continue  # deleted since it was listed
        named = images.setdefault(
            held.digest,
            {
                "reference": f"{repository}@{held.digest}",
                "tags": [],
                "created": held.created,
                "platform": held.platform,
                "size": held.size,
                "labels": own(held.labels),
            },
        )["tags"]
        assert isinstance(named, list)
        named.append(name)
    newest = sorted(images.values(), key=lambda image: str(image["created"]), reverse=True)
    return json.dumps({"repository": repository, "images": newest}, indent=2, ensure_ascii=False) + "\n"
