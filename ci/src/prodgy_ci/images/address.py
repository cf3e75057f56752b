"""The names of images in a registry: HOST[:PORT][/PREFIX]/NAME:TAG@DIGEST. Pure."""

import ipaddress
import re
from typing import NamedTuple

from ..errors import InputError

_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(?P<port>[0-9]{1,5}))?")
_PREFIX = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+|/)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REFERENCE = re.compile(r"(?P<repository>[^@\s]+?):(?P<tag>[A-Za-z0-9_][\w.-]{0,127})@(?P<digest>sha256:[0-9a-f]{64})")


class Address(NamedTuple):
    """A registry, and the prefix of the repositories in it."""

    host: str
    """HOST or HOST:PORT."""
    prefix: str = ""

    def repository(self, name: str) -> str:
        """Where images of that name lie."""
        return "/".join(filter(None, (self.host, self.prefix, name)))

    @property
    def host_name(self) -> str:
        """The host without the port."""
        return self.host.rpartition(":")[0] if self.port else self.host

    @property
    def port(self) -> int | None:
        """The port, where one is named."""
        last = self.host.rpartition(":")[2]
        return int(last) if ":" in self.host and last.isdigit() else None

    @property
    def is_loopback(self) -> bool:
        """Whether the host is the machine itself."""
        name = self.host_name.strip("[]").lower()
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")

    def __str__(self) -> str:
        return f"{self.host}/{self.prefix}" if self.prefix else self.host


def parse(text: str, option: str = "--registry") -> Address:
    """The registry that `HOST[:PORT][/PREFIX]` names; raises InputError, naming the option."""
    host, _, prefix = text.strip().rstrip("/").partition("/")
    found = _HOST.fullmatch(host)
    if (
        not found
        or (found["port"] and not 0 < int(found["port"]) < 65536)
        or (prefix and not _PREFIX.fullmatch(prefix))
    ):
        raise InputError(
            f"{option}: {text!r} is not HOST[:PORT][/PREFIX], such as prodgy.azurecr.io or registry.example:5000/team; "
            "no https://, no tag, and the prefix in lower case"
        )
    return Address(host, prefix)


def version_tag(ref: str) -> str | None:
    """The image tag of a release tag's full ref, None for any other ref; raises InputError for a name that is none."""
    name = ref.removeprefix("refs/tags/")
    if name == ref:
        return None
    if not _TAG.fullmatch(name) or name == "latest":
        raise InputError(
            f"--plan: the tag {name!r} cannot be the tag of an image: give it letters, digits and . _ - only, "
            "at most 128, and another name than latest"
        )
    return name


def split(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest of HOST/NAME:TAG@DIGEST; raises InputError."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise InputError(f"{reference!r} is not HOST/NAME:TAG@sha256:DIGEST")
    return found["repository"], found["tag"], found["digest"]
