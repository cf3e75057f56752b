"""What follows what: nothing is published or deployed unless all before is well, and what went wrong is in the files."""

from typing import Any
from unittest.mock import AsyncMock, MagicMock

import anyio
import dagger
import pytest
from fakes import pipeline_run
from fakes.pipeline_run import build, image, outcome, written

from prodgy_ci import pipeline, report
from prodgy_ci.catalog.load import builtin
from prodgy_ci.changes.options import Options
from prodgy_ci.changes.plan import Plan
from prodgy_ci.checking import ChecksFailedError
from prodgy_ci.checks.model import Checks
from prodgy_ci.deploy.record import Deployments
from prodgy_ci.errors import InputError, ProdgyError
from prodgy_ci.images.builds import Build, Builds
from prodgy_ci.images.record import Images
from prodgy_ci.testing.outcome import Outcome, Outcomes

IMAGES = written(
    images={"registry": "r", "environment": "development", "commit": pipeline_run.HEAD, "images": {"api": image("api")}}
)
DEPLOYED = Deployments(
    environment="development", action="deploy", commit=pipeline_run.HEAD, result="deployed", services={}
)
FAILED = Checks.model_validate(
    {
        "schema_version": 1,
        "list": "preflight",
        "environment": "development",
        "results": [{"name": "Redis", "status": "failed", "evidence": "refused", "seconds": 0.1}],
    }
)


def job(**more: Any) -> pipeline.Pipeline:
    source = MagicMock(spec=dagger.Directory)
    return pipeline.Pipeline(source, source, builtin(), Options("refs/heads/main"), **more)


def verdict(made: pipeline.Run) -> report.verdict.Verdict:
    return report.verdict.judge(report.run.read(made.files))


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> AsyncMock:
    """A plan that builds api; gives what publishing is."""
    text = pipeline_run.passed()["plan.json"]
    monkeypatch.setattr("prodgy_ci.planning.plan", AsyncMock(return_value=(Plan.model_validate_json(text), text)))
    publish = AsyncMock(return_value=Images.model_validate_json(IMAGES["images.json"]))
    monkeypatch.setattr("prodgy_ci.images.publish.publish", publish)
    return publish


def stages(monkeypatch: pytest.MonkeyPatch, error: str | None = None, **test: Any) -> None:
    builds = Builds(builds=(Build.model_validate(build("api", error)),))
    outcomes = Outcomes(tests=(Outcome.model_validate(outcome("api", **test)),))
    monkeypatch.setattr("prodgy_ci.images.build_all.build_all", AsyncMock(return_value=builds))
    monkeypatch.setattr("prodgy_ci.testing.run.all_of", AsyncMock(return_value=outcomes))


@pytest.mark.parametrize(
    ("error", "test", "published"),
    [(None, {}, True), ("exit code 1", {}, False), (None, {"verdict": "failed", "failed": 1}, False)],
    ids=["all is well", "a build failed", "a test failed"],
)
def test_images_are_published_where_all_is_well(
    planned: AsyncMock, monkeypatch: pytest.MonkeyPatch, error: str | None, test: dict[str, Any], published: bool
) -> None:
    stages(monkeypatch, error, **test)
    made = anyio.run(pipeline.ci, job(registry=MagicMock()))
    assert planned.called is published and ("images.json" in made.files) is published
    assert verdict(made).passed is published
    assert "nothing was published: something failed" in verdict(made).notes or published


def test_a_publication_that_cannot_begin_fails_the_run_and_says_why(
    planned: AsyncMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages(monkeypatch)
    planned.side_effect = InputError("the source is not what the commit holds")
    made = anyio.run(pipeline.ci, job(registry=MagicMock()))
    (failure,) = verdict(made).failures
    assert (failure.title, failure.why) == ("publish", "the source is not what the commit holds")


def environment(roll_out: Any) -> Any:
    made = MagicMock()
    made.where, made.deployed, made.roll_out = AsyncMock(), AsyncMock(), AsyncMock(side_effect=[roll_out])
    made.where.return_value.registry = AsyncMock()
    return made


def whole(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], roll_out: Any) -> tuple[pipeline.Run, Any]:
    monkeypatch.setattr(pipeline, "ci", AsyncMock(return_value=pipeline.Run(files=dict(files))))
    where = environment(roll_out)
    return anyio.run(pipeline.whole, job(), where), where


def test_what_failed_is_not_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, where = whole(monkeypatch, pipeline_run.failed(), DEPLOYED)
    assert not where.roll_out.called and not verdict(made).passed


def test_what_was_not_published_is_not_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, where = whole(monkeypatch, pipeline_run.passed(), DEPLOYED)
    assert not where.roll_out.called and verdict(made).passed


def test_what_is_well_is_deployed_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made, where = whole(monkeypatch, pipeline_run.passed() | IMAGES, DEPLOYED)
    assert where.roll_out.call_args.args[0].commit == pipeline_run.HEAD
    assert verdict(made).passed and "deployments.json" in made.files
    about = report.run.read(made.files).about
    assert about and [span.stage for span in about.spans] == ["deploy"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ProdgyError("Azure does not answer"), [("deploy", "Azure does not answer")]),
        (
            ChecksFailedError(FAILED, "the table"),
            [
                ("preflight of development", "Redis: refused"),
                ("deploy", "nothing was changed, for the checks before it failed"),
            ],
        ),
    ],
    ids=["no answer", "preflight"],
)
def test_a_deployment_that_cannot_begin_fails_the_run_and_says_why(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: list[tuple[str, str]]
) -> None:
    made, _ = whole(monkeypatch, pipeline_run.passed() | IMAGES, error)
    assert [(failure.title, failure.why) for failure in verdict(made).failures] == told


def test_an_agent_that_is_not_known_is_refused() -> None:
    assert pipeline.agent(None) is False and pipeline.agent("azure") is True
    with pytest.raises(InputError, match="'jenkins' is not known; give azure"):
        pipeline.agent("jenkins")
