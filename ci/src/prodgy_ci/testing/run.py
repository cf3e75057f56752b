"""Runs a service's unit or integration tests in its Dockerfile's stage `test`."""

import re
import time
import uuid
from collections.abc import Sequence

import anyio
import dagger
from dagger import dag

from ..catalog import Catalog, Service
from ..errors import InputError, ProdgyError
from ..images import failure
from ..images.context import build_context, dockerfile
from ..together import task_group
from . import outcome, stack
from .outcome import Kind, Outcome, Outcomes

STAGE = "test"
REPORTS = "/reports"
INTEGRATION = "integration-test.sh"
AT_ONCE = 3
LIMITED = """
start=$(date +%s)
timeout -k 10 1 true 2>/dev/null && kill="-k 10"
timeout $kill "$@" </dev/null
code=$?
case $code in 137|143) [ $(($(date +%s) - start)) -ge "$1" ] && code=124 ;; esac
echo $code $start >/tmp/prodgy-outcome
"""
"""Runs a command ($2…) for at most $1 seconds, and keeps its exit code and when it began: an engine takes 128 to 191 for a
failure of its own, whatever was expected. BusyBox ends with 143 where the time is over, GNU with 124; old ones know no -k."""
KEPT = 2.0
"""Seconds by which two looks at the clock may differ: what began longer before it was asked for comes from a cache."""


class TestsFailedError(ProdgyError):
    """Tests failed, or could not be run."""

    __test__ = False


def services_to_test(catalog: Catalog, names: Sequence[str] | None, kind: Kind) -> list[Service]:
    """The services to test: the named ones, else all that can be; raises InputError for one that cannot."""
    chosen = catalog.choose([name.strip() for name in names] if names else None)
    unfit = [s for s in chosen if not _fits(s, kind)]
    if names and unfit and list(names) != ["all"]:
        why = (
            "no Dockerfile" if unfit[0].dockerfile is None else f"no container that runs (it goes to {unfit[0].target})"
        )
        raise InputError(f"service '{unfit[0].name}' has {why}: there are no {kind} tests to run for it here")
    return [s for s in chosen if _fits(s, kind)]


def _fits(service: Service, kind: Kind) -> bool:
    return service.dockerfile is not None and (kind == "unit" or service.form == "image")


async def all_of(
    source: dagger.Directory, catalog: Catalog, services: Sequence[Service], kinds: Sequence[Kind], deadline: int
) -> Outcomes:
    """The outcomes of all services' tests, a few at once, in the order given. One failure stops no other."""
    if deadline < 1:
        raise InputError(f"--deadline: give seconds of at least 1, not {deadline}")
    turn = anyio.Semaphore(AT_ONCE)
    jobs = [(s, kind) for kind in kinds for s in services if _fits(s, kind)]
    done: dict[tuple[str, Kind], Outcome] = {}

    async def one(service: Service, kind: Kind) -> None:
        async with turn:
            start = time.monotonic()
            try:
                made = await (_unit if kind == "unit" else _integration)(source, catalog, service, deadline)
            except (ProdgyError, dagger.DaggerError) as error:
                made = outcome.broken(service.name, kind, time.monotonic() - start, failure.words(error))
            done[service.name, kind] = made.model_copy(update={"began": start})

    async with task_group() as group:
        for service, kind in jobs:
            group.start_soon(one, service, kind)
    return Outcomes(tests=tuple(done[s.name, kind] for s, kind in jobs))


async def _stage(source: dagger.Directory, catalog: Catalog, service: Service) -> dagger.Container:
    context = build_context(source, catalog, service)
    name = await dockerfile(context, catalog, service)
    if not re.search(
        rf"^\s*FROM\s.*\sAS\s+{STAGE}\s*$", await context.file(name).contents(), re.IGNORECASE | re.MULTILINE
    ):
        place = catalog.in_repository(service.dockerfile or "")
        raise InputError(f"{place} has no stage '{STAGE}': add one whose command runs the tests")
    return await context.docker_build(dockerfile=name, target=STAGE).sync()


async def _unit(source: dagger.Directory, catalog: Catalog, service: Service, deadline: int) -> Outcome:
    stage = await _stage(source, catalog, service)
    command = await stage.default_args()
    if not command:
        raise InputError(f"the stage '{STAGE}' of service '{service.name}' has no CMD that runs its tests")
    return await _run(stage, service, "unit", command, deadline)


async def _integration(source: dagger.Directory, catalog: Catalog, service: Service, deadline: int) -> Outcome:
    run = uuid.uuid4().hex
    stages: list[dagger.Container] = []
    running: dict[str, dagger.Service] = {}

    async def build() -> None:
        stages.append(await _stage(source, catalog, service))

    async def start() -> None:
        running.update(await stack.start(source, catalog, [service.name], run))

    async with task_group() as group:
        group.start_soon(build)
        group.start_soon(start)
    visible = {name: running[name] for name in (*service.needs, service.name)}
    stage = stack.bound(stages[0], visible).with_env_variable("PRODGY_RUN", run)
    stage = stage.with_env_variable("SERVICE_URL", f"http://{service.name}:{service.port}")
    return await _run(stage, service, "integration", ["sh", INTEGRATION], deadline)


async def _run(stage: dagger.Container, service: Service, kind: Kind, command: Sequence[str], deadline: int) -> Outcome:
    """Run a test command to its end or its deadline; keep what it printed and its report, whatever came of it."""
    asked, start = time.time(), time.monotonic()
    ran = await stage.with_exec(["sh", "-s", "--", str(deadline), *command], stdin=LIMITED).sync()
    seconds = time.monotonic() - start
    path = f"{REPORTS}/{kind}.xml"
    report = await ran.file(path).contents() if await ran.exists(path) else None
    log = await ran.stdout() + await ran.stderr()
    code, began = map(int, (await ran.file("/tmp/prodgy-outcome").contents()).split())
    if code and began < asked - KEPT:  # a kept failure says nothing of now: perhaps memory was short
        return await _run(stage.with_env_variable("PRODGY_RUN", uuid.uuid4().hex), service, kind, command, deadline)
    return outcome.judge(service.name, kind, code, seconds, deadline, log, report)


def directory(outcomes: Outcomes) -> dagger.Directory:
    """The reports as files."""
    made = dag.directory()
    for path, text in files(outcomes).items():
        made = made.with_new_file(path, text)
    return made


def files(outcomes: Outcomes) -> dict[str, str]:
    """Texts by path: tests.json, junit/SERVICE-KIND.xml and logs/SERVICE-KIND.txt."""
    made = {"tests.json": outcomes.json_text()}
    for o in outcomes.tests:
        made[f"logs/{o.service}-{o.kind}.txt"] = o.log
        if o.report is not None:
            made[f"junit/{o.service}-{o.kind}.xml"] = o.report
    return made


def passed(outcomes: Outcomes) -> str:
    """The table of outcomes; raises TestsFailedError with every failure where one failed or none was there."""
    if not outcomes.tests:
        raise TestsFailedError("no tests were run: no service has any of this kind")
    if any(o.verdict == "failed" for o in outcomes.tests):
        raise TestsFailedError(outcome.explain(outcomes.tests))
    return outcome.table(outcomes.tests)
