"""A Dagger module on disk: its dagger.json, its source, and the image that its code runs in."""

from __future__ import annotations

import dataclasses
import difflib
import importlib.metadata
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from . import images
from .errors import UsageError
from .files import ingest
from .gitignore import git_ignored
from .session import Session
from .state import CacheVolume, Change, Edited, Executed, Mount, Root
from .store import Store, digest_of
from .tree import Tree, filtered
from .values import stored_tree

DEFAULT_PYTHON = "3.14"
NEVER_SOURCE = [".venv", "sdk", "**/__pycache__", "**/*.pyc", "**/*.egg-info"]
SOURCE, SDK, VENV = "/src", "/opt/dagger-sdk", "/opt/venv"


@dataclasses.dataclass(frozen=True)
class Module:
    """`folder` holds dagger.json, `context` the repository (its nearest folder with .git), `tree` the source."""

    name: str
    folder: Path
    context: Path
    tree: Tree
    base_image: str

    @property
    def main_object(self) -> str:
        """`prodgy-ci` → `ProdgyCi`."""
        return "".join(w[:1].upper() + w[1:] for w in re.split(r"[-_ .]+", self.name))

    @property
    def digest(self) -> str:
        return digest_of([self.name, self.tree.digest, self.base_image, sdk_version()])


def sdk_version() -> str:
    return importlib.metadata.version("dagger-io")


def find(start: Path) -> Path:
    """The folder with dagger.json: `start` or the nearest one above it."""
    if not start.exists():
        raise UsageError(f'local path "{start}" does not exist')
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "dagger.json").is_file():
            return folder
    raise UsageError(
        f"no dagger.json in {start.resolve()} or above it: run from a module's folder, or name one with -m"
    )


def load(folder: Path, store: Store) -> Module:
    """Read a module. Raises `UsageError` with the file and key that is wrong."""
    path = folder / "dagger.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    sdk = config.get("sdk")
    sdk = sdk.get("source") if isinstance(sdk, dict) else sdk
    if sdk != "python":
        raise UsageError(f"{path}: sdk {sdk!r} is not available on Podman; only python is")
    if config.get("dependencies") or config.get("toolchains") or config.get("blueprint"):
        raise UsageError(
            f"{path}: dependencies, toolchains and blueprints are not available on Podman; use the Dagger engine"
        )
    source = (folder / config.get("source", ".")).resolve()
    if not source.is_relative_to(folder):
        raise UsageError(f"{path}: source {config['source']!r} lies outside {folder}")
    if not source.is_dir():
        raise UsageError(f"{path}: source {config.get('source')!r} is not a folder")
    prefix = "" if source == folder else source.relative_to(folder).as_posix() + "/"
    excluded = [i.removeprefix("!").removeprefix(prefix) for i in config.get("include", ()) if i.startswith("!")]
    tree = ingest(store, source, exclude=[*NEVER_SOURCE, *excluded, *git_ignored(source)])
    if not any(p.endswith(".py") for p in tree.entries):
        raise UsageError(f"{source}: no python files found in module source")
    context = next((p for p in (folder, *folder.parents) if (p / ".git").exists()), folder)
    return Module(config.get("name") or folder.name, folder, context, tree, _base_image(source))


def _base_image(source: Path) -> str:
    project = _pyproject(source)
    named = project.get("tool", {}).get("dagger", {})
    for key in named:
        if key not in ("base-image", "use-uv", "uv-version"):
            near = difflib.get_close_matches(key, ("base-image", "use-uv", "uv-version"), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{source / 'pyproject.toml'}: unknown key tool.dagger.{key}{hint}")
    if image := named.get("base-image"):
        return str(image)
    version = DEFAULT_PYTHON
    if (source / ".python-version").is_file():
        version = (source / ".python-version").read_text().strip()
    elif match := re.match(r"(?:>=|==)\s*([\w.]+)\s*$", project.get("project", {}).get("requires-python", "")):
        version = match[1]
    return f"python:{version}-slim"


def _pyproject(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source / 'pyproject.toml'}: {error}") from None


# --- the image that the module's code runs in ---------------------------------------------------------
async def runtime_image(session: Session, module: Module) -> str:
    """The id of an image with the module's locked packages; changed code alone needs no new one."""
    base = await images.pulled(session, module.base_image)
    plain = await images.container_of(session, base)
    cache = (Mount("cache", "/root/.cache/pip", volume=CacheVolume("dagger-podman-pip")),)
    plain = dataclasses.replace(plain, mounts=cache, user="", workdir="", entrypoint=())
    python = f"{VENV}/bin/python"
    pip = (python, "-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--disable-pip-version-check")
    plain = dataclasses.replace(plain, root=Executed(plain, ("python", "-m", "venv", VENV)))
    locked = "requirements.lock" in module.tree.entries
    root: Root = plain.root
    if locked:
        lock = stored_tree(session, filtered(module.tree, include=["requirements.lock"]))
        with_lock = dataclasses.replace(plain, root=Edited(root, (Change("/lock", lock),)))
        root = Executed(with_lock, (*pip, "--require-hashes", "--no-deps", "-r", "/lock/requirements.lock"))
    else:
        root = Executed(plain, (*pip, f"dagger-io=={sdk_version()}"))
    skeleton = stored_tree(session, _skeleton(module.tree))
    sdk = stored_tree(session, _sdk(session))
    with_source = dataclasses.replace(plain, root=Edited(root, (Change(SOURCE, skeleton), Change(SDK, sdk))))
    install = " ".join(pip) + (" --no-deps" if locked else "") + f" --editable {SOURCE}"
    command = f"{install} && {python} -m compileall -q {SDK}"
    return await images.image_of(session, Executed(with_source, ("sh", "-c", command)))


def _skeleton(tree: Tree) -> Tree:
    """What an editable installation needs of the source: the project file and the packages' names."""
    return filtered(tree, include=["pyproject.toml", "README*", "LICENSE*", "src/*/__init__.py", "*.py"])


def _sdk(session: Session) -> Tree:
    """The very `dagger-io` that this session's schema was made from."""
    distribution = importlib.metadata.distribution("dagger-io")
    location = Path(str(distribution.locate_file("")))
    info = f"dagger_io-{distribution.version}.dist-info"
    include = ["dagger/**", f"{info}/METADATA", f"{info}/entry_points.txt"]
    tree = Tree({"": Tree().entries[""]})
    from .tree import with_tree

    for name in ("dagger", info):
        part = ingest(session.store, location / name, exclude=["**/__pycache__", "_engine", "RECORD", "INSTALLER"])
        tree = with_tree(tree, name, part)
    return filtered(tree, include=include)
