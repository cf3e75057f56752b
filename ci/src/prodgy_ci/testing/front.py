"""Several services behind one, so that `up` brings all their ports to the caller's machine."""

import uuid
from collections.abc import Mapping

import dagger
from dagger import dag

from ..catalog import Catalog
from ..errors import InputError
from . import stack

PROXY_IMAGE, COMMANDER_IMAGE = "haproxy:3.0-alpine", "rediscommander/redis-commander:latest"
CONFIGURATION = "/usr/local/etc/haproxy/haproxy.cfg"
REDIS_PORT, COMMANDER_PORT = 6379, 8081


async def development(source: dagger.Directory, catalog: Catalog) -> dagger.Service:
    """Redis, Redis Commander and the engine."""
    if "engine" not in catalog.services:
        raise InputError(
            "`dev` starts Redis and a service 'engine', and the catalog has none; `stack` starts all it has"
        )
    run = uuid.uuid4().hex
    engine = catalog.services["engine"]
    running = await stack.start(source, catalog, ["engine", "redis"], run, revision="development")
    commander = dag.container().from_(COMMANDER_IMAGE).with_env_variable("REDIS_HOSTS", f"local:redis:{REDIS_PORT}")
    commander = commander.with_env_variable("PRODGY_RUN", run).with_service_binding("redis", running["redis"])
    commander = commander.without_docker_healthcheck()  # the image's looks once a minute, and its port would not count
    services = {
        "redis": (running["redis"], REDIS_PORT),
        "redis-commander": (
            commander.with_exposed_port(COMMANDER_PORT).as_service(use_entrypoint=True),
            COMMANDER_PORT,
        ),
        "engine": (running["engine"], engine.port or 8001),
    }
    return together(services, run)


async def whole_stack(source: dagger.Directory, catalog: Catalog) -> dagger.Service:
    """All services that run as containers, each on its own port."""
    run = uuid.uuid4().hex
    ports = {s.name: s.port for s in catalog.services.values() if s.form == "image" and s.port}
    owners: dict[int, str] = {}
    for name, port in ports.items():
        if (owner := owners.setdefault(port, name)) != name:
            raise InputError(
                f"services.{name}.port: {port} is that of '{owner}' too, and this machine has it only once"
            )
    running = await stack.start(source, catalog, ports, run, revision="development")
    return together({name: (running[name], port) for name, port in ports.items()}, run)


def together(services: Mapping[str, tuple[dagger.Service, int]], run: str) -> dagger.Service:
    """One service with the ports of all."""
    text = configuration({name: port for name, (_, port) in services.items()})
    proxy = dag.container().from_(PROXY_IMAGE).with_new_file(CONFIGURATION, text).with_env_variable("PRODGY_RUN", run)
    proxy = stack.bound(proxy, {name: service for name, (service, _) in services.items()})
    for _, port in services.values():
        proxy = proxy.with_exposed_port(port)
    return proxy.as_service(args=["haproxy", "-f", CONFIGURATION])


def configuration(ports: Mapping[str, int]) -> str:
    """HAProxy's configuration that passes each port on to the service of that name."""
    lines = ["defaults", "  mode tcp", "  timeout connect 5s", "  timeout client 1h", "  timeout server 1h"]
    for name, port in ports.items():
        lines += [f"listen {name}", f"  bind :{port}", f"  server {name} {name}:{port}"]
    return "\n".join(lines) + "\n"
