"""The labels that tell where an image comes from, by the OCI image specification's annotations. Pure."""

from collections.abc import Mapping

from ..catalog import Service

PREFIX = "org.opencontainers.image."
REVISION = f"{PREFIX}revision"


def labels(service: Service, commit: str, committed: str, version: str | None, source: str | None) -> dict[str, str]:
    """The labels of a service's image. Nothing in them comes from a clock, so that equal source gives equal images.

    committed: the commit's date, ISO 8601. source: where the repository is, as a URL.
    """
    found = {
        "title": service.image,
        "revision": commit,
        "created": committed,
        "version": version or commit,
        "source": source,
    }
    return {f"{PREFIX}{name}": value for name, value in found.items() if value}


def own(found: Mapping[str, str]) -> dict[str, str]:
    """Those of an image's labels that `labels` makes."""
    return {name: value for name, value in sorted(found.items()) if name.startswith(PREFIX)}
