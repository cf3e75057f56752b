"""The one place that runs git: nothing that the checkout or the caller's environment sets can run code or bend an answer.

A plain subprocess: GitPython's import alone takes longer than all the git commands of a plan.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from ..errors import InputError, UndeterminedError

TIMEOUT = 600
"""Seconds after which a command is given up: a remote that does not answer must not hold a pipeline."""

_CONFIG = (
    "safe.directory=*",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=",
    "submodule.recurse=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
)
_QUIET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
}
_ALONE = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_ALLOW_PROTOCOL": "none"}
_ABROAD = {"GIT_ALLOW_PROTOCOL": "https:http:ssh:file", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}
_REMOTE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class GitError(UndeterminedError):
    """Git failed, or did not say what it was asked."""


class Git:
    """A repository: its git directory, and its work tree where there is one."""

    def __init__(
        self,
        directory: Path,
        work_tree: Path | None = None,
        *,
        network: bool = False,
        settings: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`network`: a command may ask the remote; `settings`: configuration by keys that may hold any character."""
        self.directory = directory
        self.work_tree = work_tree
        self._network = network
        self._settings = tuple(settings)

    @cached_property
    def common(self) -> Path:
        """The directory that a worktree shares with its repository."""
        link = self.directory / "commondir"
        return self.directory / link.read_text().strip() if link.is_file() else self.directory

    @cached_property
    def remote(self) -> str | None:
        """The remote to ask for what is missing: origin, or the only one."""
        listed = self.run("config", "--null", "--get-regexp", r"^remote\..*\.url$", accept=(0, 1))
        keys = [entry.partition("\n")[0] for entry in listed.decode(errors="replace").split("\0") if entry]
        names = dict.fromkeys(key.removeprefix("remote.").removesuffix(".url") for key in keys)
        usable = [name for name in names if _REMOTE_NAME.fullmatch(name)]
        if "origin" in usable:
            return "origin"
        return usable[0] if len(usable) == 1 else None

    @cached_property
    def is_partial(self) -> bool:
        """Whether the clone left objects out that the remote has."""
        keys = r"^(extensions\.partialclone|remote\..*\.(promisor|partialclonefilter))$"
        return bool(self.run("config", "--get-regexp", keys, accept=(0, 1)))

    def online(self) -> "Git":
        """The same repository, whose commands may ask the remote."""
        return Git(self.directory, self.work_tree, network=True, settings=self._settings)

    def without_filters(self) -> "Git":
        """The same repository, where no filter that its configuration names is run on the work tree's files."""
        keys = r"^filter\..*\.(clean|smudge|process|required)$"
        listed = self.run("config", "--null", "--name-only", "--get-regexp", keys, accept=(0, 1))
        named = sorted(set(listed.decode(errors="surrogateescape").split("\0")) - {""})
        settings = [(key, "false" if key.endswith(".required") else "") for key in named]
        return Git(self.directory, self.work_tree, network=self._network, settings=settings)

    def run(self, *arguments: str, accept: Sequence[int] = (0,)) -> bytes:
        """What a command prints; raises GitError where it ends in another code than the accepted ones."""
        try:
            done = subprocess.run(
                self._command(arguments), capture_output=True, env=self._environment(), cwd=self._folder,
                stdin=subprocess.DEVNULL, timeout=TIMEOUT,
            )  # fmt: skip
        except FileNotFoundError:
            raise GitError("git is not on the PATH; install it") from None
        except subprocess.TimeoutExpired:
            raise GitError(f"git {arguments[0]} did not end within {TIMEOUT} s") from None
        if done.returncode not in accept:
            raise GitError(f"git {arguments[0]} failed ({done.returncode}): {_told(done.stderr)}")
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that answers requests line by line."""
        try:
            return subprocess.Popen(
                self._command(arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=self._environment(), cwd=self._folder,
            )  # fmt: skip
        except FileNotFoundError:
            raise GitError("git is not on the PATH; install it") from None

    def fetch(self, *options: str, wanted: Sequence[str]) -> None:
        """Asks the remote for commits or refs; no ref, tag or FETCH_HEAD is written. Raises GitError."""
        if self.remote is None:
            raise GitError("the clone names no remote to ask")
        self.online().run(
            "fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--no-recurse-submodules",
            "--no-auto-maintenance", "--refmap=", "--upload-pack=git-upload-pack", *options, "--", self.remote, *wanted,
        )  # fmt: skip

    @property
    def _folder(self) -> Path:
        return self.work_tree or self.directory

    def _command(self, arguments: Sequence[str]) -> list[str]:
        config = [*_CONFIG, *(self._remote_config if self._network else ())]
        tree = [f"--work-tree={self.work_tree}"] if self.work_tree else []
        return ["git", *(f for c in config for f in ("-c", c)), f"--git-dir={self.directory}", *tree, *arguments]

    @cached_property
    def _remote_config(self) -> list[str]:
        """The empty helper drops the checkout's, which may be commands; the user's own are named anew."""
        helpers = self._users("--system") + self._users("--global")
        alone = Git(self.directory, self.work_tree)
        upload = [f"remote.{alone.remote}.uploadpack=git-upload-pack"] if alone.remote else []
        return ["credential.helper=", *(f"credential.helper={helper}" for helper in helpers), *upload]

    @staticmethod
    def _users(where: str) -> list[str]:
        listed = subprocess.run(
            ["git", "config", where, "--null", "--get-all", "credential.helper"],
            capture_output=True, env={**_own_environment(), **_QUIET},
        )  # fmt: skip
        return [helper for helper in listed.stdout.decode(errors="replace").split("\0") if helper]

    def _environment(self) -> Mapping[str, str]:
        numbered = [(str(number), key, value) for number, (key, value) in enumerate(self._settings)]
        settings = {f"GIT_CONFIG_KEY_{n}": key for n, key, _ in numbered}
        settings |= {f"GIT_CONFIG_VALUE_{n}": value for n, _, value in numbered}
        settings["GIT_CONFIG_COUNT"] = str(len(numbered))
        return {**_own_environment(), **_QUIET, **(_ABROAD if self._network else _ALONE), **settings}


def locate(folder: Path) -> Git:
    """The repository of a work tree's top folder, or of a .git folder itself; parent folders are not searched."""
    folder = folder.absolute()
    inner = folder / ".git"
    if inner.is_dir():
        return Git(inner, folder)
    if inner.is_file():
        return Git(_linked(inner), folder)
    if folder.is_file():
        return Git(_linked(folder))
    if all((folder / name).exists() for name in ("HEAD", "objects", "refs")):
        return Git(folder)
    linked = (folder / "HEAD").is_file() and (folder / "commondir").is_file()
    if linked:
        raise InputError(f"{folder} is the .git folder of a worktree; give that of the repository it belongs to")
    raise InputError(f"{folder} holds no git repository; give the folder that holds .git, or the .git folder itself")


def _linked(link: Path) -> Path:
    """The folder that the .git file of a worktree or a submodule names."""
    text = link.read_text(errors="replace").strip()
    target = link.parent / text.removeprefix("gitdir:").strip()
    if not text.startswith("gitdir:") or not target.is_dir():
        raise InputError(
            f"{link} is a file, as worktrees and submodules have it, and what it names is not here; "
            "give the .git folder of the repository it belongs to"
        )
    return target


def _own_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def _told(stderr: bytes) -> str:
    """The last lines of what git says, without a user and password in a URL."""
    lines = re.sub(r"://[^/@\s]*@", "://", stderr.decode(errors="backslashreplace")).split("\n")
    return " ".join("".join(c if c.isprintable() else "?" for c in line).strip() for line in lines[-6:]).strip()
