"""Services: containers of the session that answer on a port, started once for equal definitions."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import images, run_options
from .errors import DaggerPodmanError, ExecError
from .nodes import Node
from .ports import forward, listens, may_publish
from .session import Session
from .state import Container, Healthcheck, Port
from .store import digest_of

READY_WITHIN = 120.0
"""Seconds in which a started service must answer."""
STOP_WITHIN = 10


@dataclasses.dataclass(frozen=True)
class ServiceValue:
    """A container that runs `args`, or (with `target`) something on the caller's machine."""

    container: Container = Container()
    args: tuple[str, ...] = ()
    hostname: str = ""
    target: tuple[str, int] | None = None
    privileged: bool = False

    @property
    def ports(self) -> tuple[Port, ...]:
        return (Port(self.target[1]),) if self.target else tuple(p for p in self.container.ports if not p.of_image)


@dataclasses.dataclass(frozen=True)
class Bound:
    network: str = ""
    hosts: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass
class Running:
    """A started service: its address for containers, and one on the host's loopback for everything else."""

    name: str
    address: str
    loopback: str
    value: ServiceValue
    process: asyncio.subprocess.Process | None = None
    log: collections.deque[bytes] = dataclasses.field(default_factory=lambda: collections.deque(maxlen=50))
    pump: asyncio.Future[Any] | None = None
    stack: contextlib.AsyncExitStack = dataclasses.field(default_factory=contextlib.AsyncExitStack)
    """What it holds, and what goes with it: such as the locks of its cache volumes."""
    handle: int = -1
    """Of its first process, for Podman 4 forgets a container that two commands stop at once, and lets it run."""

    async def end(self, session: Session, grace: int) -> None:
        """Stop it and remove it."""
        await session.podman.run("rm", "-f", "-t", str(grace), self.name)
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.close(self.handle)
        self.handle = -1
        if self.process and self.process.returncode is None:
            try:
                await asyncio.wait_for(self.process.wait(), STOP_WITHIN)
            except TimeoutError:
                self.process.kill()


async def service_key(session: Session, node: Node) -> str:
    value: ServiceValue = await session.value(node)
    return await _key(session, value)


async def _key(session: Session, value: ServiceValue) -> str:
    from .execution import exec_key
    from .state import Executed

    if value.target:
        return digest_of(["host", *value.target])
    key = await exec_key(session, Executed(value.container, value.args))
    c = value.container
    ready = [*map(dataclasses.astuple, c.ports), dataclasses.astuple(c.healthcheck) if c.healthcheck else None]
    return digest_of(["service", key, ready, value.hostname, value.privileged])


async def network(session: Session) -> str:
    """The session's own network."""

    async def create() -> str:
        name = f"dagger-podman-{session.id}"
        await session.podman("network", "create", "--disable-dns", *session.labels, name)
        session.networks.append(name)
        return name

    return await session.once("network", create)


async def bind(session: Session, bindings: Sequence[tuple[str, Node]]) -> Bound:
    """Start what is bound; return the network to join and the names to know it by."""
    if not bindings:
        return Bound()
    name = await network(session)
    values = [await session.value(node) for _, node in bindings]
    started = await asyncio.gather(*(start(session, v, alias) for v, (alias, _) in zip(values, bindings, strict=True)))
    return Bound(name, tuple((alias, r.address) for (alias, _), r in zip(bindings, started, strict=True)))


async def start(session: Session, value: ServiceValue, alias: str = "") -> Running:
    """The running service; equal definitions share one."""
    key = await _key(session, value)
    try:
        return await session.once(f"service {key}", lambda: _start(session, value, key))
    except ExecError as error:
        what = f"start {key[:13]}" + (f" (aliased as {alias})" if alias else "")
        raise ExecError(error.command, error.exit_code, error.stdout, error.stderr, what) from None


async def _start(session: Session, value: ServiceValue, key: str) -> Running:
    if value.target:
        host, port = value.target
        gateway = await _gateway(session)
        await forward(session, gateway, port, host, port)
        return Running(key[:13], gateway, host, value)
    running = Running(f"dagger-podman-{session.id}-service-{key[:12]}", "", _loopback(session), value)
    session.on_close.append(running.stack.aclose)
    try:
        await _start_container(session, running)
    except BaseException:
        await running.stack.aclose()
        raise
    return running


async def _start_container(session: Session, running: Running) -> None:
    value, stack, c = running.value, running.stack, running.value.container
    net = await network(session)
    image = await images.image_to_start(session, c)
    folder = stack.enter_context(session.store.temporary_folder())
    options, _ = await run_options.launch(session, stack, c, net)
    published = [p for p in c.ports if session.podman.rootless and may_publish(p)]  # root reaches the container itself
    publish = [f"{running.loopback}:{p.number}:{p.number}/{p.protocol.lower()}" for p in published]
    command = [
        *("run", "--name", running.name, "--log-driver", "none", "--pidfile", str(folder / "pid"), *options),
        *(["--hostname", value.hostname] if value.hostname else []),
        *(word for p in publish for word in ("--publish", p)),
        *(["--privileged"] if value.privileged else []),
        *("--entrypoint", "", image, *value.args),
    ]
    step = await stack.enter_async_context(
        session.progress.step(f"service {value.hostname or ' '.join(value.args)[:80]}")
    )
    running.process = await session.podman.start(*command)
    stack.push_async_callback(running.end, session, grace=1)  # nobody is left who could need what it holds
    running.pump = asyncio.gather(
        _pump(session, running, running.process.stdout, step), _pump(session, running, running.process.stderr, step)
    )
    await _ready(session, running, folder / "pid")


