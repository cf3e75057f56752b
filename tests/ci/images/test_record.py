"""images.json, read by later stages and by people."""

import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.images.record import Image, Images, load

DIGEST = f"sha256:{'a' * 64}"
IMAGES = Images(
    registry="registry.example/team",
    environment="staging",
    commit="c" * 40,
    images={
        "api": Image(
            service="api",
            form="image",
            result="pushed",
            reference=f"registry.example/team/prodgy-api:{'c' * 40}@{DIGEST}",
            digest=DIGEST,
            size=1_500_000,
            seconds=2.0,
        ),
        "web": Image(service="web", form="image", result="failed", error="no room\nat all"),
    },
)


def test_what_was_written_is_read() -> None:
    assert load(IMAGES.json_text(), "--images") == IMAGES


def test_the_failed_are_known() -> None:
    assert [image.service for image in IMAGES.failed] == ["web"]


def test_the_table_has_a_line_for_each_image() -> None:
    assert IMAGES.table().splitlines() == [
        "SERVICE  RESULT  SIZE    SECONDS",
        f"api      pushed  1.5 MB  2.0      registry.example/team/prodgy-api:{'c' * 40}@{DIGEST}",
        "web      failed  -       0.0      no room",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "--images: Invalid JSON"),
        ("{}", "--images: registry: Field required"),
        (IMAGES.json_text().replace(f'"digest": "{DIGEST}"', '"digest": "latest"'), "--images: images.api.digest: "),
    ],
)
def test_what_is_no_images_json_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(text, "--images")
