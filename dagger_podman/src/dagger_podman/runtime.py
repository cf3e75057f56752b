"""Calls the functions of a module: in one container of its own per session, each call in a fresh process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import importlib
import importlib.resources
import json
import time
import uuid
from pathlib import Path
from typing import Any

from . import images
from .errors import DaggerPodmanError
from .exporting import MODULE_CONTAINER
from .fields import camel
from .files import ingest, write_out
from .module import SDK, SOURCE, VENV, Module, runtime_image
from .progress import Step
from .run_options import host_options, run_options
from .runner import BYTECODE
from .schema import from_json, to_json
from .server import Server
from .session import Session
from .state import Container, Pairs
from .store import digest_of
from .tree import Tree
from .typedefs import Field, ObjectType, Schema, TypeRef
from .types.function_call import FunctionCall
from .types.typedef import ModuleValue
from .values import kept_tree, stored_tree

KEPT_FOR = 7 * 24 * 3600.0
"""Seconds for which a function's result is kept unless its cache policy says otherwise, as on Dagger."""
IMPORT_WITHIN = 120.0
ENDS_WITHIN = 2.0


@dataclasses.dataclass
class Running:
    """A call's process: where its output is shown, what it printed so far, its exit code."""

    step: Step | None
    output: bytearray = dataclasses.field(default_factory=bytearray)
    ended: asyncio.Future[int] = dataclasses.field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def take(self, data: bytes) -> None:
        self.output += data
        if self.step:
            self.step.output("stderr", data)


