"""The pipeline: plan, build, test, publish, and a report of all of it. It fails only where it could not be run."""

import datetime
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import dagger
from dagger import dag

from . import planning, report
from .catalog import Catalog, Service
from .changes.options import Options
from .changes.plan import Plan
from .checking import ChecksFailedError
from .environment import Environment
from .errors import InputError, ProdgyError
from .images import build_all, publish
from .images import record as images_record
from .images.builds import Builds
from .images.failure import words
from .images.record import Images
from .images.registry import Registry
from .testing import run
from .testing.outcome import Outcomes
from .together import task_group

T = TypeVar("T")

READ = ("*.json", "*-error.txt", "checks/*.json", "logs/*")
"""What of a run's folder decides."""


class FailedError(ProdgyError):
    """Something failed, or could not be told."""


@dataclass(frozen=True)
class Pipeline:
    """What is run, on what."""

    source: dagger.Directory
    git: dagger.Directory
    catalog: Catalog
    options: Options
    deployed: dagger.File | None = None
    registry: Registry | None = None
    """Where images go, if the ref stands for an environment."""
    reuse: Registry | None = None
    artifacts: dagger.Directory | None = None
    deadline: int = 600
    """Seconds for the tests of one service."""


@dataclass
class Run:
    """The files of a run so far, and what took how long."""

    started: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))
    clock: float = field(default_factory=time.monotonic)
    files: dict[str, str] = field(default_factory=dict)
    spans: list[dict[str, object]] = field(default_factory=list)

    def span(self, stage: str, service: str | None, began: float, seconds: float, passed: bool) -> None:
        self.spans.append(
            {
                "stage": stage,
                "service": service,
                "start": round(began - self.clock, 1),
                "seconds": round(seconds, 1),
                "result": "passed" if passed else "failed",
            }
        )

    def describe(self, plan: Plan) -> None:
        """Writes run.json."""
        about = {
            "schema_version": 1,
            "ref": plan.ref,
            "commit": plan.head,
            "environment": plan.environment,
            "started": self.started,
            "seconds": round(time.monotonic() - self.clock, 1),
            "spans": sorted(self.spans, key=lambda span: (span["start"], str(span["service"]))),
        }
        self.files["run.json"] = json.dumps(about, indent=2) + "\n"


async def ci(job: Pipeline) -> Run:
    """Runs it to its end, whatever fails on the way.

    Images are published only where every build and test passed: what is published may be deployed. Raises InputError
    or UndeterminedError where there is no plan.
    """
    made = Run()
    began = time.monotonic()
    plan, made.files["plan.json"] = await planning.plan(job.git, job.options, job.deployed)
    if job.deployed is not None:
        made.files["deployed.json"] = await job.deployed.contents()
    made.span("plan", None, began, time.monotonic() - began, True)
    services = job.catalog.choose(plan.affected) if plan.affected else []
    builds, outcomes = await _both(lambda: _build(job, services), lambda: _test(job, services))
    _tell_builds(made, builds)
    _tell_tests(made, outcomes)
    good = all(build.error is None for build in builds.builds)
    good = good and all(outcome.verdict == "passed" for outcome in outcomes.tests)
    if job.registry is not None and plan.environment is not None and good:
        await _publish(job, plan, job.registry, made)
    made.describe(plan)
    return made


async def whole(job: Pipeline, environment: Environment) -> Run:
    """The same from what the environment serves to what it shall serve: nothing is deployed unless all before is well.

    Raises what `ci` raises, and where it cannot be told what is deployed.
    """
    where = await environment.where()
    made = await ci(replace(job, deployed=await environment.deployed(), registry=await where.registry()))
    if "images.json" not in made.files or not report.verdict.judge(report.run.read(made.files)).passed:
        return made
    began = time.monotonic()
    good = False
    try:
        deployments = await environment.roll_out(images_record.load(made.files["images.json"], "images.json"))
        made.files["deployments.json"], good = deployments.json_text(), deployments.succeeded
    except ChecksFailedError as error:
        made.files[f"checks/{error.found.list}.json"] = error.found.json_text()
        made.files["deploy-error.txt"] = "nothing was changed, for the checks before it failed\n"
    except (ProdgyError, dagger.DaggerError) as error:
        made.files["deploy-error.txt"] = words(error) + "\n"
    made.span("deploy", None, began, time.monotonic() - began, good)
    made.describe(Plan.model_validate_json(made.files["plan.json"]))
    return made


def agent(name: str | None) -> bool:
    """Whether annotations for Azure's agent are wanted; raises InputError for another's."""
    if name not in (None, "azure"):
        raise InputError(f"--annotations: '{name}' is not known; give azure or leave it out")
    return name is not None


def directory(made: Run, azure: bool = False) -> dagger.Directory:
    """The run's files and its report; with annotations.txt for Azure's agent if wanted."""
    files = report.complete(made.files)
    if azure:
        files["annotations.txt"] = report.annotations.azure(report.verdict.load(files["verdict.json"]))
    folder = dag.directory()
    for path, text in files.items():
        folder = folder.with_new_file(path, text)
    return folder


async def verdict(folder: dagger.Directory) -> str:
    """The summary of the run that lies in the folder; raises FailedError with it unless the run passed."""
    with tempfile.TemporaryDirectory() as place:
        await folder.filter(include=list(READ)).export(place)
        made = report.run.load(Path(place))
    judged = report.verdict.judge(made)
    said = report.summary.plain(made, judged)
    if not judged.passed:
        raise FailedError(said)
    return said


async def _build(job: Pipeline, services: Sequence[Service]) -> Builds:
    return await build_all.build_all(job.source, job.catalog, services, job.artifacts)


async def _test(job: Pipeline, services: Sequence[Service]) -> Outcomes:
    return await run.all_of(job.source, job.catalog, services, ["unit", "integration"], job.deadline)


def _tell_builds(made: Run, builds: Builds) -> None:
    made.files["builds.json"] = builds.json_text()
    for build in builds.builds:
        made.span("build", build.service, build.began, build.seconds, build.error is None)


def _tell_tests(made: Run, outcomes: Outcomes) -> None:
    made.files.update(run.files(outcomes))
    for o in outcomes.tests:
        made.span(f"{o.kind} tests", o.service, o.began, o.seconds, o.verdict == "passed")


async def _publish(job: Pipeline, plan: Plan, registry: Registry, made: Run) -> None:
    """Publishes what the plan builds. Nothing to build gives an images.json all the same: the next stage reads it."""
    began = time.monotonic()
    images = Images(registry=str(registry.address), environment=plan.environment, commit=plan.head, images={})
    try:
        if plan.affected:
            images = await publish.publish(
                publish.Job(job.source, job.git, job.catalog, plan, registry, job.reuse, job.artifacts), None
            )
    except (ProdgyError, dagger.DaggerError) as error:
        made.files["publish-error.txt"] = words(error) + "\n"
        made.span("publish", None, began, time.monotonic() - began, False)
    made.files["images.json"] = images.json_text()
    for image in images.images.values():
        made.span("publish", image.service, image.began, image.seconds, image.result != "failed")


async def _both(
    first: Callable[[], Awaitable[Builds]], second: Callable[[], Awaitable[Outcomes]]
) -> tuple[Builds, Outcomes]:
    """Both at once: a test runs as soon as its own image is there. What one raises is raised as it is."""
    builds: list[Builds] = []
    outcomes: list[Outcomes] = []

    async def build() -> None:
        builds.append(await first())

    async def test() -> None:
        outcomes.append(await second())

    async with task_group() as group:
        group.start_soon(build)
        group.start_soon(test)
    return builds[0], outcomes[0]
