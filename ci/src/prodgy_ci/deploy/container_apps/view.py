"""What the answers of Azure Resource Manager say about an app and its revisions. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..target import Serving

Json = dict[str, Any]
REVISION = "PRODGY_REVISION"


@dataclass(frozen=True)
class Revision:
    """What is needed of a revision."""

    name: str
    active: bool
    provisioned: bool
    created: str
    commit: str | None
    """Its PRODGY_REVISION; None where it was not made by a deployment of ours."""
    digest: str | None
    answer: Json

    def serving(self) -> Serving | None:
        """The same for the record."""
        return Serving(self.commit, self.digest, self.name, self.created or None) if self.commit else None


def revision(answer: Json) -> Revision:
    """A revision as the answer tells it."""
    its = answer.get("properties") or {}
    commit, digest = None, None
    for container in containers(its):
        if value := variable(container, REVISION):
            commit = value
            digest = str(container.get("image", "")).partition("@")[2] or None
    return Revision(
        name=str(answer.get("name", "")),
        active=bool(its.get("active")),
        provisioned=same(its.get("provisioningState"), "Provisioned"),
        created=str(its.get("createdTime") or ""),
        commit=commit,
        digest=digest,
        answer=answer,
    )


def properties(app: Json) -> Json:
    """What an app is and has."""
    found: Json = app.get("properties") or {}
    return found


def suffix(app: Json) -> str:
    """The suffix of the revision that was made last."""
    return str((properties(app).get("template") or {}).get("revisionSuffix") or "")


def configuration(app: Json) -> Json:
    """The part of an app that its revisions share."""
    found: Json = properties(app).get("configuration") or {}
    return found


def ingress(app: Json) -> Json | None:
    """How requests come in; None for an app that takes none."""
    found: Json | None = configuration(app).get("ingress")
    return found or None


def is_public(app: Json) -> bool:
    """Whether it can be asked from here."""
    return bool((ingress(app) or {}).get("external"))


def is_single(app: Json) -> bool:
    """Whether each new revision takes the place of the former one at once."""
    return not same(configuration(app).get("activeRevisionsMode") or "Single", "Multiple")


def busy(app: Json) -> bool:
    """Whether an operation runs on it."""
    return _provisioning(app) not in ("succeeded", "failed", "canceled", "")


def failed(app: Json) -> bool:
    """Whether the last operation on it failed."""
    return _provisioning(app) in ("failed", "canceled")


def _provisioning(app: Json) -> str:
    return str(properties(app).get("provisioningState") or "").lower()


def containers(template_holder: Json) -> list[Json]:
    """The containers of an app's or a revision's properties."""
    return list((template_holder.get("template") or {}).get("containers") or [])


def variable(container: Json, name: str) -> str | None:
    """The value of a variable that stands there as it is."""
    values = (one.get("value") for one in container.get("env") or [] if one.get("name") == name)
    return next((str(value) for value in values if value), None)


def table(app: Json) -> list[Json]:
    """The traffic by revision name: `latestRevision`, which a new revision would take over, as what it is now."""
    its = ingress(app)
    if its is None:
        return []
    its_own = properties(app)  # none was ever ready: then the newest is meant
    latest = str(its_own.get("latestReadyRevisionName") or its_own.get("latestRevisionName") or "")
    entries: list[Json] = []
    for entry in its.get("traffic") or [{"latestRevision": True, "weight": 100}]:
        name = latest if entry.get("latestRevision") else str(entry.get("revisionName") or "")
        new = {"revisionName": name, "weight": int(entry.get("weight") or 0)}
        if label := entry.get("label"):
            new["label"] = label
        there = next((one for one in entries if one["revisionName"] == name), None)
        if there is None or ("label" in there and "label" in new):
            entries.append(new)
        else:
            there |= new | {"weight": there["weight"] + new["weight"]}
    return entries


def weights(entries: Sequence[Json]) -> dict[str, int]:
    """The share of each revision that has any."""
    found: dict[str, int] = {}
    for entry in entries:
        if entry["weight"]:
            found[entry["revisionName"]] = found.get(entry["revisionName"], 0) + entry["weight"]
    return found


def shares(app: Json, revisions: Sequence[Revision]) -> dict[str, int]:
    """The share of each revision that serves. Without ingress each active one does; the oldest was there first."""
    if ingress(app) is not None:
        return weights(table(app))
    active = sorted((one for one in revisions if one.active), key=lambda one: one.created)
    return {one.name: 100 - index for index, one in enumerate(active)}


def serving(app: Json, revisions: Sequence[Revision]) -> Serving | None:
    """What serves. Without digest where another one serves beside it: then no release is served by itself."""
    found = shares(app, revisions)
    first = max(found, key=lambda name: found[name], default=None)
    main = next((one.serving() for one in revisions if one.name == first), None)
    if main is None or len(found) == 1:
        return main
    return Serving(main.commit, None, main.revision, main.since)


def is_unpinned(app: Json) -> bool:
    """Whether the next revision that is ready takes traffic by itself."""
    its = ingress(app)
    return its is not None and any(
        one.get("latestRevision") for one in its.get("traffic") or [{"latestRevision": True}]
    )


def former(app: Json, revisions: Sequence[Revision]) -> list[Revision]:
    """What can serve again, the best to go back to first.

    What the traffic table names at 0 % has served, the last first; all else may be a candidate that failed. What is
    newer than what serves was gone back from.
    """
    served = [entry["revisionName"] for entry in table(app)]
    found = shares(app, revisions)
    now = next((one.created for one in revisions if one.name in found), "")
    kept = [one for one in revisions if one.provisioned and one.name not in found]
    kept.sort(key=lambda one: one.created, reverse=True)

    def rank(one: Revision) -> tuple[bool, bool, int]:
        known = one.name in served
        return not known, one.created > now, served.index(one.name) if known else 0

    return sorted(kept, key=rank)


def plain(containers: Sequence[Mapping[str, Any]]) -> list[Json]:
    """The containers without empty values, for comparing: the service leaves those out of its answers."""
    return [
        {**one, "env": [{k: v for k, v in var.items() if v not in ("", None)} for var in one.get("env") or []]}
        for one in containers
    ]


def same(text: object, word: str) -> bool:
    """Whether it is the word; the service's spelling is not stable."""
    return str(text or "").lower() == word.lower()
