"""Services of the monorepo running together, each with what it needs, apart from every other run."""

from collections.abc import Callable, Iterable, Mapping
from graphlib import TopologicalSorter

import dagger
from dagger import dag

from ..catalog import Catalog, Service
from ..images import container
from ..together import task_group

READY_WITHIN = 60
"""Seconds until Redis or PostgreSQL must answer."""

USER = DATABASE = PASSWORD = "prodgy"  # of a database that lives as long as one run
REDIS_IMAGE, POSTGRES_IMAGE = "redis:7-alpine", "postgres:16-alpine"

# Started again whenever it ends, so that a test may shut it down.
REDIS = """trap 'kill $server; exit' TERM INT
while :; do redis-server --bind 0.0.0.0 --protected-mode no --save '' --appendonly no & server=$!; wait $server; done"""


def order(catalog: Catalog, names: Iterable[str]) -> list[str]:
    """The named services and all that they need, what is needed before what needs it."""
    graph: dict[str, tuple[str, ...]] = {}
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in graph:
            graph[name] = catalog.services[name].needs if name in catalog.services else ()
            pending += graph[name]
    return list(TopologicalSorter(graph).static_order())


async def start(
    source: dagger.Directory,
    catalog: Catalog,
    names: Iterable[str],
    run: str,
    revision: str = "test",
    equip: Callable[[Service, dagger.Container], dagger.Container] = lambda service, container: container,
) -> dict[str, dagger.Service]:
    """The named services and what they need, by name, as definitions that are this run's alone.

    run: a text that no other run has; equal definitions would be one service. equip: gives a service's container more.
    Redis and PostgreSQL answer already.
    """
    ordered = order(catalog, names)
    images: dict[str, dagger.Container] = {}
    running: dict[str, dagger.Service] = {}

    async def build(name: str) -> None:
        images[name] = await container.build(source, catalog, catalog.service(name))

    async with task_group() as group:
        for name in ordered:
            if name in catalog.services:
                group.start_soon(build, name)
            else:
                running[name] = BACKING[name](run)
                group.start_soon(_ready, name, running[name], run)
    for name in ordered:
        if name in catalog.services:
            service = catalog.services[name]
            made = (
                equip(service, images[name])
                .with_env_variable("PRODGY_RUN", run)
                .with_env_variable("PRODGY_REVISION", revision)
            )
            made = bound(made, {need: running[need] for need in service.needs})
            if service.port:
                made = made.with_exposed_port(service.port)
            running[name] = made.as_service(use_entrypoint=True)
    return running


def bound(container: dagger.Container, services: Mapping[str, dagger.Service]) -> dagger.Container:
    """The container with services under their names."""
    for name, service in services.items():
        container = container.with_service_binding(name, service)
    return container


def _redis(run: str) -> dagger.Service:
    made = dag.container().from_(REDIS_IMAGE).with_env_variable("PRODGY_RUN", run).with_exposed_port(6379)
    return made.as_service(args=["sh", "-c", REDIS])


def _postgres(run: str) -> dagger.Service:
    made = dag.container().from_(POSTGRES_IMAGE).with_env_variable("PRODGY_RUN", run)
    for name, value in (("POSTGRES_USER", USER), ("POSTGRES_PASSWORD", PASSWORD), ("POSTGRES_DB", DATABASE)):
        made = made.with_env_variable(name, value)
    return made.with_exposed_port(5432).as_service(use_entrypoint=True)


BACKING = {"redis": _redis, "postgres": _postgres}

_QUESTIONS = {
    "redis": (REDIS_IMAGE, '[ "$(redis-cli -h redis ping)" = PONG ]'),
    "postgres": (POSTGRES_IMAGE, f"psql -h postgres -U {USER} -d {DATABASE} -c 'SELECT 1'"),
}


async def _ready(name: str, service: dagger.Service, run: str) -> None:
    """Ask until it answers; raises dagger.ExecError with what was said last."""
    image, question = _QUESTIONS[name]
    loop = f"end=$(($(date +%s) + {READY_WITHIN})); until {question}; do [ $(date +%s) -lt $end ] || exit 1; sleep 0.2; done"
    asking = dag.container().from_(image).with_env_variable("PRODGY_RUN", run).with_env_variable("PGPASSWORD", PASSWORD)
    await asking.with_service_binding(name, service).with_exec(["sh", "-c", loop]).sync()
