"""What a registry said is read exactly, and what went wrong is told with the right that is missing."""

import hashlib
import json

import pytest

from prodgy_ci.images.answers import (
    Held,
    RegistryError,
    Said,
    TransientRegistryError,
    failure,
    held,
    tags,
    two_contents,
)
from prodgy_ci.images.labels import REVISION

REFERENCE = "registry.example/prodgy-api:abc"
CONFIG = json.dumps(
    {"os": "linux", "architecture": "amd64", "created": "2000-01-01T00:00:00Z", "config": {"Labels": {REVISION: "abc"}}}
).encode()


def manifest(config: bytes = CONFIG) -> bytes:
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    return json.dumps({"config": {"digest": digest, "size": 100}, "layers": [{"size": 20}, {"size": 3}]}).encode()


def test_an_image_is_known_by_the_digest_of_its_manifest() -> None:
    found = held(Said(0, manifest(), ""), Said(0, CONFIG, ""), REFERENCE)
    digest = f"sha256:{hashlib.sha256(manifest()).hexdigest()}"
    assert found == Held(digest, 123, {REVISION: "abc"}, "2000-01-01T00:00:00Z", "linux/amd64")


def test_a_configuration_that_its_manifest_does_not_name_is_no_answer() -> None:
    with pytest.raises(TransientRegistryError, match="not what its manifest names"):
        held(Said(0, manifest(), ""), Said(0, CONFIG + b" ", ""), REFERENCE)


def test_an_index_of_several_platforms_is_not_taken_for_an_image() -> None:
    index = json.dumps({"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}).encode()
    with pytest.raises(RegistryError, match=r"holds application/vnd\.oci\.image\.index"):
        held(Said(0, index, ""), Said(0, CONFIG, ""), REFERENCE)


def test_a_page_of_html_is_no_registry() -> None:
    with pytest.raises(RegistryError, match="what answers there is no registry"):
        held(Said(0, b"<html>", ""), Said(0, CONFIG, ""), REFERENCE)


@pytest.mark.parametrize("said", ["manifest unknown: manifest unknown", "name unknown: repository name not known"])
def test_only_the_registrys_own_word_means_missing(said: str) -> None:
    assert held(Said(1, b"", said), Said(1, b"", said), REFERENCE) is None
    assert tags(Said(1, b"", said), REFERENCE) == []


@pytest.mark.parametrize(
    ("said", "words", "transient"),
    [
        ("unauthorized: authentication required", "the right AcrPush", False),
        ("denied: requested access to the resource is denied", "lacks the right AcrPush", False),
        ("toomanyrequests: slow down", "too many requests", True),
        ("received unexpected HTTP status: 500 Internal Server Error", "500", True),
        ("dial tcp 127.0.0.1:1: connect: connection refused", "connection refused", True),
        ("x509: certificate signed by unknown authority", "--registry-ca", False),
        ("http: server gave HTTP response to HTTPS client", "speaks plain HTTP", False),
        ("", "it said nothing", False),
    ],
)
def test_each_failure_says_what_to_do(said: str, words: str, transient: bool) -> None:
    error = failure(said, REFERENCE, "AcrPush")
    assert words in str(error)
    assert REFERENCE in str(error)
    assert error.transient is transient


def test_two_contents_of_a_tag_are_named_by_both_digests() -> None:
    there = Held("sha256:1", 1, {REVISION: "def"}, None, "linux/amd64")
    said = two_contents("registry.example/api", "abc", there, "sha256:2")
    assert said.startswith("registry.example/api:abc is sha256:1 (of def), not sha256:2")
