"""Whether the catalog's path rules cover the workspace: what a service uses must select it. Reads a tree's files."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..catalog import Catalog, PathRule, Service
from ..errors import InputError

WORKSPACE_FILE = "pnpm-workspace.yaml"
MANIFEST = "package.json"
_DEPENDENCIES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_SKIPPED = frozenset({"node_modules", "bower_components", ".git"})
_ELSEWHERE = ("npm:", "http:", "https:", "git", "github:")
_ITEM = re.compile(r"""\s*-\s+(?:"([^"]*)"|'([^']*)'|([^\s#'"&*!|>{\[][^#]*?))\s*(?:\s#.*)?""")


@dataclass(frozen=True)
class Package:
    """A package of the workspace."""

    name: str
    folder: str
    """Relative to the monorepo's root."""
    uses: tuple[str, ...]
    """Names of what its manifest asks for, packages of the workspace or not."""


def missing_rules(tree: Path, catalog: Catalog) -> list[str]:
    """One line for each package that a service uses, directly or not, and that does not select it; empty if none.

    `tree` is the repository's folder. Raises InputError where a workspace file cannot be understood.
    """
    root = tree / catalog.root
    packages = {package.name: package for package in _packages(root)}
    return [
        _advice(catalog, service, packages[name], chain)
        for service in catalog.services.values()
        for name, chain in sorted(_used(service.path, packages).items())
        if not _selects(catalog, service, packages[name])
    ]


def used_folders(root: Path, path: str) -> list[str]:
    """The folders of the workspace's packages that the packages in the folder `path` use, directly or not."""
    packages = {package.name: package for package in _packages(root)}
    return sorted(packages[name].folder for name in _used(path, packages))


def folders(root: Path) -> list[str]:
    """The folders of the workspace's packages."""
    return [package.folder for package in _packages(root)]


def _used(path: str, packages: Mapping[str, Package]) -> dict[str, tuple[str, ...]]:
    """What the packages in a folder use, each with the chain of names that leads there."""
    inside = [p for p in packages.values() if f"{p.folder}/".startswith(f"{path}/")]
    chains: dict[str, tuple[str, ...]] = {package.name: () for package in inside}
    waiting = list(chains)
    for name in waiting:
        for used in packages[name].uses:
            if used in packages and used not in chains:
                chains[used] = (*chains[name], name)
                waiting.append(used)
    return {name: chain for name, chain in chains.items() if chain}


def _selects(catalog: Catalog, service: Service, package: Package) -> bool:
    return any(rule.selects(service) and _names(rule, package.folder) for rule in catalog.all_rules)


def _names(rule: PathRule, folder: str) -> bool:
    return any(path.endswith("/") and f"{folder}/".startswith(path) for path in rule.paths)


def _advice(catalog: Catalog, service: Service, package: Package, chain: tuple[str, ...]) -> str:
    over = f" (through {' → '.join(chain[1:])})" if len(chain) > 1 else ""
    return (
        f"services.{service.name}: uses {package.name}{over}, and no rule selects '{service.name}' when "
        f'{catalog.in_repository(package.folder)}/ changes; add "{package.folder}/" to services.{service.name}.paths '
        "or to a rule that selects it"
    )


def _packages(root: Path) -> Iterator[Package]:
    patterns = _patterns(root)
    if patterns is None:
        return
    wanted = [_expression(p) for p in patterns if not p.startswith("!")]
    unwanted = [_expression(p[1:]) for p in patterns if p.startswith("!")]
    for folder in _folders_with_manifest(root):
        if any(p.fullmatch(folder) for p in wanted) and not any(p.fullmatch(folder) for p in unwanted):
            manifest = _manifest(root / folder / MANIFEST)
            if isinstance(manifest.get("name"), str):
                yield Package(manifest["name"], folder, tuple(_uses(manifest)))


def _folders_with_manifest(root: Path) -> Iterator[str]:
    for at, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED)
        if MANIFEST in files and Path(at) != root:
            yield Path(at).relative_to(root).as_posix()


def _uses(manifest: Mapping[str, Any]) -> Iterator[str]:
    """A name that asks for any version counts: pnpm may link the workspace's own package for it."""
    for table in _DEPENDENCIES:
        entries = manifest.get(table) or {}
        for name, wanted in entries.items() if isinstance(entries, dict) else ():
            alias = re.fullmatch(r"workspace:(@?[^@]+)@.*", str(wanted))
            if alias:
                yield alias.group(1)
            elif not str(wanted).startswith(_ELSEWHERE):
                yield name


def _patterns(root: Path) -> list[str] | None:
    """The workspace's folder patterns; None where there is no workspace."""
    file = root / WORKSPACE_FILE
    if file.is_file():
        return [_trimmed(p) for p in _listed(_text(file), file)]
    if not (root / MANIFEST).is_file():
        return None
    workspaces = _manifest(root / MANIFEST).get("workspaces")
    listed = workspaces.get("packages") if isinstance(workspaces, dict) else workspaces
    return None if listed is None else [_trimmed(str(p)) for p in listed]


def _listed(text: str, file: Path) -> list[str]:
    """The items of the key `packages`: a list of plain or quoted words, in either of YAML's two forms."""
    lines = iter(text.splitlines())
    for line in lines:
        if re.match(r"""["']?packages["']?\s*:""", line):
            break
    else:
        return []
    rest = re.sub(r"\s#.*|^#.*", "", line.partition(":")[2]).strip()
    if rest.startswith("["):
        while not rest.endswith("]"):
            rest += " " + re.sub(r"\s#.*|^\s*#.*", "", next(lines, "]")).strip()
        return [item.strip().strip("\"'") for item in rest[1:-1].split(",") if item.strip()]
    found = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        item = _ITEM.fullmatch(line)
        if item is None:
            if line[0].isspace() or line.startswith("-"):
                raise InputError(f'{file.name}: packages: cannot read {line.strip()!r}; write it as - "folder/*"')
            break
        found.append(next(group for group in item.groups() if group is not None))
    if rest:
        raise InputError(f"{file.name}: packages: cannot read {rest!r}; write a list")
    return found


def _trimmed(pattern: str) -> str:
    sign = "!" if pattern.startswith("!") else ""
    return sign + pattern.removeprefix("!").removeprefix("./").rstrip("/")


def _expression(pattern: str) -> re.Pattern[str]:
    """`*` stands for one folder's name or a part of it, `**` for any number of folders, {a,b} for either."""
    translated = re.escape(pattern).replace(r"\*\*/", "(?:[^/]+/)*").replace(r"/\*\*", "(?:/[^/]+)*")
    translated = translated.replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    choice = re.sub(r"\\\{([^{}]*)\\\}", lambda m: "(?:" + m.group(1).replace(",", "|") + ")", translated)
    return re.compile(choice)


def _manifest(file: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_text(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}: not valid JSON: {error}") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{file}: not an object")
    return manifest


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file}: {error}") from None