class Runtime:
    """The module's code, ready to be called."""

    def __init__(self, session: Session, server: Server, module: Module) -> None:
        self.session, self.server, self.module = session, server, module
        self.original: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Future[None] | None = None
        self._running: dict[str, Running] = {}
        session.memory["module"] = (module.name, stored_tree(session, module.tree))
        session.memory.setdefault("calls", {})

    # --- the module's types ---------------------------------------------------------------------------
    async def types(self) -> tuple[Schema, str]:
        """What the module adds to the API, under the names that the API has for it, and its description."""
        key = self.module.digest
        if known := self.session.store.read("types", key):
            self.original = known["original"]
            return from_json(known["schema"]), known["doc"]
        async with self.session.progress.step(f"load {self.module.name}"):
            module_id = await self._call("", "", {}, {})
        value: ModuleValue = await self.session.value(self.session.find(module_id))
        names = {name: self._api_name(name) for name in (*value.schema.objects, *value.schema.enums)}
        self.original = {new: old for old, new in names.items()}
        schema = renamed(value.schema, names)
        self.session.store.write("types", key, {"schema": to_json(schema), "doc": value.doc, "original": self.original})
        return schema, value.doc

    def _api_name(self, name: str) -> str:
        main = self.module.main_object
        return name if name.startswith(main) else main + name

    # --- functions --------------------------------------------------------------------------------------
    async def call(self, owner: str, field: Field, state: dict[str, Any], args: dict[str, Any]) -> Any:
        """A function's result as JSON (objects of the API as ids, the module's own as their state); kept by its policy."""
        args = {a.original or a.name: args[a.name] for a in field.args if a.name in args}
        name = field.original or field.name
        key = digest_of([self.module.digest, owner, name, state, sorted(args.items())])
        store = self.session.store
        if field.cache == "never":
            return await self._call(owner, name, state, args)
        known = store.read("functions", key) if field.cache != "session" else None
        if known and known["until"] > time.time() and self._still_there(known["ids"]):
            await self.session.progress.cached(self._title(owner, name))
            return known["value"]

        result = await self.session.once(f"function {key}", lambda: self._call(owner, name, state, args))
        if field.cache != "session":
            ids = _ids(result, self.session)
            if all([self.session.keep(self.session.find(i)) for i in ids]):
                store.write(
                    "functions", key, {"value": result, "ids": ids, "until": time.time() + seconds(field.cache)}
                )
        return result

    def _still_there(self, ids: list[str]) -> bool:
        with contextlib.suppress(DaggerPodmanError):
            for node_id in ids:
                for node in self.session.find(node_id).closure().values():
                    if node.field == "_tree" and kept_tree(self.session.store, node.arg("digest")) is None:
                        return False
                    if node.field == "_file" and not self.session.store.has_blobs([node.arg("digest")]):
                        return False
            return True
        return False

    def _title(self, owner: str, name: str) -> str:
        return f"{owner or self.module.main_object}.{name}" if name else f"{owner}()"

    async def _call(self, owner: str, name: str, state: dict[str, Any], args: dict[str, Any]) -> Any:
        await self.session.once("module container", self._start)
        call = uuid.uuid4().hex
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        parent = self.original.get(owner, owner)
        self.session.memory["calls"][call] = FunctionCall(parent, name, state, tuple(args.items()), result)
        token = self.server.token(call)
        environment = {"DAGGER_SESSION_PORT": str(self.server.port), "DAGGER_SESSION_TOKEN": token}
        shown = self.session.progress.step(self._title(owner, name)) if owner else contextlib.nullcontext()
        try:
            async with shown as step:
                running = self._running[call] = Running(step)
                assert self._process and self._process.stdin
                self._process.stdin.write(json.dumps({"id": call, "environment": environment}).encode() + b"\n")
                await self._process.stdin.drain()
                code = await running.ended
                if result.done():
                    return result.result()
                said = self.session.scrubber.clean(bytes(running.output)).decode(errors="replace").strip()
                raise DaggerPodmanError(f"the module's process ended with exit code {code} and no result:\n{said}")
        finally:
            del self.server.tokens[token], self.session.memory["calls"][call]
            self._running.pop(call, None)

    # --- the module's container ---------------------------------------------------------------------------
    async def _start(self) -> None:
        try:
            await self._start_container()
        except DaggerPodmanError as error:
            if "image not known" not in str(error):
                raise
            self.session.store.forget("runtimes", self.module.digest)  # somebody removed it since
            await self._start_container()

    async def _image(self) -> tuple[str, Pairs]:
        """The image that the module's code runs in, and its environment; looked up again after a while, as a tag is."""
        store, key = self.session.store, self.module.digest
        known = store.read("runtimes", key)
        if known is None or time.time() - known["time"] > images.RECHECK_AFTER:
            image = await runtime_image(self.session, self.module)
            env = (await images.container_of(self.session, image)).env
            known = {"image": image, "env": env, "time": time.time()}
            store.write("runtimes", key, known)
        return known["image"], tuple((name, value) for name, value in known["env"])

    async def _start_container(self) -> None:
        session, module = self.session, self.module
        image, env_of_image = await self._image()
        stack = contextlib.AsyncExitStack()
        session.on_close.append(stack.aclose)
        folder = stack.enter_context(session.store.temporary_folder())
        for mounted in ("src", "bytecode"):
            (folder / mounted).mkdir()
        runner = stack.enter_context(importlib.resources.as_file(importlib.resources.files(__package__) / "runner.py"))
        name = f"dagger-podman-{session.id}-module"
        env = {
            "PYTHONPATH": SDK,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "OTEL_SDK_DISABLED": "true",
            "DAGGER_MODULE": module.name,
            "DAGGER_MAIN_OBJECT": module.main_object,
            "DAGGER_DEFAULT_PYTHON_PACKAGE": module.name.replace("-", "_"),
        }
        container = Container(env=(*env_of_image, *env.items()))
        self._process = await session.podman.start(
            *("run", "--rm", "-i", "--name", name, "--pull=never", "--network", "host", "--log-driver", "none"),
            *(*session.labels, *run_options(container), *host_options()),
            *("--volume", f"{folder / 'src'}:{SOURCE}:ro", "--volume", f"{runner}:/dagger-podman-runner.py:ro"),
            *("--volume", f"{folder / 'bytecode'}:{BYTECODE}"),
            *("--entrypoint", "", image, f"{VENV}/bin/python", "/dagger-podman-runner.py"),
            stdin=True,
        )
        stack.push_async_callback(self._stop, name)
        session.memory[MODULE_CONTAINER] = name
        # While the container starts; the runner waits for a line before it imports anything.
        loading = asyncio.to_thread(importlib.import_module, f"{__package__}.query")
        writing = asyncio.to_thread(self._write_mounts, folder)
        known, _ = await asyncio.gather(writing, loading)
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.ensure_future(self._read(ready))
        try:
            await asyncio.wait_for(ready, IMPORT_WITHIN)
        except TimeoutError:
            raise DaggerPodmanError(f"the module was not imported within {IMPORT_WITHIN:.0f} s") from None
        if not known:
            session.store.write("trees", self._bytecode, ingest(session.store, folder / "bytecode").to_json())

    @property
    def _bytecode(self) -> str:
        return digest_of(["bytecode", self.module.digest])

    def _write_mounts(self, folder: Path) -> bool:
        """The source, and what an earlier session's Python made of it; False where that is not known."""
        write_out(self.session.store, self.module.tree, folder / "src")
        tree = kept_tree(self.session.store, self._bytecode)
        write_out(self.session.store, tree or Tree({}), folder / "bytecode")
        return tree is not None

    async def _stop(self, name: str) -> None:
        """The runner ends when its input does; one that does not is removed."""
        assert self._process and self._process.stdin
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), ENDS_WITHIN)
        if self._process.returncode != 0:
            await self.session.podman.run("rm", "-f", "-t", "0", name)
        if self._reading:
            self._reading.cancel()

    async def _read(self, ready: asyncio.Future[None]) -> None:
        """Take in what the runner reports, line by line."""
        assert self._process and self._process.stdout and self._process.stderr
        errors = asyncio.ensure_future(self._process.stderr.read())
        buffered = b""
        while chunk := await self._process.stdout.read(1 << 16):
            *lines, buffered = (buffered + chunk).split(b"\n")
            for message in map(json.loads, lines):
                if message.get("ready"):
                    ready.set_result(None)
                elif "output" in message:
                    if running := self._running.get(message["id"]):
                        running.take(base64.b64decode(message["output"]))
                elif running := self._running.get(message["id"]):
                    running.ended.set_result(message["exit"])
        said = (await errors).decode(errors="replace").strip()
        lost = DaggerPodmanError(f"the module's container ended unexpectedly: {said or 'it was stopped or killed'}")
        if not ready.done():
            ready.set_exception(lost)
        for running in self._running.values():
            if not running.ended.done():
                running.ended.set_exception(lost)


