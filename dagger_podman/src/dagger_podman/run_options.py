"""What `podman run` is told of a container: its environment, and its secrets, which reach nothing but the run."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from . import host, services
from .mounts import Prepared, locked_volumes, prepare, with_numeric_owners
from .nodes import Node
from .session import Session
from .state import Container

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


async def launch(
    session: Session, stack: contextlib.AsyncExitStack, c: Container, network: str = ""
) -> tuple[list[str], list[Prepared]]:
    """The options of `podman run`, with all that a container needs made ready until `stack` is left; and its mounts.

    Services that it is bound to are started; it is on their network, or on the given one.
    """
    c = await with_numeric_owners(session, c)
    bound = await services.bind(session, c.bindings)
    folder = stack.enter_context(session.store.temporary_folder())
    await locked_volumes(session, stack, c.mounts)
    prepared = [await prepare(session, m, folder / str(i)) for i, m in enumerate(c.mounts)]
    on = network or bound.network
    options = [
        *("--pull=never", *session.labels, *run_options(c), *host_options()),
        *(["--network", on] if on else []),
        *(word for alias, address in bound.hosts for word in ("--add-host", f"{alias}:{address}")),
        *(word for m in prepared for word in m.options),
        *(await stack.enter_async_context(secret_arguments(session, c))),
    ]
    return options, prepared


def run_options(c: Container) -> list[str]:
    """Environment, user and working directory as the container has them, not as its image has them."""
    env = c.env if any(n == "PATH" for n, _ in c.env) else (("PATH", DEFAULT_PATH), *c.env)
    return [
        "--unsetenv-all",
        "--image-volume=ignore",  # as Dagger does: what is written there stays in the container's files
        *(word for n, v in (*env, *c.volatile) for word in ("--env", f"{n}={v}")),
        *(["--user", c.user] if c.user else ["--user", "0"]),
        *("--workdir", c.workdir or "/"),
    ]


def host_options() -> list[str]:
    """What containers need of the host to reach the network: its certificates and proxies, for the run only."""
    volumes, env = host.trust_mounts()
    return [*(w for v in volumes for w in ("--volume", v)), *(w for n, v in env.items() for w in ("--env", f"{n}={v}"))]


@contextlib.asynccontextmanager
async def secret_arguments(session: Session, c: Container) -> AsyncIterator[list[str]]:
    """Options that hand secrets to a run: through Podman's secrets, whose values lie in memory and go with the step."""
    wanted: list[tuple[Node, str]] = [(node, f"type=env,target={name}") for name, node in c.secret_env]
    for mount in c.mounts:
        if mount.kind == "secret" and mount.source:
            uid, _, gid = (mount.owner or "0").partition(":")
            target = f"type=mount,target={mount.path},uid={uid},gid={gid or uid},mode={mount.mode:o}"
            wanted.append((mount.source, target))
    if not wanted:
        yield []
        return
    with session.secret_folder() as folder:
        options, names = [], []
        try:
            for i, (node, target) in enumerate(wanted):
                value = await (await session.value(node)).read()
                name = f"dagger-podman-{folder.name}-{i}"
                names.append(name)
                (folder / str(i)).mkdir(0o700)
                create = ("secret", "create", "--driver", "file", "--driver-opts", f"path={folder}/{i}", name, "-")
                await session.podman(*create, stdin=value)
                options += ["--secret", f"{name},{target}"]
            yield options
        finally:
            await session.podman.run("secret", "rm", *names)
