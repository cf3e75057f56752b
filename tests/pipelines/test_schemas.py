"""Each pipeline is what its CI server's schema asks for. The schemas are the servers' own, as check-jsonschema has them."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples/pipelines"
AZURE = ("vendor.azure-pipelines", "--data-transform=azure-pipelines", "--regex-variant=nonunicode")
GITHUB = ("vendor.github-workflows",)
GITLAB = ("vendor.gitlab-ci", "--data-transform=gitlab-ci")
PIPELINES = {
    REPOSITORY / "azure-pipelines.yml": AZURE,
    EXAMPLES / "azure-fan-out.yml": AZURE,
    EXAMPLES / "github-actions.yml": GITHUB,
    EXAMPLES / "gitlab-ci.yml": GITLAB,
}


def faults(file: Path, schema: tuple[str, ...]) -> str:
    command = [str(Path(sys.executable).with_name("check-jsonschema")), "--builtin-schema", *schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.name)
def test_it_is_valid(file: Path) -> None:
    assert faults(file, PIPELINES[file]) == ""


def test_every_example_is_checked() -> None:
    assert {file for file in PIPELINES if file.parent == EXAMPLES} == set(EXAMPLES.iterdir())


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("azure-pipelines.yml", "lockBehavior:", "lockBehaviour:"),
        ("azure-pipelines.yml", "AzureCLI@2", "AzureCLY@2"),
        ("azure-pipelines.yml", "inlineScript:", "inlinescrypt:"),
        ("azure-fan-out.yml", "dependsOn: plan", "dependsOnn: plan"),
        ("github-actions.yml", "runs-on:", "runs-at:"),
        ("gitlab-ci.yml", "artifacts:", "artefacts:"),
    ],
)
def test_the_check_finds_a_misspelling(name: str, right: str, wrong: str, tmp_path: Path) -> None:
    (file,) = (file for file in PIPELINES if file.name == name)
    changed = tmp_path / name
    assert right in file.read_text()
    changed.write_text(file.read_text().replace(right, wrong))
    assert faults(changed, PIPELINES[file]) != ""
