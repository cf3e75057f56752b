"""An archive is equal for equal files, and one that is not what its release.json says is refused."""

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from prodgy_ci.errors import InputError
from prodgy_ci.images import archive
from prodgy_ci.images.tool import PACKAGE, package_files

FILES = {"Assistant.exe": b"MZ program", "wwwroot/index.html": b"<h1>hello</h1>", "appsettings.json": b"{}"}
ORIGIN = {"service": "assistant", "version": "1.2.3", "commit": "c0ffee"}


def folder(path: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def packed(path: Path, name: str = "a.zip") -> Path:
    archive.pack(path, path.parent / name, **ORIGIN)
    return path.parent / name


def release(of: dict[str, bytes] = FILES, /, **changes: object) -> bytes:
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in of.items()}
    return json.dumps({**ORIGIN, "files": hashes, **changes}).encode()


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path / "made.zip", "w") as target:
        for name, content in entries:
            target.writestr(name, content)
    return path / "made.zip"


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    first = folder(tmp_path / "first")
    second = folder(tmp_path / "second", dict(reversed(FILES.items())))
    os.utime(second / "Assistant.exe", (0, 0))
    (second / "Assistant.exe").chmod(0o700)
    assert packed(first, "1.zip").read_bytes() == packed(second, "2.zip").read_bytes()


def test_an_archive_names_its_origin_and_each_files_hash(tmp_path: Path) -> None:
    with zipfile.ZipFile(packed(folder(tmp_path / "in"))) as opened:
        assert opened.namelist() == ["release.json", "Assistant.exe", "appsettings.json", "wwwroot/index.html"]
        assert json.loads(opened.read("release.json")) == json.loads(release())


def test_the_machines_own_settings_stay_out(tmp_path: Path) -> None:
    extra = {"appsettings.Production.json": b"secret", "old/AppSettings.production.json": b"secret"}
    with zipfile.ZipFile(packed(folder(tmp_path / "in", FILES | extra))) as opened:
        assert {*opened.namelist()} == {*FILES, "release.json"}


def test_what_was_packed_passes(tmp_path: Path) -> None:
    found = archive.check(packed(folder(tmp_path / "in")), service="assistant", commit="c0ffee")
    assert (found.version, set(found.files)) == ("1.2.3", set(FILES))


def test_a_note_in_the_release_does_no_harm(tmp_path: Path) -> None:
    made = zipped(tmp_path, ("release.json", release(note="a stand-in")), ("wwwroot/", b""), *FILES.items())
    assert archive.check(made, service="assistant").commit == "c0ffee"


def test_a_link_is_not_packed(tmp_path: Path) -> None:
    (folder(tmp_path / "in") / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="link: a symbolic link"):
        packed(tmp_path / "in")


def test_a_release_file_of_the_service_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"release\.json: there twice"):
        packed(folder(tmp_path / "in", {"release.json": b"{}"}))


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


GOOD = ("release.json", release())
BAD = {
    "no release.json": ([*FILES.items()], "no release.json in it"),
    "not JSON": ([("release.json", b"{")], "release.json: not valid JSON"),
    "not text": ([("release.json", b"\xff\xfe\xfd")], "release.json: not valid JSON"),
    "not an object": ([("release.json", b"[]")], "release.json: not an object"),
    "no version": ([("release.json", release(version=""))], "release.json: version: must be a text"),
    "no hashes": ([("release.json", release(files=["a"]))], "release.json: files: must give"),
    "a short hash": ([("release.json", release(files={"a": "12"}))], "release.json: files: must give"),
    "another service": ([("release.json", release(service="api")), *FILES.items()], "it holds service 'api'"),
    "another commit": ([("release.json", release(commit="beef")), *FILES.items()], "from commit beef, not c0ffee"),
    "a changed file": ([GOOD, *(FILES | {"appsettings.json": b"[]"}).items()], "appsettings.json: its SHA-256"),
    "a missing file": ([GOOD, *list(FILES.items())[:-1]], "appsettings.json: named in release.json, but missing"),
    "an extra file": ([GOOD, *FILES.items(), ("run.bat", b"")], "run.bat: not named in release.json"),
    "a link": ([GOOD, *FILES.items(), (link(), b"/etc/passwd")], "link: a symbolic link"),
    "a name twice by case": ([GOOD, *FILES.items(), ("APPSETTINGS.json", b"{}")], "APPSETTINGS.json: there twice"),
    "the machine's settings": ([GOOD, *FILES.items(), ("appsettings.production.json", b"")], "own settings"),
}


