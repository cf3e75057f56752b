"""One run of `dagger-podman`: evaluates nodes, each once, and clears away what it started."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import fcntl
import hashlib
import hmac
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

from .errors import DaggerPodmanError, NotAvailableError
from .fields import IMPLEMENTED, Implementation
from .nodes import Node
from .podman import LABEL, Podman, kill_commands
from .progress import Progress
from .scrub import Scrubber
from .state import Container
from .store import Store, remove_temporary, sessions_folder
from .typedefs import Field, Schema, TypeRef

T = TypeVar("T")
SESSION_VARIABLE = "DAGGER_PODMAN_SESSION"
"""In the environment of each podman: by it the next session finds those of one that was killed."""


@dataclasses.dataclass(frozen=True)
class SecretValue:
    """A secret's name, what stands for its value in keys, and the way to the value."""

    name: str
    key: str
    read: Callable[[], Awaitable[bytes]] = dataclasses.field(compare=False)


class Session:
    """Everything that lives as long as one command: Podman, the cache, running services, known secrets."""

    def __init__(self, podman: Podman, store: Store, schema: Schema, progress: Progress) -> None:
        self.podman, self.store, self.schema, self.progress = podman, store, schema, progress
        self.id = store.owner = podman.environment[SESSION_VARIABLE] = uuid.uuid4().hex[:12]
        self.nodes: dict[str, Node] = {}
        self.scrubber = Scrubber()
        self.secrets: dict[str, bytes] = {}
        self.on_close: list[Callable[[], Awaitable[None]]] = []
        self.networks: list[str] = []
        self.closing = False
        self.memory: dict[str, Any] = {}
        self.building = asyncio.Semaphore(len(os.sched_getaffinity(0)))
        """More builds than processors take longer than one after the other: they wait for each other's writing."""
        self.left_containers: dict[str, str] = {}
        """Containers of commands that ended, by the command's key: kept in case their files are asked for."""
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._lock_file: IO[str] | None = None

    @property
    def labels(self) -> list[str]:
        return ["--label", f"{LABEL}=true", "--label", f"{LABEL}.session={self.id}"]

    # --- life ----------------------------------------------------------------------------------------
    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Session]:
        """Hold the session's lock file, by which others see that it lives; leave nothing behind at the end."""
        path = sessions_folder() / self.id
        part = path.with_name(f".{self.id}")
        with part.open("w") as self._lock_file:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            part.rename(path)  # others see it locked or not at all
            print(self.store.folder, file=self._lock_file, flush=True)
            await self._remove_orphans()
            try:
                yield self
            finally:
                closing = asyncio.ensure_future(self.close())
                while not closing.done():  # a signal that comes now must not stop the clearing away
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.shield(closing)
                path.unlink(missing_ok=True)

    async def close(self) -> None:
        """Stop what runs, all of it at once, and begin nothing more."""
        self.closing = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        ending, self.on_close = self.on_close, []
        await asyncio.gather(self._remove_left_containers(), *map(_quietly, ending))
        if self.networks:
            await self.podman.run("network", "rm", "-f", *self.networks)

    async def _remove_left_containers(self) -> None:
        if self.left_containers:
            await self.podman.run("rm", "-f", "-t", "0", "--ignore", *self.left_containers.values())

    async def _remove_orphans(self) -> None:
        """What sessions left that died without a chance to clear up."""
        for path in sessions_folder().iterdir():
            if path.name == self.id or path.name.startswith("."):
                continue
            with contextlib.suppress(OSError), path.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                await remove_session(self.podman, path.name)
                if cache := file.read().strip():
                    remove_temporary(Path(cache), path.name)
                path.unlink(missing_ok=True)

    # --- evaluation ----------------------------------------------------------------------------------
    async def once(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do equal work once, also when two ask for it at the same moment. A failure is not kept."""

        async def run() -> T:
            return await work()

        task = self._tasks.get(key)
        if self.closing:
            raise asyncio.CancelledError
        if task is None:
            task = asyncio.ensure_future(run())
            self._tasks[key] = task
            task.add_done_callback(lambda t: self._forget_failure(key, t))
        result: T = await asyncio.shield(task)
        return result

    async def known(self, key: str) -> Any:
        """What such work gave; None where there was none."""
        return await asyncio.shield(self._tasks[key]) if key in self._tasks else None

    def drop(self, key: str) -> None:
        """Let equal work be done again."""
        self._tasks.pop(key, None)

    def _forget_failure(self, key: str, task: asyncio.Task[Any]) -> None:
        if task.cancelled() or task.exception():
            self._tasks.pop(key, None)

    def remember(self, node: Node) -> Node:
        return self.nodes.setdefault(node.id, node)

    def find(self, node_id: str) -> Node:
        """The node of an id that was handed out, in this session or, for a kept result, an earlier one."""
        if node := self.nodes.get(node_id) or self._stored(node_id):
            return node
        raise DaggerPodmanError(f"unknown id {node_id[:16]!r}")

    def _stored(self, node_id: str) -> Node | None:
        row = self.store.read("nodes", node_id)
        if row is None:
            return None
        type_name, field, args, parent = row
        decoded = tuple((name, self._decode(value)) for name, value in args)
        return self.remember(Node(type_name, field, decoded, self.find(parent) if parent else None))

    def _decode(self, value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"node"}:
            return self.find(value["node"])
        return tuple(self._decode(v) for v in value) if isinstance(value, list) else value

    def keep(self, node: Node) -> bool:
        """Store a node for later sessions; False where it rests on something that only this session has."""
        closure = node.closure()
        if any(n.field in ("setSecret", "currentFunctionCall", "service", "up", "terminal") for n in closure.values()):
            return False
        for node_id, found in closure.items():
            if self.store.read("nodes", node_id) is None:
                self.store.write("nodes", node_id, found.to_json())
        return True

    async def value(self, node: Node) -> Any:
        """A node's value: evaluated once, its parents first."""
        return await self.once(node.id, lambda: self._evaluate(node))

    async def _evaluate(self, node: Node) -> Any:
        if (index := node.arg("[]")) is not None:
            whole = Node(node.type, node.field, tuple(a for a in node.args if a[0] != "[]"), node.parent)
            return (await self.value(whole))[index]
        implementation = self.implementation(node)
        what = f"{node.parent.type if node.parent else 'Query'}.{node.field}"
        of = () if node.parent is None else (await self.value(node.parent),)
        given = dict(node.args)
        given = of[0].expanded(given) if of and isinstance(of[0], Container) else given
        arguments = implementation.arguments(what, given.items())
        for name in arguments.keys() - implementation.nodes:
            arguments[name] = await self._evaluated(arguments[name])
        if "node" in implementation.parameters:
            arguments["node"] = node
        return await implementation.call(self, *of, **arguments)

    async def _evaluated(self, argument: Any) -> Any:
        if isinstance(argument, tuple):
            return tuple([await self._evaluated(one) for one in argument])
        return await self.value(argument) if isinstance(argument, Node) else argument

    def implementation(self, node: Node) -> Implementation:
        owner = node.parent.type if node.parent else "Query"
        if found := IMPLEMENTED.get((owner, node.field)):
            return found
        raise NotAvailableError(f"{owner}.{node.field}")

    # --- selections: a field of an object, as GraphQL and the command line ask for it ---------------------
    def field(self, owner: str, name: str) -> Field:
        if owner in self.schema.objects and (found := self.schema.objects[owner].fields.get(name)):
            return found
        raise DaggerPodmanError(f'Cannot query field "{name}" on type "{owner}".')

    async def elements(self, node: Node) -> list[Node]:
        """The nodes of a list's objects."""
        numbers = range(len(await self.value(node)))
        return [self.remember(Node(node.type, node.field, (*node.args, ("[]", i)), node.parent)) for i in numbers]

    def select(self, parent: Node | None, name: str, args: dict[str, Any]) -> tuple[Node, TypeRef]:
        """The node for a field, and the field's type. Nothing runs."""
        owner = parent.type if parent else "Query"
        field = self.field(owner, name)
        target = field.type.of if field.type.kind == "list" and field.type.of else field.type
        node = Node(target.name, name, tuple(sorted(args.items())), parent)
        return self.remember(node), field.type

    async def leaf(self, node: Node) -> Any:
        """The value of a field that is no object. A field that gives an id back evaluates its object first."""
        if node.field == "id" and node.parent:
            return node.parent.id
        result = await self.value(node)
        if node.type == "ID" and node.parent and result is None:
            return node.parent.id
        return result

    # --- secrets --------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def secret_folder(self) -> Iterator[Path]:
        """A folder in memory, of this session's, that goes with the step."""
        folder = Path(tempfile.mkdtemp(dir=runtime_folder(), prefix=f"{self.id}-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def secret_key(self, value: bytes) -> str:
        """Stands for a secret's value in keys and ids; of no use without this cache's own key."""
        return hmac.new(self.store.hash_key(), value, hashlib.sha256).hexdigest()


async def _quietly(end: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(DaggerPodmanError, OSError):
        await end()


async def remove_session(podman: Podman, session_id: str) -> None:
    """Remove the containers, networks, secrets and processes of one session."""
    ours = f"label={LABEL}.session={session_id}"
    containers = (await podman("ps", "-aq", "--filter", ours)).split()
    if containers:
        await podman.run("kill", *containers)  # Podman 4 lets run what it removes while another command stops it
        await podman("rm", "-f", "-t", "0", "--depend", *containers)
    networks = (await podman("network", "ls", "-q", "--filter", ours)).split()
    if networks:
        await podman("network", "rm", "-f", *networks)
    secrets = (await podman("secret", "ls", "-q", "--filter", f"name=dagger-podman-{session_id}-")).split()
    if secrets:
        await podman("secret", "rm", *secrets)
    mine = f"{SESSION_VARIABLE}={session_id}".encode()
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mine in (process / "environ").read_bytes().split(b"\0"):
                left.append(int(process.name))
    if not any([kill_commands(process) for process in left]):
        for number in left:
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGTERM)
    for name in os.listdir(runtime_folder()):
        if name.startswith(f"{session_id}-"):
            shutil.rmtree(os.path.join(runtime_folder(), name), ignore_errors=True)


def runtime_folder() -> str:
    """A folder in memory for what must never reach a disk."""
    for base in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):
        if base and os.access(base, os.W_OK):
            folder = os.path.join(base, f"dagger-podman-{os.geteuid()}")
            os.makedirs(folder, mode=0o700, exist_ok=True)
            return folder
    raise DaggerPodmanError("no folder in memory for secrets: XDG_RUNTIME_DIR and /dev/shm are not writable")
