"""A run passed only where nothing failed and everything could be told."""

import json

import pytest
from fakes import pipeline_run
from fakes.pipeline_run import about, build, image, outcome, plan, written

from prodgy_ci.errors import InputError
from prodgy_ci.report import run, verdict


def judged(files: dict[str, str]) -> verdict.Verdict:
    return verdict.judge(run.read(files))


def test_a_run_without_a_fault_passed() -> None:
    made = judged(pipeline_run.passed())
    assert made.passed and made.words == "passed"
    assert made.notes == ("nothing was published: no registry was given",)


def test_nothing_to_build_is_passed_and_said() -> None:
    unchanged = {"action": "skip", "reasons": [{"code": "unchanged"}]}
    files = written(run=about(), plan=plan(api=unchanged), builds={"builds": []}, tests={"tests": []})
    made = judged(files)
    assert made.passed and made.notes == ("nothing to build: no service is affected",)


@pytest.mark.parametrize("path", run.NEEDED)
def test_a_missing_file_is_told_and_is_not_passed(path: str) -> None:
    files = pipeline_run.passed()
    del files[path]
    made = judged(files)
    assert not made.passed and made.words == "incomplete" and f"{path} is missing" in made.incomplete


@pytest.mark.parametrize("path", ["run.json", "deployed.json", "deployments.json", "checks/verify.json", "images.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 9}'])
def test_a_broken_file_is_a_failure_that_names_it(path: str, text: str) -> None:
    made = judged(pipeline_run.passed() | {path: text})
    assert not made.passed and any(path in failure.why for failure in made.failures)


def test_a_service_of_the_plan_without_a_build_or_an_image_is_not_passed() -> None:
    files = pipeline_run.passed() | written(builds={"builds": []})
    assert judged(files).incomplete == ("api is to be built, and builds.json does not tell of it",)
    images = {"registry": "r", "environment": "development", "commit": pipeline_run.HEAD, "images": {}}
    made = judged(pipeline_run.passed() | written(images=images))
    assert made.incomplete == ("api is to be published, and images.json does not tell of it",)


def test_files_of_another_run_are_told_and_are_not_passed() -> None:
    images = {"registry": "r", "environment": "development", "commit": "c" * 40, "images": {"api": image("api")}}
    (told,) = judged(pipeline_run.passed() | written(images=images)).incomplete
    assert told.startswith("images.json is of cccccccccc and the run of 4f4f4f4f4f")
    none = {"registry": "r", "environment": "development", "commit": pipeline_run.HEAD, "images": {}}
    stale = pipeline_run.passed() | written(images=none) | {"publish-error.txt": "of another run"}
    assert "images.json does not tell of it" in "".join(judged(stale).incomplete)


def test_what_failed_as_its_build_did_is_not_told_twice() -> None:
    files = pipeline_run.passed() | written(
        builds={"builds": [build("api", "exit code 7: RUN x\nlines")]},
        tests={"tests": [outcome("api", verdict="failed", reason="exit code 7: RUN x\nlines", tests=0)]},
    )
    assert [(f.title, f.why, f.log) for f in judged(files).failures] == [
        ("build of api", "exit code 7: RUN x", "exit code 7: RUN x\nlines"),
        ("unit tests of api", "as its build did", ""),
    ]


def test_each_stage_that_failed_says_which_service_and_why() -> None:
    made = judged(pipeline_run.failed("it broke"))
    assert [(f.title, f.why) for f in made.failures] == [
        ("build of agentic", "exit code 1: npm ci"),
        ("unit tests of engine", "1 of 42 tests failed"),
        ("publish of engine", "it broke"),
        ("deploy of gateway", "rolled back: it broke"),
        ("verify of development", "CORS of gateway: it broke"),
    ]
    assert made.failures[1].log == "test_x\nit broke"
    assert made.warnings == ("verify of development: TLS of gateway.example.com: expires in 12 days it broke",)


def test_tests_without_a_report_show_the_end_of_their_log() -> None:
    log = "".join(f"line {number}\n" for number in range(500))
    broken = outcome("api", verdict="failed", reason="no test was executed", tests=0)
    files = pipeline_run.passed() | written(tests={"tests": [broken]}) | {"logs/api-unit.txt": log}
    (failure,) = judged(files).failures
    assert failure.log.startswith("line 440\n") and failure.log.endswith("line 499")


def test_a_step_that_failed_for_no_service_is_a_failure_with_its_words() -> None:
    files = pipeline_run.passed() | written(run=about(("publish", None, 1, 1, False)))
    files["publish-error.txt"] = "no such registry\nmore"
    (failure,) = judged(files).failures
    assert (failure.title, failure.why) == ("publish", "no such registry")


@pytest.mark.parametrize("status", ["not applicable", None])
def test_checks_that_checked_nothing_are_not_passed(status: str | None) -> None:
    results = [{"name": "x", "status": status, "evidence": "", "seconds": 0}] if status else []
    checks = {"list": "verify", "environment": "development", "results": results}
    made = judged(pipeline_run.passed() | written(checks__verify=checks))
    assert not made.passed and made.incomplete == ("verify of development checked nothing",)


@pytest.mark.parametrize(
    ("result", "error", "passed"),
    [("deployed", None, True), ("unchanged", None, True), ("rolled back", None, False), ("restore failed", "x", False)],
)
def test_a_deployment_as_a_whole_counts(result: str, error: str | None, passed: bool) -> None:
    deployments: dict[str, object] = {
        "environment": "e",
        "action": "deploy",
        "result": result,
        "error": error,
        "services": {},
    }
    assert judged(pipeline_run.passed() | written(deployments=deployments)).passed is passed


def test_what_a_service_serves_must_be_known() -> None:
    one = {"result": "deployed", "before": None, "after": None, "seconds": 1}
    deployments = {"environment": "e", "action": "deploy", "result": "deployed", "services": {"api": one}}
    made = judged(pipeline_run.passed() | written(deployments=deployments))
    assert made.incomplete == ("what api serves after its deployment could not be told",)


def test_the_file_is_read_as_it_was_written() -> None:
    made = judged(pipeline_run.failed("##vso[x]"))
    assert verdict.load(made.json_text()) == made
    assert json.loads(made.json_text())["passed"] is False
    with pytest.raises(InputError, match=r"verdict\.json: "):
        verdict.load("{}")


def test_several_images_and_builds_of_a_run_pass_together() -> None:
    names = ("api", "engine")
    files = written(
        run=about(),
        plan=plan(**{name: {} for name in names}),
        builds={"builds": [build(name) for name in names]},
        tests={"tests": [outcome("api")]},
        images={
            "registry": "r",
            "environment": "e",
            "commit": pipeline_run.HEAD,
            "images": {name: image(name) for name in names},
        },
    )
    made = judged(files)
    assert made.passed and made.notes == ("engine has no tests",)
