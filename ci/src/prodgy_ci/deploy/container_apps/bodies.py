"""The bodies of the PATCH requests. A JSON merge patch replaces arrays whole, so each is sent as it is to be. Pure."""

import copy
from collections import Counter
from collections.abc import Callable, Collection, Sequence

from ...errors import ProdgyError
from ..target import Release
from .view import REVISION, Json, containers, is_unpinned, properties, table, variable, weights


def new_revision(app: Json, suffix: str, wanted: Sequence[Json]) -> Json:
    """Makes a revision that takes no traffic: where the newest would, the present traffic is pinned by name beside it.

    Else the traffic is left out, so that a request that is sent again undoes nobody's change of it. The suffix is always
    there, since the service would otherwise take the former one again.
    """
    body: Json = {"template": {"revisionSuffix": suffix, "containers": list(wanted)}}
    if is_unpinned(app):
        body |= traffic(table(app))["properties"]
    return {"properties": body}


def traffic(entries: Sequence[Json]) -> Json:
    """Sets the traffic table."""
    return {"properties": {"configuration": {"ingress": {"traffic": list(entries)}}}}


def switched(entries: Sequence[Json], name: str, existing: Collection[str], keep: int) -> list[Json]:
    """The table with all traffic at the named revision.

    Those that served before stay in it at 0 %, the last first and at most `keep`: so it is known which revisions to
    go back to. Labels stay where they are.
    """
    share = weights(entries)
    own = next((entry for entry in entries if entry["revisionName"] == name), {"revisionName": name})
    others = [
        {**entry, "weight": 0}
        for entry in entries
        if entry["revisionName"] in existing and entry["revisionName"] != name
    ]
    others.sort(key=lambda entry: -share.get(entry["revisionName"], 0))
    labelled = [entry for entry in others if "label" in entry]
    return [{**own, "weight": 100}, *labelled, *[entry for entry in others if "label" not in entry][:keep]]


def wanted_containers(app: Json, release: Release, container: str | None = None) -> list[Json]:
    """All containers of the app as the release wants them: its image by digest and its commit in one of them.

    All else stays as it is. Raises ProdgyError where it cannot be told which container is the service's, and for a
    variable that is there twice: such a revision never starts, and the service does not say why.
    """
    made = copy.deepcopy(containers(properties(app)))
    own = _own(made, app.get("name", ""), release, container)
    own["image"] = _by_digest(release)
    for one in made:
        for entry in one.get("env") or []:
            if entry.get("value") is None and not entry.get("secretRef"):
                entry["value"] = ""  # the service leaves empty values out of its answers
    own["env"] = _with_revision(own.get("env") or [], release.commit)
    for one in made:
        names = Counter(entry.get("name") for entry in one.get("env") or [])
        if twice := [name for name, count in names.items() if count > 1]:
            raise ProdgyError(
                f"{app.get('name')}: the container {one.get('name')} has {', '.join(map(str, twice))} twice in its "
                "environment, with which no revision starts: remove one of each"
            )
    return made


def without_values(body: Json) -> Json:
    """The body for people: the variables' values may be nobody's business."""
    shown = copy.deepcopy(body)
    for container in containers(shown["properties"]):
        for entry in container.get("env") or []:
            if entry.get("value") and entry.get("name") != REVISION:
                entry["value"] = "(as it is)"
    return shown


def _own(made: Sequence[Json], app: str, release: Release, container: str | None) -> Json:
    repository = _repository(release.reference)
    rules: list[Callable[[Json], bool]] = [
        lambda one: container is not None and one.get("name") == container,
        lambda one: container is None and variable(one, REVISION) is not None,
        lambda one: container is None and _repository(str(one.get("image", ""))) == repository,
        lambda one: container is None and one.get("name") in (app, release.service),
        lambda one: container is None and len(made) == 1,
    ]
    for rule in rules:
        if len(found := [one for one in made if rule(one)]) == 1:
            return found[0]
    names = ", ".join(str(one.get("name")) for one in made) or "none"
    wanted = f"no container {container}" if container else "no container that is known as the service's"
    raise ProdgyError(f"{app}: it has {wanted} among: {names}; give the service's container the name {release.service}")


def _with_revision(entries: Sequence[Json], commit: str) -> list[Json]:
    ours = {"name": REVISION, "value": commit}
    if not any(entry.get("name") == REVISION for entry in entries):
        return [*entries, ours]
    return [ours if entry.get("name") == REVISION else entry for entry in entries]


def _repository(image: str) -> str:
    """The image's name without host, tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _by_digest(release: Release) -> str:
    """HOST/NAME@DIGEST: with a tag beside the digest the service would have two answers to what runs."""
    host, slash, name = release.reference.partition("@")[0].rpartition("/")
    return f"{host}{slash}{name.partition(':')[0]}@{release.digest}"
