"""The PowerShell files: their grammar, and that they say what parameters.py says. They were never run: see the docs."""

import base64
import json
import re
from collections.abc import Iterator

import pytest
import tree_sitter_powershell
from pydantic import SecretStr
from tree_sitter import Language, Node, Parser

from prodgy_ci.catalog import Service
from prodgy_ci.deploy.windows_vm import parameters as p
from prodgy_ci.deploy.windows_vm.settings import of
from prodgy_ci.deploy.windows_vm.upload import POWERSHELL, SWITCHES, encoded_receiver, script

DEPLOY = script("deploy.ps1").decode("ascii")
CMD_LINE = 8191
"""The most characters that cmd.exe takes."""


def nodes(text: str) -> Iterator[Node]:
    tree = Parser(Language(tree_sitter_powershell.language())).parse(text.encode())
    rest = [tree.root_node]
    while rest:
        node = rest.pop()
        yield node
        rest += node.children


@pytest.mark.parametrize("name", ["deploy.ps1", "receive.ps1"])
def test_the_grammar_holds(name: str) -> None:
    text = script(name).decode("ascii")
    wrong = [node.start_point.row + 1 for node in nodes(text) if node.type == "ERROR" or node.is_missing]
    assert wrong == []


def test_the_receiver_as_sent_has_the_grammar_too_and_fits_a_command_line() -> None:
    encoded = encoded_receiver()
    assert not any(
        node.type == "ERROR" or node.is_missing for node in nodes(base64.b64decode(encoded).decode("utf-16-le"))
    )
    assert len(" ".join([POWERSHELL, *SWITCHES, "-EncodedCommand", encoded])) < CMD_LINE


def test_the_receiver_names_input_without_which_powershell_passes_no_standard_input_on() -> None:
    of_functions = [node for node in nodes(script("receive.ps1").decode("ascii")) if node.type == "function_statement"]
    named = [node for node in nodes(script("receive.ps1").decode("ascii")) if node.text == b"$input"]
    assert [one for one in named if not any(f.start_byte <= one.start_byte < f.end_byte for f in of_functions)]


def test_every_function_that_is_called_is_there_and_every_one_that_is_there_is_called() -> None:
    defined = set(re.findall(r"^function ([A-Z][a-z]*(?:-[A-Za-z0-9]+)?)", DEPLOY, re.MULTILINE))
    commands = [node.text.decode() for node in nodes(DEPLOY) if node.type == "command_name" and node.text]
    of_windows = {
        "Add-Type", "ConvertFrom-Json", "ConvertTo-Json", "ForEach-Object", "Get-Acl", "Get-ChildItem", "Get-CimInstance",
        "Get-Content", "Get-EventLog", "Get-FileHash", "Get-ItemProperty", "Get-Service", "Join-Path", "New-Object",
        "Remove-Item", "Select-Object", "Set-StrictMode", "Sort-Object", "Start-Sleep", "Stop-Process", "Where-Object",
        "$action",
    }  # fmt: skip
    assert set(commands) - of_windows == defined


def test_its_steps_are_those_that_are_known() -> None:
    said = set(re.findall(r"(?:Say|Set-Journal \$journal|Invoke-Nssm) '(\w+)'", DEPLOY))
    assert said == set(p.STEPS)


def test_its_exit_codes_are_those_that_are_known() -> None:
    codes = {int(code) for code in re.findall(r"Stop-With (\d+)", DEPLOY)}
    first = re.search(r"^\$script:exitCode = (\d+)", DEPLOY, re.MULTILINE)
    assert first is not None
    assert codes | {int(first[1])} == set(p.EXIT_CODES)


def test_its_results_are_those_that_are_known() -> None:
    said = set(re.findall(r"return '(\w+)'", DEPLOY)) | set(re.findall(r"result\s*= '(\w+)'", DEPLOY))
    assert said == set(p.RESULTS)


def test_it_reads_the_parameters_that_are_given_and_no_others() -> None:
    service = Service(name="assistant", kind="dotnet", target="windows-vm", port=5000)
    given = json.loads(p.parameters(of(service, "vm.example", "deployer", SecretStr("x"))))
    assert set(re.findall(r"\$P\.(\w+)", DEPLOY)) == set(given)


def test_its_modes_are_those_that_are_known() -> None:
    allowed = re.search(r"ValidateSet\(([^)]*)\)", DEPLOY)
    assert allowed is not None
    assert re.findall(r"'(\w+)'", allowed[1]) == list(p.Mode.__args__)  # type: ignore[attr-defined]
