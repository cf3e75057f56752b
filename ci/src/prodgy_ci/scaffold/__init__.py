"""A first prodgy-ci.toml and pipeline for a monorepo, guessed from its files."""

import json
import tempfile
from pathlib import Path

import dagger
from dagger import dag

from . import dockerfiles, write
from .guess import MANIFESTS, Guess, guess, name_of

WANTED = [f"**/{name}" for name in ("*ockerfile*", "*.csproj", "pnpm-workspace.yaml", *MANIFESTS)]
"""The files that are read."""


async def scaffold(source: dagger.Directory, prefix: str | None) -> dagger.Directory:
    """The files to copy into the monorepo's root."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        names = await _fetch(source, root)
        prefix = name_of(prefix) if prefix else project(root)
        made = guess(root, names, prefix)
    folder = dag.directory()
    for path, text in texts(made, prefix).items():
        folder = folder.with_new_file(path, text)
    return folder


def texts(made: Guess, prefix: str) -> dict[str, str]:
    """The files by their name."""
    return {
        "prodgy-ci.toml": write.catalog(made, prefix),
        "azure-pipelines.yml": write.pipeline(made, prefix),
        "dagger.json": write.module(),
    }


async def _fetch(source: dagger.Directory, root: Path) -> dict[str, frozenset[str]]:
    """Writes what is read of the source below `root`; gives the names of what lies beside each Dockerfile."""
    await source.filter(include=WANTED).export(str(root))
    names = {"": frozenset(await source.entries())}
    files = [file for file in root.rglob("*") if dockerfiles.is_service(file.relative_to(root).as_posix())]
    for file in (dockerfiles.read(f.relative_to(root).as_posix(), f.read_text(errors="replace")) for f in files):
        names[file.folder] = frozenset(await source.entries(path=file.folder or "."))
        for copied in file.copied:
            if await source.exists(copied, expected_type=dagger.ExistsType.DIRECTORY_TYPE):
                (root / copied).mkdir(parents=True, exist_ok=True)
    for name in names[""]:
        if name.endswith("/"):
            (root / name).mkdir(exist_ok=True)
    return names


def project(root: Path) -> str:
    """What the project calls itself: `shop` for shop and for @shop/root."""
    try:
        name = str(json.loads((root / "package.json").read_text())["name"])
    except (OSError, ValueError, KeyError, TypeError):
        name = "app"
    scope, _, last = name.lstrip("@").rpartition("/")
    return name_of(scope if scope and last in ("root", "monorepo", "workspace", "repo") else last)
