"""Our own rules for the pipelines of Azure DevOps: thin, and nothing that comes from outside is a command."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.azure_agent import Trigger
from fakes.azure_expressions import expand

REPOSITORY = Path(__file__).parents[2]
PIPELINES = [REPOSITORY / "azure-pipelines.yml", REPOSITORY / "examples/pipelines/azure-fan-out.yml"]
LONGEST = 7
FILTER = "2>&1 | sed -u 's/#/# /g'"
PULL_REQUEST = Trigger("refs/pull/7/merge", "PullRequest", target="refs/heads/main")
MAIN = Trigger("refs/heads/main")
SECRETS = ("AZURE_STATIC_WEB_APP_API_TOKEN", "VM_PASSWORD", "System.AccessToken")


@pytest.fixture(params=PIPELINES, ids=lambda file: file.name)
def text(request: pytest.FixtureRequest) -> str:
    made: str = request.param.read_text()
    return made


def loaded(text: str, trigger: Trigger | None = None) -> Any:
    """The pipeline as it is written, or as it is for what started it."""
    whole = yaml.load(text, Loader=yaml.BaseLoader)
    if trigger is None:
        return whole
    known = trigger.variables()

    def lookup(parts: tuple[str, ...]) -> str:
        return known.get(parts[1], "")

    for variable in expand(whole["variables"], lookup):
        known[variable.get("name", "group")] = variable.get("value", variable.get("group"))
    return expand(whole, lookup)


def mappings(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from mappings(one)


def scripts(text: str, trigger: Trigger | None = None) -> list[str]:
    return [one[key] for one in mappings(loaded(text, trigger)) for key in ("bash", "inlineScript") if key in one]


def test_a_script_is_a_few_lines_and_calls_dagger(text: str) -> None:
    found = scripts(text)
    assert len(found) > 5
    for script in found:
        lines = script.splitlines()
        assert lines[0] == "set -euo pipefail"
        assert len(lines) <= LONGEST
        assert re.search(r"^dagger (call|version) ", script, re.MULTILINE)


def test_nothing_is_pasted_into_a_script(text: str) -> None:
    for script in scripts(text):
        assert "$(" not in script and "${{" not in script and "`" not in script


def test_what_dagger_prints_is_no_command_to_the_agent(text: str) -> None:
    for script in scripts(text):
        joined = re.sub(r"\\\n\s*|(?<=\|)\n\s*", " ", script)
        calls = [line for line in joined.splitlines() if "dagger call" in line]
        assert all(re.sub(" +", " ", call).endswith(FILTER) for call in calls), calls


def test_there_are_no_kinds_of_steps_but_these(text: str) -> None:
    steps = [step for one in mappings(loaded(text, MAIN)) for step in one.get("steps", ())]
    kinds = {step.get("task") or next(iter(step)) for step in steps}
    assert kinds <= {"checkout", "bash", "AzureCLI@2", "PublishTestResults@2", "publish", "download"}


def test_every_step_that_installs_is_the_same(text: str) -> None:
    assert len({script for script in scripts(text) if "install.sh" in script}) == 1


def test_dagger_is_the_version_that_the_module_names(text: str) -> None:
    version = json.loads((REPOSITORY / "dagger.json").read_text())["engineVersion"].removeprefix("v")
    assert f"{{ name: DAGGER_VERSION, value: {version} }}" in text


def test_runs_that_deploy_wait_for_each_other(text: str) -> None:
    assert loaded(text)["lockBehavior"] == "sequential"


def test_a_pull_request_meets_no_secret(text: str) -> None:
    made = loaded(text, PULL_REQUEST)
    whole = json.dumps([made["stages"], [one for one in made["variables"] if one.get("name") != "groupVariables"]])
    assert not [one for one in mappings(made) if "group" in one]
    assert not [name for name in (*SECRETS, "AzureCLI", "azureServiceConnection", "cmd://") if name in whole]
    assert [stage["stage"] for stage in made["stages"]] == ["ci"]


def test_a_secret_comes_by_its_own_name_and_in_no_job_that_runs_what_is_built(text: str) -> None:
    for job in (one for one in mappings(loaded(text, MAIN)) if "job" in one or "deployment" in one):
        holds = {secret for secret in SECRETS if f"$({secret})" in json.dumps(job)}
        assert not holds or "dagger call ci" not in json.dumps(job)
        for one in mappings(job):
            for name, value in one.get("env", {}).items():
                assert all(f"$({secret})" not in value or name == secret for secret in SECRETS)


def test_the_whole_history_is_there_where_it_is_compared(text: str) -> None:
    for one in mappings(loaded(text)):
        for steps in (value for key, value in one.items() if key == "steps"):
            told = json.dumps(steps)
            if re.search(r"dagger call (plan|ci|publish)", told):
                assert steps[0]["fetchDepth"] == "0" and steps[0]["fetchTags"] == "true"
            assert steps[0]["checkout"] == "self" and steps[0]["clean"] == "true"


def test_the_groups_variables_are_passed_on_and_its_secrets_are_not(text: str) -> None:
    from prodgy_ci.catalog.builtin import VARIABLES

    (value,) = (one["value"] for one in loaded(text, MAIN)["variables"] if one.get("name") == "groupVariables")
    listed = [line.partition("=") for line in value.splitlines()]
    assert all(after == f"$({name})" for name, _, after in listed)
    assert [name for name, _, _ in listed] == [name for name in VARIABLES if name not in SECRETS]