def seconds(policy: str) -> float:
    """`10m`, `1h30m` → seconds; nothing → a week."""
    import re

    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    found = re.findall(r"(\d+(?:\.\d+)?)([smhd])", policy)
    return sum(float(n) * units[u] for n, u in found) if found else KEPT_FOR


def _ids(value: Any, session: Session) -> list[str]:
    """All ids within a result; those of the module's own objects lie in their fields."""
    if isinstance(value, dict | list):
        return [i for v in (value.values() if isinstance(value, dict) else value) for i in _ids(v, session)]
    return [value] if isinstance(value, str) and len(value) == 64 and value in session.nodes else []


def renamed(schema: Schema, names: dict[str, str]) -> Schema:
    """A module's types under the names that the API has for them."""

    def ref(t: TypeRef) -> TypeRef:
        return dataclasses.replace(t, name=names.get(t.name, t.name), of=ref(t.of) if t.of else None)

    def field(f: Field) -> Field:
        args = tuple(dataclasses.replace(a, name=camel(a.name), type=ref(a.type), original=a.name) for a in f.args)
        return dataclasses.replace(f, name=camel(f.name), type=ref(f.type), args=args, original=f.name)

    def made(o: ObjectType) -> ObjectType:
        constructor = field(o.constructor) if o.constructor else None
        fields = {f.name: f for f in map(field, o.fields.values())}
        return dataclasses.replace(o, name=names[o.name], fields=fields, constructor=constructor)

    return Schema(
        {names[n]: made(o) for n, o in schema.objects.items()},
        {names[n]: dataclasses.replace(e, name=names[n]) for n, e in schema.enums.items()},
        {},
    )
