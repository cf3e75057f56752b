"""The command line is read and shown as `dagger call` does; what golden/ recorded is tested against the whole command."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import ANY

import pytest

from dagger_podman.command_line import completion
from dagger_podman.command_line.arguments import Address, Call, Help, Options, options_last, parse_call, split_options
from dagger_podman.command_line.help import call_help, functions_table
from dagger_podman.command_line.output import render
from dagger_podman.errors import UsageError
from dagger_podman.typedefs import Argument, EnumType, Field, ObjectType, Schema, TypeRef

REPOSITORY = Path(__file__).parents[2]
PROGRAM = str(Path(sys.executable).with_name("dagger-podman"))
STRING = TypeRef("scalar", "String")
TEXTS = TypeRef("list", of=STRING)


def argument(name: str, type_: TypeRef, **given: object) -> Argument:
    return Argument(name, type_, **given)  # type: ignore[arg-type]


BUILD = Field(
    "build",
    TypeRef("object", "Container"),
    (
        argument("service", STRING, doc="Which one."),
        argument("retries", TypeRef("scalar", "Int"), default=3),
        argument("fast", TypeRef("scalar", "Boolean"), default=False),
        argument("colour", TypeRef("enum", "Colour"), default="RED"),
        argument("buildTags", TypeRef("list", of=STRING, optional=True)),
        argument("token", TypeRef("object", "Secret", optional=True)),
        argument("ratio", TypeRef("scalar", "Float", optional=True)),
        argument("ports", TypeRef("list", of=TypeRef("input", "PortForward"), optional=True)),
        argument("buildArgs", TypeRef("list", of=TypeRef("input", "BuildArg"), optional=True)),
    ),
    doc="Builds.\n\nAnd more.",
)
CONTAINER = ObjectType("Container", {"label": Field("label", STRING, (argument("name", STRING),))})
MAIN = ObjectType(
    "Main",
    {
        "build": BUILD,
        "texts": Field("texts", TEXTS),
        "odd": Field("odd", STRING, (argument("other", TypeRef("object", "Main")),)),
    },
    constructor=Field(
        "", TypeRef("object", "Main"), (argument("source", TypeRef("object", "Directory", optional=True)),)
    ),
)
SCHEMA = Schema(
    {"Main": MAIN, "Container": CONTAINER}, {"Colour": EnumType("Colour", {"RED": "", "DEEP_BLUE": ""})}, {}
)


def parsed(*words: str) -> Call:
    call = parse_call(SCHEMA, "Main", list(words))
    assert isinstance(call, Call)
    return call


def test_options_may_stand_before_the_command_and_those_of_an_engine_are_passed_over() -> None:
    assert options_last(["-s", "-m", "there", "call", "x"]) == ["call", "-s", "-m", "there", "x"]
    assert options_last(["--help"]) == ["--help"] and options_last([]) == []
    assert split_options(["-v", "--debug", "x", "-q", "--debug"]) == (Options(), ["x", "--debug"])


def test_options_may_stand_anywhere_and_the_rest_keeps_its_order() -> None:
    options, rest = split_options(
        ["-s", "build", "--service", "a", "-o", "x", "--progress=plain", "-m=.", "-j", "-y", "label"]
    )
    assert options == Options(module=".", output="x", json=True, silent=True, auto_apply=True, progress="plain")
    assert rest == ["build", "--service", "a", "label"]


def test_flags_belong_to_the_function_before_them() -> None:
    call = parsed("--source", ".", "build", "--service=a", "--token", "env://T", "label", "--name", "n")
    assert call.constructor == {"source": Address("Directory", ".")}
    assert [s.args for s in call.steps] == [{"service": "a", "token": Address("Secret", "env://T")}, {"name": "n"}]


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--retries", "0"], "retries", 0),
        (["--retries=-1"], "retries", -1),
        (["--fast"], "fast", True),
        (["--fast=false"], "fast", False),
        (["--colour", "deep_blue"], "colour", "DEEP_BLUE"),
        (["--build-tags", "a,b", "--build-tags", '"c,d"'], "buildTags", ["a", "b", "c,d"]),
        (["--ratio", "0.5"], "ratio", 0.5),
        (["--ports", "8080:80"], "ports", [{"frontend": 8080, "backend": 80}]),
        (["--build-args", "A=b=c"], "buildArgs", [{"name": "A", "value": "b=c"}]),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None,
)
def test_a_flags_text_becomes_the_arguments_value(words: list[str], name: str, value: object) -> None:
    assert parsed("build", "--service", "a", *words).steps[0].args[name] == value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build"], 'required flag(s) "service" not set'),
        (["build", "label"], 'required flag(s) "service" not set'),
        (["biuld"], 'unknown command "biuld" for "dagger-podman call" (did you mean "build"?)'),
        (["build", "--service", "a", "x"], 'unknown command "x" for "dagger-podman call build"'),
        (["build", "--servce", "a"], "unknown flag: --servce (did you mean --service?)"),
        (["build", "--service"], "flag needs an argument: --service"),
        (["build", "--retries", "x"], 'invalid argument "x" for "--retries" flag: a whole number is needed'),
        (["build", "--fast=maybe"], 'invalid argument "maybe" for "--fast" flag: true or false is needed'),
        (["build", "--ports", "8080"], 'invalid argument "8080" for "--ports" flag: frontend:backend is needed'),
        (["build", "--build-args", "=b"], "name=value is needed"),
        (["build", "--colour", "x"], "value should be one of DEEP_BLUE,RED"),
        (["odd"], 'unknown command "odd"'),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else None,
)
def test_a_mistake_is_named(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_call(SCHEMA, "Main", words)
    assert message in str(error.value)
    assert "--help' for usage." in str(error.value)


def test_an_option_without_its_value_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="flag needs an argument: -o"):
        split_options(["build", "-o"])


def test_help_tells_form_default_and_need_of_each_flag() -> None:
    help_ = parse_call(SCHEMA, "Main", ["build"], helping=True)
    text = call_help(SCHEMA, "Main", help_)
    assert "Builds.\n\nAnd more." in text
    assert "dagger-podman call build [arguments] <function>" in text
    for line in (
        "--service string",
        "[required]",
        "--retries int",
        "(default 3)",
        "--colour DEEP_BLUE,RED",
        "--token Secret",
    ):
        assert line in text


def test_no_function_asks_for_help() -> None:
    assert parse_call(SCHEMA, "Main", []) == Help()


def test_a_function_that_no_flag_can_serve_is_said_to_be_skipped() -> None:
    table = functions_table(SCHEMA, "Main", [])
    assert "build   Builds." in table
    assert "Skipped 1 function(s) with unsupported types: odd" in table


@pytest.mark.parametrize(
    ("value", "kind", "text", "json"),
    [
        ("a\nb", STRING, "a\nb", '"a\\nb"\n'),
        (None, STRING, "<nil>", "null\n"),
        (True, TypeRef("scalar", "Boolean"), "true", "true\n"),
        (["a", "b"], TEXTS, "a\nb\n", '[\n    "a",\n    "b"\n]\n'),
        ([["a"], ["b", "c"]], TypeRef("list", of=TEXTS), "[a]\n[b c]\n", ANY),
        (2.0, TypeRef("scalar", "Float"), "2", "2\n"),
        (2.5, TypeRef("scalar", "Float"), "2.5", "2.5\n"),
        (None, TypeRef("void"), "", ""),
        ("File@xxh3:1", TypeRef("object", "File"), "File@xxh3:1\n", "File@xxh3:1\n"),
    ],
)
def test_results_are_printed_as_the_engines_command_does(value: object, kind: TypeRef, text: str, json: str) -> None:
    assert render(value, kind, as_json=False) == text
    assert render(value, kind, as_json=True) == json


def completed(*words: str) -> list[str]:
    """What bash offers after these words."""
    script = completion.script("bash")
    given = f'COMP_WORDS=({" ".join(words)} "") COMP_CWORD={len(words)}'
    line = f'{script}\n{given}; _dagger_podman; printf "%s\\n" "${{COMPREPLY[@]}}"'
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=environment, check=True, cwd=REPOSITORY
    )
    return done.stdout.split()


def test_bash_completes_commands_functions_and_flags() -> None:
    assert "call" in completed("dagger-podman")
    assert {"build", "plan"} <= set(completed("dagger-podman", "call"))
    assert "--service" in completed("dagger-podman", "call", "build")


def test_bash_completes_after_options_and_commands_of_few_words() -> None:
    assert "call" in completed("dagger-podman", "-s", "-m", ".")
    assert {"build", "plan"} <= set(completed("dagger-podman", "-s", "call"))
    assert "unit-tests" in completed("dagger-podman", "check")
    assert "--older-than" in completed("dagger-podman", "prune")
    assert completed("dagger-podman", "-m") == []


# --- the whole command --------------------------------------------------------------------------------
PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def ran(command: str, folder: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the shell makes of a command, as the user sees it."""
    words = f"exec {re.sub('^dagger-podman', PROGRAM, command)}"
    given = {**os.environ, "PYTHONUNBUFFERED": "", **environment}
    return subprocess.run(
        ["bash", "-c", words], capture_output=True, text=True, env=given, cwd=folder, timeout=200, check=False
    )


