"""Defaults of arguments out of .env files, as the whole command takes them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[1] / "golden/probe"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the module's repository."""
    folder = tmp_path_factory.mktemp("defaults")
    shutil.copytree(PROBE, folder / "probe")
    subprocess.run(["git", "init", "--quiet", str(folder / "probe")], check=True)
    (folder / "five.txt").write_text("hello")
    return folder


def call(here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("dagger-podman")), "call", "-s", *words]
    return subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120, check=False)


def test_the_modules_own_file_names_arguments_and_functions_with_theirs(work: Path) -> None:
    own = work / "probe/.env"
    own.write_text(
        'who="the ${PLACE:-world}"\nGREETING=salut\ngreet_name=$who\nGREET_TIMES=2\ngreet_loud=true\ngreet_tags=a,b\n'
        "size_of_FILE=../five.txt\nsecretLength_token=file://../five.txt\ncolour_colour='\"DEEP_BLUE\"'\n"
    )
    said = call(work / "probe", "greet")
    assert said.stdout == "SALUT THE WORLD SALUT THE WORLD A B"
    assert f"user default: probe.greet(name) from {own}\n" in said.stderr
    assert "the world" not in said.stderr and "sizeOf" not in said.stderr  # a value can be a secret
    assert call(work / "probe", "greet", "--name", "you", "--times", "1").stdout == "SALUT YOU A B"
    assert call(work / "probe", "--greeting", "hi", "greet").stdout.startswith("HI THE")
    assert call(work / "probe", "size-of").stdout == "5"
    assert call(work / "probe", "secret-length").stdout == "5"
    assert call(work / "probe", "colour").stdout == "DEEP_BLUE"
    helped = call(work / "probe", "greet", "--help").stdout
    assert '(default "probe.greet(times) from /' in " ".join(helped.split()) and "[required]" not in helped
    assert "[required]" not in call(work / "probe", "size-of", "--help").stdout
    own.unlink()


def test_of_the_callers_file_what_begins_with_the_modules_name_goes_before(work: Path) -> None:
    (work / "probe/.env").write_text("GREETING=own\n")
    (work / ".env").write_text("place=room\nPROBE_GREETING=callers\nPROBE_GREET_NAME=$place\nGREET_TIMES=9\n")
    assert call(work, "-m", "probe", "greet").stdout == "callers room"
    said = call(work / "probe", "greet", "--name", "you")
    assert f"probe(greeting) from {work / 'probe/.env'}" in said.stderr and said.stdout.startswith("own")
    with (work / "probe/.env").open("a") as own:
        own.write("PROBE_greeting=callers\n")
    assert call(work / "probe", "greet", "--name", "you").stdout == "callers you"
    (work / "probe/.env").unlink()  # the nearest one upwards is then the same
    assert call(work / "probe", "greet").stdout == "callers room"
    (work / ".env").unlink()


def test_what_cannot_be_read_is_an_error_where_it_is_used_and_nowhere_else(work: Path) -> None:
    own = work / "probe/.env"
    own.write_bytes(
        b"# don't\nno assignment\n=x\nmy-name=$(\nlatin=\xe9\ngreet_times=many\ngreet_name=it's\nGREETING=$NOWHERE\n"
    )
    for words, message in (
        (("greet",), "GREETING: refers to an unbound variable"),
        (("--greeting", "hi", "greet"), "name: ' is not understood"),
        (("--greeting", "hi", "greet", "--name", "you"), f"user default probe.greet(times) from {own}: no Int"),
    ):
        said = call(work / "probe", *words)
        assert (
            said.returncode == 1 and message in said.stderr and "many" not in said.stderr and "it's" not in said.stderr
        )
    assert call(work / "probe", "--greeting", "hi", "greet", "--name", "you", "--times", "1").stdout == "hi you"
    assert call(work / "probe", "greet", "--help").returncode == 0
    own.unlink()
    own.mkdir()
    assert call(work / "probe", "greet", "--name", "you").stdout == "hello you"
    own.rmdir()
