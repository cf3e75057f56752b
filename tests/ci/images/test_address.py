"""Names of registries and images are taken as users write them, or refused with an example."""

import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.images.address import Address, parse, split, version_tag


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("prodgy.azurecr.io", Address("prodgy.azurecr.io")),
        ("prodgy.azurecr.io/", Address("prodgy.azurecr.io")),
        ("registry.example:5000/team/a", Address("registry.example:5000", "team/a")),
        ("[::1]:5000", Address("[::1]:5000")),
    ],
)
def test_registries(text: str, address: Address) -> None:
    assert parse(text) == address


@pytest.mark.parametrize(
    "text", ["", "https://prodgy.azurecr.io", "host/Upper", "host:0", "host:99999", "ho st", "host/a:b"]
)
def test_what_is_no_registry_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=r"--to: .* such as prodgy\.azurecr\.io"):
        parse(text, "--to")


def test_loopback_is_the_machine_itself_only() -> None:
    assert [parse(text).is_loopback for text in ("127.0.0.1:5000", "localhost", "[::1]:1", "a.localhost")] == [True] * 4
    assert not parse("127.0.0.1.example").is_loopback


def test_parts_of_an_address() -> None:
    address = parse("registry.example:5000/team")
    assert address.repository("prodgy-api") == "registry.example:5000/team/prodgy-api"
    assert (address.host_name, address.port) == ("registry.example", 5000)


def test_a_releases_version_is_its_tag() -> None:
    assert version_tag("refs/tags/v1.2.3") == "v1.2.3"
    assert version_tag("refs/heads/main") is None


@pytest.mark.parametrize("name", ["latest", "v1+build", "v1/x", "v" * 129])
def test_a_version_that_no_image_can_have_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be the tag of an image"):
        version_tag(f"refs/tags/{name}")


def test_a_reference_has_repository_tag_and_digest() -> None:
    digest = "sha256:" + "a" * 64
    assert split(f"registry.example:5000/api:v1@{digest}") == ("registry.example:5000/api", "v1", digest)
    with pytest.raises(InputError):
        split("registry.example/api:v1")
