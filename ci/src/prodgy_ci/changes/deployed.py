"""Reads deployed.json: what runs in an environment, per service the commit it was built from and its digest."""

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import InputError
from . import refs

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Deployed(NamedTuple):
    """The record of an environment; a service without a commit there was never deployed."""

    environment: str | None = None
    commits: Mapping[str, str] = MappingProxyType({})


def load(text: str, source_name: str) -> Deployed:
    """The record that the text of a deployed.json holds; raises InputError that names the key.

    An entry that is null, empty or without a commit means "never deployed". Keys that the planner has no use for may
    stand there.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{source_name}: not valid JSON: {error}") from None
    if data == {}:
        return Deployed()
    if not isinstance(data, dict) or data.get("schema_version") != 1:
        found = data.get("schema_version") if isinstance(data, dict) else None
        raise InputError(f"{source_name}: schema_version: give 1, not {found!r}")
    environment = data.get("environment")
    if environment is not None and not isinstance(environment, str):
        raise InputError(f"{source_name}: environment: give its name, not {environment!r}")
    services = data.get("services") or {}
    if not isinstance(services, dict):
        raise InputError(f"{source_name}: services: give an object keyed by service name")
    commits = {name: _commit(entry, f"{source_name}: services.{name}") for name, entry in sorted(services.items())}
    return Deployed(environment or None, {name: commit for name, commit in commits.items() if commit})


def _commit(entry: Any, where: str) -> str:
    if entry is None:
        return ""
    if not isinstance(entry, dict):
        raise InputError(f"{where}: give an object with commit and digest, or null")
    commit, digest = entry.get("commit") or "", entry.get("digest") or ""
    if not isinstance(digest, str) or (digest and not _DIGEST.fullmatch(digest)):
        raise InputError(f"{where}.digest: {digest!r} is not sha256: and 64 digits 0-9a-f")
    return refs.commit_id(str(commit), f"{where}.commit") if commit else ""
