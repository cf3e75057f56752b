"""The services of a monorepo as far as its files tell them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..changes import workspace
from . import dockerfiles
from .dockerfiles import Dockerfile

MANIFESTS = {"package.json": "node", "pyproject.toml": "python", "requirements.txt": "python", "go.mod": "go"}
"""Files that tell how a service is made."""
NEEDS = {
    "redis": ("redis", "ioredis", "bullmq", "bull", "celery"),
    "postgres": ("pg", "postgres", "psycopg", "psycopg2", "asyncpg"),
}
"""What a dependency of that name wants to have running beside it."""
SITES = ("astro", "@docusaurus/core", "vitepress", "gatsby", "@11ty/eleventy", "hexo")
"""Dependencies of a folder whose build is a static site."""
_NEVER = re.compile(r"\.(git.*|github/|vscode/|idea/|devcontainer/|editorconfig)|LICEN[CS]E.*|(?!README).*\.md")
"""What no build needs, even if it copies all."""
_PARENTS = ("apps", "services", "packages")


@dataclass(frozen=True)
class Service:
    """A guess, and what it rests on."""

    name: str
    kind: str
    path: str
    dockerfile: str
    context: str
    paths: tuple[str, ...]
    """Further folders (ending in /) and files that its image is made of."""
    whole: bool
    """Whether the Dockerfile copies all there is."""
    port: int | None
    needs: tuple[str, ...]
    has_tests: bool


@dataclass(frozen=True)
class Guess:
    """All that was found."""

    services: tuple[Service, ...]
    machines: tuple[str, ...]
    """Folders of .NET programs without a Dockerfile."""
    sites: tuple[str, ...]
    """Folders of static sites without one."""
    others: tuple[str, ...]
    """Folders of workspace packages that no image is made of."""
    everything: tuple[str, ...]
    """What lies in the root and may go into an image: folders end in /."""
    unused: tuple[str, ...]
    """What lies in the root and goes into none."""


def guess(root: Path, names: Mapping[str, frozenset[str]], project: str) -> Guess:
    """Looks at the Dockerfiles, manifests and project files below `root`.

    names: what lies in the root and in each folder that has a Dockerfile, by folder; folders end in /.
    project: what a service is called whose files do not tell.
    """
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    known = [path for path in paths if dockerfiles.is_service(path)]
    found: dict[str, Service] = {}
    for path in known:
        service = _service(root, names, dockerfiles.read(path, _text(root / path)), project, set(found))
        found[service.name] = service
    made = tuple(found.values())
    inside = [service.path for service in made]
    free = [folder for folder in workspace.folders(root) if not _within(folder, inside)]
    used = [path for service in made for path in service.paths]
    programs = [path.rpartition("/")[0] for path in paths if path.endswith(".csproj") and _runs(_text(root / path))]
    sites = [folder for folder in free if _depends(root / folder) & set(SITES)]
    return Guess(
        services=made,
        machines=tuple(folder for folder in programs if folder and not _within(folder, inside)),
        sites=tuple(sites),
        others=()
        if any(service.whole for service in made)
        else tuple(f for f in free if not _within(f, (*sites, *used))),
        everything=tuple(name for name in sorted(names[""]) if not _NEVER.fullmatch(name)),
        unused=tuple(name for name in sorted(names[""]) if _NEVER.fullmatch(name) or not _in_an_image(name, made)),
    )


def _service(
    root: Path, names: Mapping[str, frozenset[str]], file: Dockerfile, project: str, taken: set[str]
) -> Service:
    bare = {folder: {name.rstrip("/") for name in there} for folder, there in names.items()}
    context = file.context(bare[""], bare.get(file.folder, set()))
    whole = context == "." and "." in file.copied
    path = _folder(root, names[""], file)
    name = name_of(file.word or (path or project).rpartition("/")[2])
    while name in taken:
        name = f"{name}-{len(taken) + 1}"
    path = path or _any_folder(names[""], file)
    wanted: dict[str, None] = {}
    if context == ".":
        copied = [] if whole else _existing(root, names[""], file.copied)
        wanted = dict.fromkeys([*copied, *(f"{folder}/" for folder in workspace.used_folders(root, path))])
    own = (f"{path}/", file.path)
    return Service(
        name=name,
        kind=_kind(root / path) or _kind(root / file.folder) or "container",
        path=path,
        dockerfile=file.path,
        context=context,
        paths=() if whole else tuple(_outermost([p for p in wanted if not p.startswith(own)])),
        whole=whole,
        port=file.port,
        needs=tuple(what for what, names_ in NEEDS.items() if _depends(root / path) & set(names_)),
        has_tests="test" in file.stages,
    )


def _folder(root: Path, top: frozenset[str], file: Dockerfile) -> str:
    """The service's folder: the Dockerfile's, or one that it is named after or copies; empty where nothing tells."""
    if file.folder and not file.is_apart:
        return file.folder
    candidates = [*(f"{parent}/{file.word}" for parent in _PARENTS), file.word or ""]
    if "." not in file.copied:
        copied = [path.rstrip("/") for path in _existing(root, top, file.copied) if path.endswith("/")]
        candidates += [folder for folder in reversed(copied) if _kind(root / folder)] + copied
    return next((one for one in candidates if one and (root / one).is_dir()), "")


def _any_folder(top: frozenset[str], file: Dockerfile) -> str:
    """A service must have one."""
    there = [
        name for name in ("src/", *sorted(top)) if name.endswith("/") and name in top and not _NEVER.fullmatch(name)
    ]
    return file.folder or next(iter(there), "src/").rstrip("/")


def _existing(root: Path, top: frozenset[str], copied: tuple[str, ...]) -> list[str]:
    """What is copied, as paths of a rule: one with a wildcard stands for its folder, or its files in the root."""
    found: dict[str, None] = {}
    for source in copied:
        plain = re.split(r"/?[^/]*[*?\[]", source, maxsplit=1)[0]
        if source == ".":
            continue
        if plain != source and not plain:
            pattern = re.compile(re.escape(source).replace(r"\*", ".*").replace(r"\?", "."))
            found |= dict.fromkeys(name for name in sorted(top) if pattern.fullmatch(name))
        elif f"{plain}/" in top or (root / plain).is_dir():
            found[f"{plain}/"] = None
        elif plain:
            found[plain] = None
    return list(found)


def _outermost(paths: list[str]) -> list[str]:
    """Without what lies in another of them, and without manifests of packages whose folder is there."""
    folders = tuple(path for path in paths if path.endswith("/"))
    return [path for path in paths if not any(path != folder and path.startswith(folder) for folder in folders)]


def _within(folder: str, others: Iterable[str]) -> bool:
    return any(f"{folder}/".startswith(f"{other.rstrip('/')}/") for other in others)


def _in_an_image(name: str, services: tuple[Service, ...]) -> bool:
    for service in services:
        own = (f"{service.path}/", service.dockerfile, *service.paths)
        if service.whole or any(path == name or (name.endswith("/") and path.startswith(name)) for path in own):
            return True
    return False


def _kind(folder: Path) -> str | None:
    if next(folder.glob("*.csproj"), None):
        return "dotnet"
    return next((kind for name, kind in MANIFESTS.items() if (folder / name).is_file()), None)


def _depends(folder: Path) -> set[str]:
    """The names that the folder's manifests ask for."""
    found: set[str] = set()
    if (file := folder / "package.json").is_file():
        try:
            manifest: Any = json.loads(_text(file))
        except json.JSONDecodeError:
            manifest = {}
        if isinstance(manifest, dict):
            found |= set(manifest.get("dependencies") or {}) | set(manifest.get("devDependencies") or {})
    for name in ("requirements.txt", "pyproject.toml"):
        if (folder / name).is_file():
            found |= set(re.findall(r"^[\s\"']*([A-Za-z][\w.-]*)", _text(folder / name), re.MULTILINE))
    return found


def _runs(project: str) -> bool:
    return bool(re.search(r"Sdk=\"Microsoft\.NET\.Sdk\.(Web|Worker)\"|<OutputType>\s*(Win)?Exe", project))


def name_of(text: str) -> str:
    """In the form that a service's name must have."""
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", text).lower()).strip("-")
    return (words if words[:1].isalpha() else f"app-{words}".strip("-"))[:40]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace")