@pytest.mark.parametrize("command", ["call", "check", "functions", "session", "prune", "doctor", "completion"])
def test_each_command_tells_its_usage_and_does_nothing_else(command: str) -> None:
    done = ran(f"dagger-podman {command} --help", DAGGER_PODMAN_CACHE="/proc/x" if command != "call" else "")
    assert (done.returncode, done.stderr) == (0, "") or command == "call"
    assert f"dagger-podman {command}" in done.stdout and "usage" in done.stdout.lower()


def test_the_help_lists_commands_and_options() -> None:
    text = ran("dagger-podman --help").stdout
    assert {"call", "version", "-m,", "-o,", "-j,", "-s,", "-y,", "--progress"} <= set(text.split())


@pytest.mark.parametrize("word", ["version", "--version"])
def test_the_version_is_told(word: str) -> None:
    assert re.fullmatch(r"dagger-podman \d+\.\d+\.\d+\n", ran(f"dagger-podman {word}").stdout)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("doctor bogus", 'unknown argument "bogus" for "dagger-podman doctor" (see --help)'),
        (
            "session --label a:b --label=c --bogus",
            'unknown argument "--bogus" for "dagger-podman session" (see --help)',
        ),
        ("completion fish", 'unknown argument "fish" for "dagger-podman completion" (see --help)'),
        ("prune --older-than -1", "--older-than -1: a number of days of at least 0 is needed"),
        ("prune --older-than nan", "--older-than nan: a number of days of at least 0 is needed"),
        ("functions $'\\xff'", "the argument '\\udcff' is not valid utf-8"),
        ("--help > /dev/full", "standard output: No space left on device"),
        ("--help >&-", "standard output is closed"),
    ],
)
def test_a_mistake_is_one_line(command: str, message: str) -> None:
    done = ran(f"dagger-podman {command}", DAGGER_PODMAN_CACHE="/proc/x")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {message}\n")