@pytest.mark.parametrize(("entries", "message"), BAD.values(), ids=BAD)
def test_a_bad_archive_is_refused(
    entries: list[tuple[str | zipfile.ZipInfo, bytes]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        archive.check(zipped(tmp_path, *entries), service="assistant", commit="c0ffee")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "../up",
        "a/../../up",
        "/etc/passwd",
        "C:/up",
        "a//b",
        "./a",
        "a\\..\\up",
        "a:stream",
        "a.",
        "a /b",
        "nul",
        "COM1.txt",
    ],
)
def test_a_path_that_climbs_out_or_that_windows_cannot_hold_is_refused(name: str, tmp_path: Path) -> None:
    files = {**FILES, name: b"x"}
    with pytest.raises(InputError, match="not a plain relative path"):
        archive.check(zipped(tmp_path, ("release.json", release(files)), *files.items()), service="assistant")


def test_a_folder_that_climbs_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a plain relative path"):
        archive.check(zipped(tmp_path, GOOD, *FILES.items(), ("../up/", b"")), service="assistant")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"appsettings\.json: there twice"):
        archive.check(zipped(tmp_path, GOOD, *FILES.items(), ("appsettings.json", b"{}")), service="assistant")


@pytest.mark.parametrize("damage", ["not a zip", "cut", "flipped"])
def test_a_damaged_archive_is_refused(damage: str, tmp_path: Path) -> None:
    data = bytearray(packed(folder(tmp_path / "in")).read_bytes())
    if damage == "flipped":
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            data[opened.getinfo("Assistant.exe").header_offset + 30 + len("Assistant.exe") + 2] ^= 0xFF
    bad = tmp_path / "bad.zip"
    bad.write_bytes({"not a zip": b"hello", "cut": bytes(data[:-40]), "flipped": bytes(data)}[damage])
    with pytest.raises(InputError, match="not a sound zip archive"):
        archive.check(bad, service="assistant")


@pytest.fixture
def bare_package(tmp_path: Path) -> Path:
    """The package as the container that runs it has it."""
    for file in package_files(["images/archive.py"]):
        target = tmp_path / "package" / PACKAGE.name / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / file, target)
    return tmp_path / "package"


def command(package: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-S", "-m", "prodgy_ci.images.archive", *map(str, arguments)],
        env={"PYTHONPATH": str(package)},
        cwd=package,
        capture_output=True,
        text=True,
    )


def test_the_command_needs_nothing_but_python(bare_package: Path, tmp_path: Path) -> None:
    origin = ("--service", "assistant", "--version", "1.2.3", "--commit", "c0ffee")
    made = command(bare_package, "pack", folder(tmp_path / "in"), tmp_path / "out.zip", *origin)
    assert (made.returncode, made.stdout, made.stderr) == (0, "assistant 1.2.3, commit c0ffee: 3 files\n", "")
    assert (tmp_path / "out.zip").read_bytes() == packed(tmp_path / "in").read_bytes()


def test_the_command_says_in_one_line_what_is_wrong(bare_package: Path, tmp_path: Path) -> None:
    bad = zipped(tmp_path, *FILES.items())
    made = command(bare_package, "check", bad, "--service", "assistant")
    expected = "no release.json in it; pack it with this module's build-artifact\n"
    assert (made.returncode, made.stdout, made.stderr) == (2, "", expected)
