"""`dagger-podman` gives the answers that a real Dagger engine gave (tests/golden/)."""

import ast
import dataclasses
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclasses.dataclass(frozen=True)
class Transcript:
    command: str
    exit_code: int
    stdout: str
    stderr: str
    wrote: tuple[str, ...]


def transcripts() -> Iterator[Transcript]:
    for block in re.split(r"^\$ ", (GOLDEN / "transcripts.txt").read_text(), flags=re.MULTILINE)[1:]:
        command, status, *lines = block.rstrip("\n").split("\n")
        texts = {"stdout": "", "stderr": ""}
        current = ""
        for line in lines:
            if line.startswith("stdout '"):
                texts["stdout"] = ast.literal_eval(line.removeprefix("stdout "))
            elif line in ("stdout:", "stderr:"):
                current = line.rstrip(":")
            elif current:
                texts[current] += line[2:] + "\n"
        code = re.match(r"exit (\d+)", status)
        wrote = re.search(r"wrote (.*)", status)
        assert code
        yield Transcript(
            command, int(code[1]), texts["stdout"], texts["stderr"], tuple(wrote[1].split(", ")) if wrote else ()
        )


Answers = dict[str, tuple[subprocess.CompletedProcess[str], Path]]
ALL = list(transcripts())
HELP = [t for t in ALL if "--help" in t.command]
PRINTED = [t for t in ALL if t not in HELP]

SAID_BETTER = {
    "call colour --colour deep-blue": 'invalid argument "deep-blue" for "--colour" flag: value should be one of DEEP_BLUE,RED',
    "call greet --name you --times many": 'invalid argument "many" for "--times" flag: a whole number is needed',
    "call --source /nonexistent listing": 'argument "source": lstat /nonexistent: no such file or directory',
    "call size-of --file TMP/nonexistent": 'failed to get value for argument "file": stat nonexistent: no such file or directory',
    "call secret-length --token env://NOT_SET": 'secret env var not found: "NOT',
    "call fail": "unknown service 'engin': did you mean 'engine'?",
    "call fail-build": "exit code: 3\nDockerfile line 2: RUN echo building && exit 3\nStdout:\nbuilding",
    "call fail-image": "127.0.0.1:1/none:1",
    "call fail-service": "(aliased as bad): exit code: 5\nStdout:\nwhy",
    "call -m /nonexistent text": 'resolving module source "/nonexistent": local path "/nonexistent" does not exist',
}
"""What is said instead of the engine's words, where they differ."""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden") / "probe"
    shutil.copytree(GOLDEN / "probe", folder)
    (folder / "ci/.gitignore").unlink()  # came after the recording
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder.parent / "five.txt").write_text("hello")
    return folder


def run(probe: Path, command: str, out: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command.replace("OUT", str(out)).replace("TMP", str(probe.parent)))
    environment = {**os.environ, "TOKEN": "s3cr3t-value"}
    program = str(Path(sys.executable).with_name("dagger-podman"))
    return subprocess.run(
        [program, *words], cwd=probe, capture_output=True, text=True, timeout=300, env=environment, check=False
    )


@pytest.fixture(scope="module")
def answers(probe: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What the wanted commands answered, and the folder of what they wrote. They run side by side, to save time."""
    tests = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    parameters = [test.callspec.params for test in tests if hasattr(test, "callspec")]
    commands = [transcript.command for transcript in ALL if {"expected": transcript} in parameters]
    folders = [tmp_path_factory.mktemp("out") for _ in commands]
    run(probe, "functions", probe)  # the module is made ready once
    with ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda command, out: run(probe, command, out), commands, folders)
        return dict(zip(commands, zip(done, folders, strict=True), strict=True))


def without_ids(text: str) -> str:
    return re.sub(r"@xxh3:[0-9a-f]{16}", "@xxh3:…", text)


def words(text: str) -> list[str]:
    return re.sub(r"dagger-podman", "dagger", text).split()


@pytest.mark.parametrize("expected", PRINTED, ids=lambda t: t.command)
def test_a_command_answers_as_the_engine_does(answers: Answers, expected: Transcript) -> None:
    done, out = answers[expected.command]
    assert done.returncode == expected.exit_code, done.stderr
    if "Description" in expected.stdout:
        engines_own = expected.stdout.partition("Skipped 1 function(s) with unsupported types: with")[0]
        assert words(done.stdout) == words(engines_own)
    else:
        assert without_ids(done.stdout) == without_ids(expected.stdout.replace("OUT", str(out)))
    written = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert tuple(written) == expected.wrote
    if expected.stderr:
        said = SAID_BETTER.get(expected.command, expected.stderr.removeprefix("Error: ").strip())
        assert re.sub(r"\s+", " ", said.replace("dagger call", "dagger-podman call")) in re.sub(
            r"\s+", " ", done.stderr
        )
    assert "s3cr3t-value" not in done.stdout + done.stderr


@pytest.mark.parametrize("expected", HELP, ids=lambda t: t.command)
def test_help_has_the_engines_parts(answers: Answers, expected: Transcript) -> None:
    done, _ = answers[expected.command]
    assert done.returncode == 0
    known = expected.stdout.partition("(then the OPTIONS")[0]
    missing = set(words(known)) - set(words(done.stdout))
    assert not missing


def test_containers_directories_files_secrets_and_services_mean_the_same(probe: Path, tmp_path: Path) -> None:
    done = run(probe, "call semantics", tmp_path)
    assert done.returncode == 0, done.stderr
    expected = json.loads((GOLDEN / "semantics.json").read_text())
    answered = json.loads(done.stdout)
    assert len(answered) == len(expected)
    assert {k: v for k, v in answered.items() if v != expected.get(k)} == {}
