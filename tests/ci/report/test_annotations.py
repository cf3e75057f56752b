"""The agent obeys this module's lines and nobody else's."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from fakes import pipeline_run

from prodgy_ci.report import annotations, complete, run, verdict

HOSTILE = (
    "x\x1b[2K##v\x00so[task.setvariable variable=a]b ##VSO[task.complete] ###[error]y ##[group]\r##vso[z]%0A##vso[q]\n"
)


@pytest.mark.parametrize("text", ["##vso[a]", "a ##VsO[b", "##[group]", "###vso[x", "####[[x", "##vso[##vso["])
def test_no_command_is_left_wherever_it_stands(text: str) -> None:
    made = annotations.neutralise(text).lower()
    assert "##vso[" not in made and "##[" not in made
    assert made.replace("# #", "##") == text.lower()


def test_other_number_signs_stay() -> None:
    assert annotations.neutralise("## Title\n#[x] vso[y]") == "## Title\n#[x] vso[y]"


def test_json_and_xml_mean_the_same_afterwards() -> None:
    text = json.dumps({"log": "\\##vso[a] ###[b]"})
    made = annotations.neutralise_file("tests.json", text)
    assert "##" not in made and json.loads(made) == json.loads(text)
    xml = annotations.neutralise_file("junit/a.xml", '<a b="##[c]">###vso[d]</a>')
    root = ElementTree.fromstring(xml)
    assert "##" not in xml and (root.get("b"), root.text) == ("##[c]", "###vso[d]")


def test_each_failure_is_an_issue_with_its_last_lines_folded() -> None:
    failure = verdict.Failure(stage="build", service="api", why="exit code 1; 100%]", log="one\n##vso[task.complete]")
    judged = verdict.Verdict(passed=False, failures=(failure,), incomplete=("tests.json is missing",), warnings=("w",))
    assert annotations.azure(judged, "/agent/out/summary.md").splitlines() == [
        "##[group]build of api",
        "one",
        "# #vso[task.complete]",
        "##[endgroup]",
        "##vso[task.logissue type=error;]build of api: exit code 1; 100%AZP25]",
        "##vso[task.logissue type=error;]could not tell: tests.json is missing",
        "##vso[task.logissue type=warning;]w",
        "##vso[task.uploadsummary]/agent/out/summary.md",
    ]


def test_hostile_output_gives_no_command_anywhere() -> None:
    files = complete(pipeline_run.failed(HOSTILE) | {"logs/x.txt": HOSTILE, "junit/x.xml": f"<a>{HOSTILE}</a>"})
    for path, text in files.items():
        assert "##vso[" not in text.lower(), path
        assert "##[" not in text, path
    judged = verdict.judge(run.read(files))
    for line in annotations.azure(judged).splitlines():
        own = ("##vso[task.logissue type=", "##[group]", "##[endgroup]")
        rest = next((line.removeprefix(o) for o in own if line.startswith(o)), line).lower()
        assert "##vso[" not in rest and "##[" not in rest
