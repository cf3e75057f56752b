"""What a container is before anything runs: frozen descriptions, from which keys and commands are made."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from .errors import DaggerPodmanError
from .nodes import Node
from .tree import Tree

EXPANDED = frozenset(
    ("args", "linkName", "path", "paths", "redirectStdin", "redirectStdout", "redirectStderr", "target", "value")
)
VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|([A-Za-z_]\w*|[*#$@!?0-9-]))", re.ASCII)
"""As Go's os.Expand has it: a name that is no variable stands for nothing."""
Pairs = tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Port:
    number: int
    protocol: str = "TCP"
    description: str | None = None
    skip_health_check: bool = False
    of_image: bool = False
    """Only said by an image that was pulled: no service is asked there."""


HEALTHCHECK = ("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")
"""What an image's configuration calls the fields of a health check."""


@dataclasses.dataclass(frozen=True)
class Healthcheck:
    """Docker's HEALTHCHECK; times in nanoseconds, 0 where none is said."""

    test: Sequence[str]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0

    @property
    def command(self) -> Sequence[str]:
        """Empty where an image takes back what its base has."""
        kind, *words = self.test
        return {"CMD": words, "CMD-SHELL": ["/bin/sh", "-c", *words]}.get(kind, [])


@dataclasses.dataclass(frozen=True)
class SocketValue:
    """A Unix socket of the caller's machine. Where it lies stands for it: what it answers is in no key."""

    key: str


@dataclasses.dataclass(frozen=True)
class CacheVolume:
    """A named volume that lives on between runs. One of another source, owner or way of sharing is another volume."""

    key: str
    source: Tree | None = None
    sharing: str = "SHARED"
    owner: str = ""


@dataclasses.dataclass(frozen=True)
class Mount:
    """Something mounted at `path`; `source` is the directory, file, secret or socket."""

    kind: str  # directory, file, secret, cache, temp, socket
    path: str
    source: Node | None = None
    owner: str = ""
    mode: int = 0o400
    size: int = 0
    volume: CacheVolume | None = None
    read_only: bool = False
    after: Executed | None = None
    """The last command that may have changed the content."""


@dataclasses.dataclass(frozen=True)
class Scratch:
    """The empty root file system."""


@dataclasses.dataclass(frozen=True)
class Image:
    """An image in Podman's store."""

    id: str


@dataclasses.dataclass(frozen=True)
class Change:
    """An edit whose content may still have to be evaluated; with no `source` the path is removed.

    A file goes to exactly `path`; a directory is merged into it.
    """

    path: str
    source: Node | None = None
    owner: str = ""
    permissions: int | None = None
    make_directory: bool = False


@dataclasses.dataclass(frozen=True)
class Edited:
    base: Root
    changes: tuple[Change, ...]


@dataclasses.dataclass(frozen=True)
class Executed:
    """The root file system after a command."""

    container: Container
    args: tuple[str, ...]
    stdin: str = ""
    redirect_stdin: str = ""
    redirect_stdout: str = ""
    redirect_stderr: str = ""
    expect: str = "SUCCESS"
    privileged: bool = False


Root = Scratch | Image | Edited | Executed


@dataclasses.dataclass(frozen=True)
class Container:
    root: Root = Scratch()
    env: Pairs = ()
    volatile: Pairs = ()
    """Variables that commands get and that decide nothing: they are in no key and in no image."""
    labels: Pairs = ()
    annotations: Pairs = ()
    workdir: str = ""
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    own_args: bool = False
    """Whether `args` were asked for, and are no image's own: then a service runs them without the entrypoint."""
    ports: tuple[Port, ...] = ()
    healthcheck: Healthcheck | None = None
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, Node], ...] = ()
    bindings: tuple[tuple[str, Node], ...] = ()
    registry_auth: tuple[tuple[str, str, Node], ...] = ()
    platform: str = ""
    reference: str = ""
    terminal: tuple[str, ...] = ("sh",)
    """What runs on a terminal that is opened in it."""

    def path(self, path: str) -> str:
        """A path relative to the working directory, made absolute."""
        import posixpath

        return posixpath.normpath(posixpath.join("/", self.workdir, path))

    def expanded(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """A field's arguments, `$A` and `${A}` in them replaced by the container's variables if `expand` is among them."""

        def replaced(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(replaced, value))
            return re.sub(VARIABLE, lambda m: of(m[1] or m[2]), value)

        def of(name: str) -> str:
            for kind, rows in (("secret", self.secret_env), ("volatile", self.volatile)):
                if any(row[0] == name for row in rows):
                    raise DaggerPodmanError(f'expand cannot be used with {kind} env variable "{name}"')
            return values.get(name, "")

        values, expand = dict(self.env), arguments.pop("expand", False)
        return {n: replaced(v) if expand and v and n in EXPANDED else v for n, v in arguments.items()}

    def having(self, rows: str, *row: Any) -> Container:
        """With a row of `env`, `labels` and the like, in the place of one of that name or at the end."""
        kept = {each[0]: each for each in getattr(self, rows)}
        changed: dict[str, Any] = {rows: tuple({**kept, row[0]: row}.values())}
        return dataclasses.replace(self, **changed)

    def lacking(self, rows: str, name: str) -> Container:
        changed: dict[str, Any] = {rows: tuple(row for row in getattr(self, rows) if row[0] != name)}
        return dataclasses.replace(self, **changed)

    def mount_at(self, path: str) -> Mount | None:
        """The innermost mount that holds `path`."""
        holding = [m for m in self.mounts if path == m.path or path.startswith(m.path.rstrip("/") + "/")]
        return max(holding, key=lambda m: len(m.path), default=None)

    def with_mount(self, mount: Mount) -> Container:
        return dataclasses.replace(self, mounts=(*(m for m in self.mounts if m.path != mount.path), mount))

    def last_exec(self) -> Executed | None:
        """The command that `stdout` and `exitCode` speak of."""
        root: Root = self.root
        while isinstance(root, Edited):
            root = root.base
        return root if isinstance(root, Executed) else None
