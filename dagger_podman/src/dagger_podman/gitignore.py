"""What git ignores, said by git itself."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from .errors import DaggerPodmanError
from .store import Store
from .tree import Tree


def git_ignored(folder: Path) -> list[str]:
    """What git ignores below a folder, as patterns; nothing where there is no git or no repository."""
    command = ["git", "-C", str(folder), "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    names = (os.fsdecode(name).rstrip("/") for name in done.stdout.split(b"\0") if name)
    return ["".join("\\" + c if c in "*?[\\" else c for c in name) for name in names]


def without_ignored(store: Store, tree: Tree) -> Tree:
    """A tree without what its own .gitignore files leave out."""
    rules = {p: e for p, e in tree.entries.items() if p.rpartition("/")[2] == ".gitignore" and e.kind == "file"}
    if not rules:
        return tree
    with tempfile.TemporaryDirectory() as folder:
        for path, entry in rules.items():
            target = Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.read_blob(entry.content))
        shown = {f"{p}/" if e.kind == "directory" else p: p for p, e in tree.entries.items() if p}
        git = ["git", "-C", folder, "-c", "core.excludesFile="]
        try:
            subprocess.run([*git, "init", "--quiet"], check=True, capture_output=True)
            asked = "\0".join(shown).encode(errors="surrogateescape")
            done = subprocess.run(
                [*git, "check-ignore", "--no-index", "--stdin", "-z"], input=asked, check=False, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise DaggerPodmanError(f"gitignore: git is needed on this host: {error}") from None
    gone = {shown[os.fsdecode(name)] for name in done.stdout.split(b"\0") if name}
    return Tree({p: e for p, e in tree.entries.items() if p not in gone})
