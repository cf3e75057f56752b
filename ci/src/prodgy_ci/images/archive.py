"""Archives of a service's files, equal for equal files, with a release.json that names each one's SHA-256.

It needs the standard library alone, so that it runs in any container with Python, and by hand where an archive is built
elsewhere:

    python -m prodgy_ci.images.archive pack FOLDER ZIP --service S --version V --commit C
    python -m prodgy_ci.images.archive check ZIP --service S [--commit C]
"""

import argparse
import hashlib
import json
import re
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import InputError, ProdgyError

RELEASE = "release.json"
KEPT_ON_THE_MACHINE = "appsettings.Production.json"
"""The machine's own settings: in no archive, since the archive's files replace the machine's."""

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644 << 16
_CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Release:
    """What an archive holds and where it comes from."""

    service: str
    version: str
    commit: str
    files: Mapping[str, str]

    def to_json(self) -> str:
        """Equal text for equal releases."""
        return json.dumps({**self.__dict__, "files": dict(sorted(self.files.items()))}, indent=2) + "\n"


def pack(folder: Path, archive: Path, *, service: str, version: str, commit: str) -> Release:
    """Writes the folder's files and their release.json to the archive; raises InputError for what cannot go in."""
    files = dict(sorted(_files(folder)))
    _refuse_bad_names([RELEASE, *files])
    hashes = {name: _sha256(path) for name, path in files.items()}
    release = Release(service=service, version=version, commit=commit, files=hashes)
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr(_entry(RELEASE), release.to_json(), compresslevel=9)
        for name, path in files.items():
            target.writestr(_entry(name), path.read_bytes(), compresslevel=9)
    return release


def check(archive: Path, *, service: str, commit: str | None = None) -> Release:
    """What the archive's release.json says, once all of it holds; raises InputError with the first thing that does not.

    commit: the one it must come from; None for any.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            release = _read_release(opened)
            _refuse_other_origin(release, service, commit)
            _refuse_other_files(opened, release)
            return release
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"not a sound zip archive: {error}") from None


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise InputError(f"{name}: a symbolic link; an archive for Windows holds plain files alone")
        if path.is_file() and path.name.lower() != KEPT_ON_THE_MACHINE.lower():
            yield name, path


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EARLIEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # else it would tell the system it was packed on
    entry.external_attr = _FILE_MODE
    return entry


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return _sha256_of(stream)


def _sha256_of(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _read_release(archive: zipfile.ZipFile) -> Release:
    if RELEASE not in archive.namelist():
        raise InputError(f"no {RELEASE} in it; pack it with this module's build-artifact")
    try:
        data = json.loads(archive.read(RELEASE))
    except ValueError as error:
        raise InputError(f"{RELEASE}: not valid JSON: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{RELEASE}: not an object")
    texts = {key: _text(data, key) for key in ("service", "version", "commit")}
    files = data.get("files")
    if not isinstance(files, dict) or not all(isinstance(h, str) and _DIGEST.fullmatch(h) for h in files.values()):
        raise InputError(f"{RELEASE}: files: must give each file's SHA-256 as 64 lower-case hexadecimal digits")
    return Release(**texts, files=files)


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(f"{RELEASE}: {key}: must be a text")
    return value


def _refuse_other_origin(release: Release, service: str, commit: str | None) -> None:
    if release.service != service:
        raise InputError(f"{RELEASE}: it holds service '{release.service}', not '{service}'")
    if commit is not None and release.commit != commit:
        raise InputError(f"{RELEASE}: it was built from commit {release.commit}, not {commit}")


def _refuse_other_files(archive: zipfile.ZipFile, release: Release) -> None:
    entries = {e.filename: e for e in archive.infolist() if not e.is_dir()}
    _refuse_bad_names(e.filename.removesuffix("/") for e in archive.infolist())
    for entry in archive.infolist():
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InputError(f"{entry.filename}: a symbolic link")
    if extra := sorted(entries.keys() - release.files.keys() - {RELEASE}):
        raise InputError(f"{extra[0]}: not named in {RELEASE}")
    for name, expected in release.files.items():
        if name not in entries:
            raise InputError(f"{name}: named in {RELEASE}, but missing")
        with archive.open(name) as stream:
            if _sha256_of(stream) != expected:
                raise InputError(f"{name}: its SHA-256 is not the one in {RELEASE}")


def _refuse_bad_names(names: Iterable[str]) -> None:
    """Windows ignores case and a dot or space at a name's end: what would meet there in one file is refused."""
    seen: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        if _UNSAFE.search(name) or not all(_is_windows_name(part) for part in parts):
            raise InputError(f"{name!r}: not a plain relative path that Windows can hold")
        if parts[-1].lower() == KEPT_ON_THE_MACHINE.lower():
            raise InputError(f"{name}: the machine's own settings; no archive may hold them")
        if name.lower() in seen:
            raise InputError(f"{name}: there twice (as {seen[name.lower()]})")
        seen[name.lower()] = name


def _is_windows_name(part: str) -> bool:
    return part != "" and part == part.rstrip(". ") and not _DEVICE.fullmatch(part)


def _main() -> int:
    parser = argparse.ArgumentParser(prog="archive")
    commands = parser.add_subparsers(required=True)
    packs = commands.add_parser("pack", help="write a folder's files to an archive")
    packs.add_argument("folder", type=Path)
    packs.add_argument("archive", type=Path)
    packs.add_argument("--version", required=True)
    packs.set_defaults(run=pack)
    checks = commands.add_parser("check", help="compare an archive with its release.json")
    checks.add_argument("archive", type=Path)
    checks.set_defaults(run=check)
    for command, needed in ((packs, True), (checks, False)):
        command.add_argument("--service", required=True)
        command.add_argument("--commit", required=needed)
    options = vars(parser.parse_args())
    run = options.pop("run")
    try:
        release = run(**options)
        print(f"{release.service} {release.version}, commit {release.commit}: {len(release.files)} files")
    except ProdgyError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
