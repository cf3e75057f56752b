"""What a plan needs of the catalog, remembered: checking a catalog anew takes longer than all else that a plan does.

What is remembered is found by the text of the file and by the catalog's own code, so that it can never be another's.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FILE_NAME = "prodgy-ci.toml"
KEPT = 16
"""How many catalogs are remembered."""

_CODE = ("builtin.py", "checks.py", "load.py", "model.py", "paths.py")


class Service(NamedTuple):
    """A service, as far as a plan needs it; the fields are those of `catalog.Service`."""

    name: str
    kind: str
    path: str


class Rule(NamedTuple):
    """Folders (ending in /) and files that select services; the fields are those of `catalog.PathRule`."""

    name: str
    paths: tuple[str, ...]
    services: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    all: bool = False


class Environment(NamedTuple):
    """Where a full ref is deployed to; a * at the end stands for any rest."""

    name: str
    ref: str

    def matches(self, ref: str) -> bool:
        return ref.startswith(self.ref[:-1]) if self.ref.endswith("*") else ref == self.ref


class Rulebook(NamedTuple):
    """The part of a catalog that decides a plan."""

    root: str
    ignored: tuple[str, ...]
    pipeline_paths: tuple[str, ...]
    services: Mapping[str, Service]
    rules: tuple[Rule, ...]
    environments: tuple[Environment, ...]

    def in_repository(self, path: str) -> str:
        """A path of the root as the repository has it."""
        return path if self.root == "." else f"{self.root}/{path}"

    def environment(self, ref: str) -> Environment | None:
        return next((e for e in self.environments if e.matches(ref)), None)

    def choose(self, names: Sequence[str]) -> list[Service]:
        """The named services, all of them for ["all"]; raises UnknownServiceError with the known names."""
        unknown = [name for name in names if name not in self.services and list(names) != ["all"]]
        for name in unknown:
            from ..errors import UnknownServiceError
            from ..nearest import hint

            raise UnknownServiceError(f"unknown service '{name}'{hint(name, self.services)}")
        return [service for service in self.services.values() if list(names) == ["all"] or service.name in names]


def read(text: str, source_name: str = FILE_NAME) -> Rulebook:
    """The rulebook of the text of a prodgy-ci.toml; raises CatalogError as `catalog.load` does."""
    file = _memory() / f"{_key(text)}.json"
    try:
        return _from_plain(json.loads(file.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        plain = _checked(text, source_name)
    try:
        _remember(file, plain)
    except OSError:
        pass
    return _from_plain(plain)


def _checked(text: str, source_name: str) -> dict[str, Any]:
    from ..catalog import load

    catalog = load(text, source_name)
    return {
        "root": catalog.root,
        "ignored": list(catalog.ignored),
        "pipeline_paths": list(catalog.pipeline_paths),
        "services": [[s.name, s.kind, s.path] for s in catalog.services.values()],
        "rules": [[r.name, list(r.paths), list(r.services), list(r.kinds), r.all] for r in catalog.all_rules],
        "environments": [[e.name, e.ref] for e in catalog.environments.values()],
    }


def _from_plain(plain: dict[str, Any]) -> Rulebook:
    return Rulebook(
        plain["root"],
        tuple(plain["ignored"]),
        tuple(plain["pipeline_paths"]),
        {fields[0]: Service(*fields) for fields in plain["services"]},
        tuple(Rule(name, tuple(p), tuple(s), tuple(k), every) for name, p, s, k, every in plain["rules"]),
        tuple(Environment(*fields) for fields in plain["environments"]),
    )


def _key(text: str) -> str:
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update((Path(__file__).parent.parent / "catalog" / name).read_bytes())
    digest.update(Path(__file__).read_bytes())
    digest.update(text.encode())
    return digest.hexdigest()


def _memory() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(home) / "prodgy-ci" / "catalogs"


def _remember(file: Path, plain: dict[str, Any]) -> None:
    """Written whole or not at all: another plan may read it at the same time."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = file.with_suffix(f".{os.getpid()}")
    half.write_text(json.dumps(plain))
    half.replace(file)
    known = sorted(file.parent.glob("*.json"), key=lambda f: f.stat().st_mtime, reverse=True)
    for old in known[KEPT:]:
        old.unlink(missing_ok=True)