def _loopback(session: Session) -> str:
    """An address of 127.0.0.0/8 of its own for each service, so that ports keep their numbers."""
    count = session.memory["loopback"] = session.memory.get("loopback", 0) + 1
    return f"127.{83 + int(session.id[:2], 16) % 100}.{int(session.id[2:4], 16)}.{count}"


async def _pump(session: Session, running: Running, stream: asyncio.StreamReader | None, step: Any) -> None:
    assert stream
    while chunk := await stream.read(1 << 16):
        running.log.extend(session.scrubber.clean(chunk).splitlines(keepends=True))
        step.output("stdout", chunk)


async def _raise_if_ended(running: Running) -> None:
    if running.process and running.process.returncode is not None:
        assert running.pump
        await running.pump
        log = b"".join(running.log).decode(errors="replace")
        raise ExecError(list(running.value.args), running.process.returncode, log, "")


async def _healthy(session: Session, running: Running, health: Healthcheck) -> None:
    """Wait until the health check passes. It is not asked again then, and nothing ends one that takes long."""
    patience, failures = time.monotonic() + health.start_period / 1e9, 0
    while (done := await session.podman.run("exec", running.name, *health.command)).exit_code:
        await _raise_if_ended(running)
        failures += time.monotonic() > patience
        if failures == (health.retries or 3):
            said = (session.scrubber.clean(text).decode(errors="replace") for text in (done.stdout, done.stderr))
            raise ExecError(list(health.command), done.exit_code, *said)
        await asyncio.sleep((health.start_interval or health.interval or 5e9) / 1e9)


async def _ready(session: Session, running: Running, pidfile: Path) -> None:
    """Wait until the service listens on its ports, seen from its own network's table of sockets, or is healthy."""
    deadline = time.monotonic() + READY_WITHIN
    health = running.value.container.healthcheck
    if health and not health.command:
        raise DaggerPodmanError("failed to setup docker healthcheck: container does not have a healthcheck command")
    waiting = {(p.number, p.protocol) for p in running.value.ports if not (p.skip_health_check or health)}
    pid = ""
    while not pid or waiting or not running.address:
        await _raise_if_ended(running)
        if time.monotonic() > deadline:
            ports = ", ".join(f"{n}/{p.lower()}" for n, p in sorted(waiting))
            log = b"".join(running.log).decode(errors="replace")
            raise DaggerPodmanError(
                f"service {running.name} does not listen on {ports} (on all addresses, not 127.0.0.1 alone) "
                f"after {READY_WITHIN:.0f} s; its last lines:\n{log}"
            )
        with contextlib.suppress(OSError):
            pid = pid or pidfile.read_text().strip()
            if pid and running.handle < 0:
                running.handle = os.pidfd_open(int(pid))
        if pid:
            if not running.address:
                running.address = await _address(session, running.name)
            waiting = {port for port in waiting if not listens(pid, *port)}
        if waiting or not pid or not running.address:
            await asyncio.sleep(0.03)
    if health:
        await _healthy(session, running, health)


async def _address(session: Session, name: str) -> str:
    done = await session.podman.run("inspect", "--format", "{{json .NetworkSettings.Networks}}", name)
    if done.exit_code:
        return ""
    return next((str(n["IPAddress"]) for n in json.loads(done.stdout).values() if n.get("IPAddress")), "")


async def stop(session: Session, value: ServiceValue, kill: bool = False) -> None:
    """Stop a service now, if it runs; a later start gives a new one."""
    key = f"service {await _key(session, value)}"
    if running := await session.known(key):
        await running.end(session, grace=0 if kill else STOP_WITHIN)
        await running.stack.aclose()
        session.drop(key)


async def _gateway(session: Session) -> str:
    """The host's address on the session's network."""
    name = await network(session)
    found = json.loads(await session.podman("network", "inspect", name))[0]
    return str(found["subnets"][0]["gateway"])


async def up(session: Session, value: ServiceValue, ports: Sequence[dict[str, Any]] = (), random: bool = False) -> None:
    """Serve the service on ports of the host until the session is stopped."""
    running = await start(session, value)
    wanted = [(int(p.get("frontend") or p["backend"]), int(p["backend"])) for p in ports]
    for frontend, backend in wanted or [(p.number, p.number) for p in value.ports]:
        port = await forward(session, "127.0.0.1", 0 if random else frontend, _host_of(session, running), backend)
        session.progress.notice(f"127.0.0.1:{port} -> {value.hostname or running.name}:{backend}")
    await asyncio.Event().wait()


def _host_of(session: Session, running: Running) -> str:
    """The address by which this process reaches a service."""
    return running.loopback if running.value.target or session.podman.rootless else running.address


async def endpoint(session: Session, value: ServiceValue, port: int = 0, scheme: str = "") -> str:
    """`host:port` as the module's own process, on the host's network, reaches the service."""
    running = await start(session, value)
    number = port or next((p.number for p in value.ports), 0)
    if not number:
        raise DaggerPodmanError("the service exposes no port; use withExposedPort")
    return (f"{scheme}://" if scheme else "") + f"{_host_of(session, running)}:{number}"
