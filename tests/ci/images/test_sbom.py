"""Of which images an SBOM is asked for. Making one is tested in the end-to-end tests."""

from unittest.mock import MagicMock

import anyio
import pytest

from prodgy_ci.errors import InputError, ProdgyError
from prodgy_ci.images.record import Image, Images
from prodgy_ci.images.sbom import sboms

IMAGES = Images(
    registry="registry.example",
    environment=None,
    commit="c" * 40,
    images={
        "api": Image(service="api", form="image", result="failed", error="no room"),
        "web": Image(service="web", form="image", result="would push"),
        "docs": Image(service="docs", form="site", result="failed", error="no room"),
    },
)


def test_an_image_that_images_json_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(InputError, match=r"--services: images\.json has no apy; it has: api, web, docs"):
        anyio.run(sboms, IMAGES, MagicMock(), ["apy", " api"])


def test_each_image_that_is_not_there_is_named_and_one_of_files_is_left_out() -> None:
    with pytest.raises(ProdgyError) as raised:
        anyio.run(sboms, IMAGES, MagicMock(), None)
    assert str(raised.value).splitlines() == [
        "api: images.json holds no image of it: no room",
        "web: images.json holds no image of it: would push",
    ]
