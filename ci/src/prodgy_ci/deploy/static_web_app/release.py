"""release.json: what a site says about its build, beside version.json. It is what going back rests on."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import ProdgyError
from ..target import Release, Serving

VERSION, RELEASE = "version.json", "release.json"


class Build(BaseModel):
    """A site's build by its commit and its image."""

    model_config = ConfigDict(frozen=True)

    commit: str
    digest: str
    since: str | None = None
    """When it was deployed, in UTC."""

    @property
    def serving(self) -> Serving:
        return Serving(self.commit, self.digest, revision=self.commit, since=self.since)


class SiteRelease(Build):
    """The file."""

    previous: Build | None = None
    """What the site served before, and can serve again."""

    def json_text(self) -> str:
        return json.dumps(self.model_dump(mode="json"), indent=2) + "\n"


def of_text(text: str) -> SiteRelease | None:
    """The file's content; None where it is not such a file: many sites answer any path with their start page."""
    try:
        return SiteRelease.model_validate_json(text)
    except ValidationError:
        return None


def following(release: Release, before: Serving | None, now: str) -> SiteRelease:
    """The file for a release that takes the place of what serves now."""
    previous = None
    if before is not None and before.digest is not None:
        previous = Build(commit=before.commit, digest=before.digest, since=before.since)
    return SiteRelease(commit=release.commit, digest=release.digest, since=now, previous=previous)


def revision(text: str) -> str | None:
    """The commit that a version.json names; None where it is none."""
    try:
        told: Any = json.loads(text)
    except ValueError:
        return None
    found = told.get("revision") if isinstance(told, dict) else None
    return found if isinstance(found, str) and found else None


def checked(service: str, folder: Path | None, commit: str) -> Path:
    """The folder, if it is a site of that commit that can be deployed; raises ProdgyError."""
    if folder is None:
        raise ProdgyError(f"{service}: its image holds no site")
    if not (folder / "index.html").is_file():
        raise ProdgyError(f"{service}: the site has no index.html, without which Azure refuses it")
    version = folder / VERSION
    told = revision(version.read_text(encoding="utf-8", errors="replace")) if version.is_file() else None
    if told != commit:
        raise ProdgyError(f"{service}: the site's {VERSION} names {told or 'no revision'}, not {commit}")
    return folder
