"""What a run of the pipeline left behind: run.json, and the other files of the folder out/."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from ..changes.deployed import Deployed
from ..changes.deployed import load as load_deployed
from ..changes.plan import Plan
from ..checks.model import Checks
from ..deploy.record import Deployments
from ..errors import InputError, ProdgyError
from ..images.builds import Builds
from ..images.record import Images
from ..records import Record
from ..testing.outcome import Outcomes

NEEDED = ("run.json", "plan.json", "builds.json", "tests.json")
"""The files without which it cannot be told how a run went."""
LARGEST = 50_000_000

T = TypeVar("T")


class Span(Record):
    """One thing that was done, and when."""

    stage: str = Field(description="plan, build, unit tests, integration tests, publish")
    service: str | None = Field(description="null where it is not one service's")
    start: float = Field(description="Seconds since the run began")
    seconds: float = Field(ge=0)
    result: Literal["passed", "failed"]


class About(Record):
    """The file run.json."""

    schema_version: Literal[1] = 1
    ref: str
    commit: str
    environment: str | None = Field(description="Where it goes; null where the ref stands for no environment")
    started: str = Field(description="UTC, ISO 8601")
    seconds: float = Field(ge=0, description="How long it took, from its first step to its last")
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Run:
    """The parts of a run. A part is None where its file is missing or broken, and then `missing` or `broken` says so."""

    about: About | None = None
    plan: Plan | None = None
    builds: Builds | None = None
    tests: Outcomes | None = None
    deployed: Deployed | None = None
    images: Images | None = None
    deployments: Deployments | None = None
    checks: tuple[Checks, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    """Logs and errors, by path."""
    missing: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    """By the file's path: what is wrong with it."""


def load(folder: Path) -> Run:
    """The run whose files lie in the folder; raises InputError where there is no such folder."""
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the one that `ci` wrote with -o")
    paths = [*folder.glob("*.json"), *folder.glob("*-error.txt"), *folder.glob("checks/*.json"), *folder.glob("logs/*")]
    return read({path.relative_to(folder).as_posix(): _text(path) for path in sorted(paths) if path.is_file()})


def read(files: Mapping[str, str]) -> Run:
    """The run of which these are the files, by path. A broken file is told of and never taken for an empty one."""
    broken: dict[str, str] = {}

    def part(path: str, parse: Callable[[str], T]) -> T | None:
        if path not in files:
            return None
        try:
            return parse(files[path])
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            broken[path] = f"{where}: {first['msg']}" if where else first["msg"]
        except ProdgyError as error:
            broken[path] = str(error)
        return None

    checks = [
        part(path, Checks.model_validate_json)
        for path in files
        if path.startswith("checks/") and path.endswith(".json")
    ]
    deployments = part("deployments.json", Deployments.model_validate_json)
    return Run(
        about=part("run.json", About.model_validate_json),
        plan=part("plan.json", Plan.model_validate_json),
        builds=part("builds.json", Builds.model_validate_json),
        tests=part("tests.json", Outcomes.model_validate_json),
        deployed=part("deployed.json", lambda text: load_deployed(text, "deployed.json")),
        images=part("images.json", Images.model_validate_json),
        deployments=deployments,
        checks=(*(one for one in checks if one is not None), *(deployments.checks if deployments else ())),
        texts={path: text for path, text in files.items() if not path.endswith(".json")},
        missing=tuple(path for path in NEEDED if path not in files),
        broken=broken,
    )


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        return f"more than {LARGEST} bytes: not read"
    return path.read_text(encoding="utf-8", errors="replace")
