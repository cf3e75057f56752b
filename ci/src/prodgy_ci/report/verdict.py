"""Whether a run passed, and if not, what failed and why. What could not be told has not passed."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from ..deploy.record import Deployment
from ..records import Record, read
from .run import Run
from .text import first_line, last_lines

DEPLOYED = ("deployed", "unchanged", "would deploy")


class Failure(Record):
    """One thing that failed."""

    stage: str
    service: str | None = Field(default=None, description="null where it is not one service's")
    why: str = Field(description="In one line")
    log: str = Field(default="", description="The last lines of what it said")

    @property
    def title(self) -> str:
        """`build of api`; the stage alone where it is no service's."""
        return f"{self.stage} of {self.service}" if self.service else self.stage


class Verdict(Record):
    """The file verdict.json."""

    schema_version: Literal[1] = 1
    passed: bool = Field(description="Whether nothing failed and everything could be told")
    failures: tuple[Failure, ...] = ()
    incomplete: tuple[str, ...] = Field(default=(), description="What could not be told: never taken for passed")
    warnings: tuple[str, ...] = Field(default=(), description="What is not right but fails nothing")
    notes: tuple[str, ...] = Field(default=(), description="What a reader should know")

    @property
    def words(self) -> str:
        """Passed, failed or incomplete."""
        return "passed" if self.passed else "failed" if self.failures else "incomplete"

    def json_text(self) -> str:
        """The content of verdict.json."""
        return (
            super().json_text().replace("##", "#\\u0023")
        )  # what failed may have said something the CI server would obey


def load(text: str, source_name: str = "verdict.json") -> Verdict:
    """The verdict that the text of a verdict.json holds; raises InputError."""
    return read(Verdict, text, source_name, "the file that `ci` wrote")


def judge(run: Run) -> Verdict:
    """The verdict on a run."""
    failures = tuple(_failures(run))
    incomplete = tuple(_incomplete(run))
    warnings = tuple(
        f"{checks.list} of {checks.environment}: {one.name}: {first_line(one.evidence)}"
        for checks in run.checks
        for one in checks.results
        if one.status == "warning"
    )
    return Verdict(
        passed=not failures and not incomplete,
        failures=failures,
        incomplete=incomplete,
        warnings=warnings,
        notes=tuple(_notes(run, bool(failures or incomplete))),
    )


def _failures(run: Run) -> Iterator[Failure]:
    found = [*_broken(run), *_builds(run), *_tests(run), *_images(run), *_deployments(run), *_checks(run)]
    yield from found
    told = {(failure.stage, failure.service) for failure in found}
    for span in run.about.spans if run.about else ():
        if span.result == "failed" and (span.stage, span.service) not in told:
            said = run.texts.get(f"{span.stage}-error.txt", "")
            yield Failure(
                stage=span.stage, service=span.service, why=first_line(said) or "it failed", log=last_lines(said)
            )


def _broken(run: Run) -> Iterator[Failure]:
    for path, why in run.broken.items():
        yield Failure(stage="report", why=first_line(f"{path} is broken: {why}"))


def _builds(run: Run) -> Iterator[Failure]:
    for build in run.builds.builds if run.builds else ():
        if build.error is not None:
            yield _failure("build", build.service, build.error)


def _tests(run: Run) -> Iterator[Failure]:
    broken = {(build.service, build.error) for build in run.builds.builds} if run.builds else set()
    for one in run.tests.tests if run.tests else ():
        if (one.service, one.reason or "") in broken:
            yield Failure(stage=f"{one.kind} tests", service=one.service, why="as its build did")
        elif one.verdict == "failed":
            said = "\n\n".join(one.failures) or run.texts.get(f"logs/{one.service}-{one.kind}.txt", "")
            why = first_line(one.reason or "") or "it failed"
            yield Failure(stage=f"{one.kind} tests", service=one.service, why=why, log=last_lines(said))


def _images(run: Run) -> Iterator[Failure]:
    for image in run.images.failed if run.images else ():
        yield _failure("publish", image.service, image.error or "")


def _deployments(run: Run) -> Iterator[Failure]:
    if run.deployments is None:
        return
    action = "rollback" if run.deployments.action == "rollback" else "deploy"
    for name, one in run.deployments.services.items():
        if one.error is not None or one.result not in DEPLOYED:
            yield Failure(
                stage=action,
                service=name,
                why=f"{one.result}: {first_line(one.error or 'it says no more')}",
                log=last_lines("\n".join((*one.steps, one.error or ""))),
            )
    if run.deployments.error is not None:
        yield _failure(action, None, run.deployments.error)
    elif not run.deployments.succeeded and all(_went_well(one) for one in run.deployments.services.values()):
        yield Failure(stage=action, why=run.deployments.result)


def _went_well(one: Deployment) -> bool:
    return one.error is None and one.result in DEPLOYED


def _checks(run: Run) -> Iterator[Failure]:
    for checks in run.checks:
        for one in checks.results:
            if one.status == "failed":
                why = f"{one.name}: {first_line(one.evidence)}"
                log = last_lines("\n".join(filter(None, (one.evidence, one.mend))))
                yield Failure(stage=f"{checks.list} of {checks.environment}", why=why, log=log)


def _failure(stage: str, service: str | None, said: str) -> Failure:
    return Failure(stage=stage, service=service, why=first_line(said) or "it says nothing", log=last_lines(said))


def _incomplete(run: Run) -> Iterator[str]:
    for path in run.missing:
        yield f"{path} is missing"
    wanted = run.plan.affected if run.plan else ()
    built = {build.service for build in run.builds.builds} if run.builds else set(wanted)
    had = set(run.images.images) if run.images else set(wanted)
    of = (
        ("plan.json", run.plan.head if run.plan else None),
        ("images.json", run.images.commit if run.images else None),
    )
    for path, commit in of:
        if run.about and commit and commit != run.about.commit:
            yield f"{path} is of {commit[:10]} and the run of {run.about.commit[:10]}: the folder holds another run's files"
    spans = run.about.spans if run.about else ()
    publish_failed = any(span.stage == "publish" and span.result == "failed" for span in spans)
    for name in wanted:
        if name not in built:
            yield f"{name} is to be built, and builds.json does not tell of it"
        if name not in had and not publish_failed:
            yield f"{name} is to be published, and images.json does not tell of it"
    for checks in run.checks:
        if not checks.passed and all(one.status != "failed" for one in checks.results):
            yield f"{checks.list} of {checks.environment} checked nothing"
    for name, one in run.deployments.services.items() if run.deployments else ():
        if one.result in ("deployed", "unchanged") and one.after is None:
            yield f"what {name} serves after its deployment could not be told"


def _notes(run: Run, failed: bool) -> Iterator[str]:
    if run.plan is None:
        return
    if not run.plan.affected:
        yield "nothing to build: no service is affected"
    tested = {one.service for one in run.tests.tests} if run.tests else set(run.plan.affected)
    for name in run.plan.affected:
        if name not in tested:
            yield f"{name} has no tests"
    if run.images is None and run.plan.environment and run.plan.affected:
        yield f"nothing was published: {'something failed' if failed else 'no registry was given'}"
    yield from map(first_line, run.plan.notes)