@pytest.mark.parametrize(
    ("folder", "reason"),
    [("/proc/x/y", "No such file or directory"), ("/etc/passwd", "Not a directory")],
)
@pytest.mark.parametrize("command", ["functions", "session", "prune"])
def test_of_a_cache_that_cannot_be_written_the_folder_is_named(command: str, folder: str, reason: str) -> None:
    done = ran(f"dagger-podman {command}", DAGGER_PODMAN_CACHE=folder)
    said = f"Error: {folder}: {reason}; name another cache folder in DAGGER_PODMAN_CACHE\n"
    assert (done.returncode, done.stderr) == (1, said)


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command_line") / "probe"
    shutil.copytree(REPOSITORY / "tests/golden/probe", folder)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("text -o /", "/: Is a directory"),
        ("text -o /proc/x", "/proc/x: No such file or directory"),
        ("text -o /dev/full", "/dev/full: No space left on device"),
        ("text > /dev/full", "standard output: No space left on device"),
        ("file -o /proc/x", "/proc/x: No such file or directory"),
        ("file -o /dev/full", "/dev/full: No space left on device"),
        ("directory -o /dev/null", "/dev/null: File exists"),
        ("container -o .", 'destination "." is a directory; must be a file path'),
    ],
)
def test_what_cannot_be_written_is_said_with_its_reason(probe: Path, command: str, message: str) -> None:
    done = ran(f"dagger-podman call -s {command}", probe)
    said = [line for line in done.stderr.splitlines() if not line.startswith("!")]
    assert (done.returncode, said) == (1, [f"Error: {message}"])


def test_an_object_is_printed_and_not_written(probe: Path, tmp_path: Path) -> None:
    for function in ("report", "reports"):
        done = ran(f"dagger-podman call -s {function} -o {tmp_path}/object", probe)
        assert (done.returncode, done.stdout) == (0, ran(f"dagger-podman call -s {function}", probe).stdout)
        assert f"nothing is written to {tmp_path}/object: the result is an object" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_check_is_named() -> None:
    done = ran("dagger-podman check -s nope")
    assert 'Error: unknown check "nope"; known: prodgy-ci:' in done.stderr


def test_a_locale_may_lack_a_letter(probe: Path) -> None:
    said = ran("dagger-podman call -s greet --name ü", probe).stdout
    assert "ü" in said
    done = ran("dagger-podman call -s greet --name ü", probe, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, said.replace("ü", "\\xfc"))
    refused = ran("dagger-podman call -s greet --name ü", probe, **PLAIN_LOCALE)
    assert (refused.returncode, refused.stderr) == (1, "Error: the argument '\\udcc3\\udcbc' is not valid ascii\n")
