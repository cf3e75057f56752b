"""A container app: what a PATCH does to it, by the service's own rules."""

import copy
import hashlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prodgy_ci.catalog.builtin import REQUIRES

from .revisions import DOMAIN, STARTING, Json, Revision, State, digests, timeline_of, without_empty_values

IDENTITY = "/subscriptions/0/identities/pull"
SUFFIX = re.compile(r"[a-z](?!.*--)([-a-z0-9]*[a-z0-9])?")


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


@dataclass
class Operation:
    """A long-running operation: in progress for so many looks, or so many seconds."""

    id: str
    looks: int
    ends: float
    error: tuple[str, str] | None = None

    def look(self) -> str:
        if self.looks > 0 or time.monotonic() < self.ends:
            self.looks -= 1
            return "InProgress"
        return "Failed" if self.error else "Succeeded"


@dataclass
class App:
    """One app. What tests set before or between requests are plain fields."""

    name: str
    commit: str = "a" * 40
    """PRODGY_REVISION of the revision that it starts with; empty: the variable is missing."""
    digest: str = "sha256:" + "0" * 64
    mode: str = "Multiple"
    ingress: bool = True
    external: bool = True
    sidecar: bool = False
    registry: str = "registry.test"
    service: str = ""
    timeline: Sequence[State] = STARTING
    """How its new revisions come up."""
    seconds: float = 0.0
    """How long that takes; 0: a state for each read."""
    hidden: int = 1
    """Reads of a new revision that answer 404."""
    operation_looks: int = 1
    operation_seconds: float = 0.0
    stale_requests: int = 0
    """So many public requests after a change of traffic are served as before."""
    broken: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=lambda: ['{"level":"info","message":"listening"}'])
    """What each of its containers wrote."""
    id: str = ""
    revisions: dict[str, Revision] = field(default_factory=dict)
    operation: Operation | None = None
    operation_error: tuple[str, str] | None = None
    """The next operation ends with this code and message, and does nothing."""
    secrets: dict[str, str] = field(default_factory=lambda: {"database": "canary-app-secret"})
    configuration: Json = field(default_factory=dict)
    template: Json = field(default_factory=dict)
    _asked: int = 0
    _before: dict[str, int] = field(default_factory=dict)
    _stale_left: int = 0

    def __post_init__(self) -> None:
        self.service = self.service or self.name
        variables: list[Json] = [{"name": "EMPTY", "value": ""}, {"name": "DATABASE", "secretRef": "database"}]
        if self.commit:
            variables.append({"name": "PRODGY_REVISION", "value": self.commit})
        variables += [{"name": name, "value": "set"} for name in REQUIRES.get(self.service, ())]
        image = f"{self.registry}/prodgy-{self.name}@{self.digest}"
        containers: list[Json] = [{"name": self.name, "image": image, "env": variables, "resources": {"cpu": 0.5}}]
        if self.sidecar:
            containers.append(
                {"name": "proxy", "image": "registry.test/proxy:1", "env": [{"name": "BLANK", "value": ""}]}
            )
        self.template = {"revisionSuffix": "first", "containers": containers, "scale": {"minReplicas": 1}}
        self.configuration = {
            "activeRevisionsMode": self.mode,
            "registries": [{"server": self.registry, "identity": IDENTITY}],
            "ingress": None,
        }
        if self.ingress:
            self.configuration["ingress"] = {
                "fqdn": self.fqdn,
                "external": self.external,
                "targetPort": 8080,
                "traffic": [{"latestRevision": True, "weight": 100}],
            }
        self.add_revision("first", self.template).ready_once = True

    @property
    def host(self) -> str:
        return DOMAIN if self.external else f"internal.{DOMAIN}"

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{self.host}"

    def add_revision(self, suffix: str, template: Json) -> Revision:
        """A revision that is up; by whoever."""
        name = f"{self.name}--{suffix}"
        self.revisions[name] = Revision(name, copy.deepcopy({**template, "revisionSuffix": suffix}), created=_now())
        self.template = copy.deepcopy(self.revisions[name].template)
        return self.revisions[name]

    @property
    def latest_ready(self) -> Revision:
        for revision in self.revisions.values():
            revision.state()
        return [one for one in self.revisions.values() if one.ready_once][-1]

    def traffic(self) -> dict[str, int]:
        """The weight of each revision that has any."""
        if not self.configuration["ingress"]:
            return {}
        if self.configuration["activeRevisionsMode"].lower() == "single":
            return {self.latest_ready.name: 100}
        weights: dict[str, int] = {}
        for entry in self.configuration["ingress"]["traffic"]:
            name = self.latest_ready.name if entry.get("latestRevision") else entry["revisionName"]
            weights[name] = weights.get(name, 0) + entry.get("weight", 0)
        return {name: weight for name, weight in weights.items() if weight}

    def active(self) -> list[str]:
        self.settle()
        return [name for name, revision in self.revisions.items() if revision.active]

    def settle(self) -> None:
        """In single mode the newest revision puts away the others once it is ready."""
        if self.configuration["activeRevisionsMode"].lower() == "single":
            newest = list(self.revisions.values())[-1]
            if newest is self.latest_ready:
                for revision in self.revisions.values():
                    revision.active = revision is newest

    def provisioning(self) -> str:
        return self.operation.look() if self.operation else "Succeeded"

    def patch(self, body: Json) -> Operation:
        """Merges the body in; raises Refused where the service would."""
        if self.operation and self.operation.look() == "InProgress":
            message = f"Cannot modify a container app '{self.name}' because there is an active provisioning operation"
            raise Refused(409, "ContainerAppOperationInProgress", f"{message} in progress.")
        change = body.get("properties") or {}
        template = merged(self.template, change.get("template") or {})
        configuration, secrets = self._configured(change.get("configuration") or {})
        name, error = None, self.operation_error
        if template != self.template:
            name = self._revision_name(template)
            self._check_template(template, secrets)
            if name in self.revisions:
                suffix = template["revisionSuffix"]
                error = error or ("ContainerAppOperationError", f"revision with suffix {suffix} already exists.")
            if gone := digests(template) & self.missing:
                message = f"Failed to provision revision: MANIFEST_UNKNOWN: manifest {gone.pop()} is not known"
                error = error or ("ContainerAppOperationError", message)
        self._check_traffic(configuration, {*self.revisions, *([name] if name else [])})
        self.operation_error = None
        number = hashlib.sha256(f"{self.name}{time.monotonic_ns()}".encode()).hexdigest()[:32]
        self.operation = Operation(number, self.operation_looks, time.monotonic() + self.operation_seconds, error)
        if error is None:
            self._remember_traffic()
            self.configuration, self.secrets = configuration, secrets
            if name:
                self._create(name, template)
        return self.operation

    def _create(self, name: str, template: Json) -> None:
        self.template = template
        self.revisions[name] = Revision(name, copy.deepcopy(template), hidden=self.hidden, created=_now())
        self.start(self.revisions[name])

    def start(self, revision: Revision) -> None:
        """A new or deactivated revision comes up."""
        revision.start(timeline_of(revision.template, self.timeline, self.broken), self.seconds)

    def _configured(self, change: Json) -> tuple[Json, dict[str, str]]:
        secrets = self.secrets
        if "secrets" in change:
            if any("value" not in secret for secret in change["secrets"]):
                raise Refused(400, "ContainerAppSecretInvalid", "A secret has no value.")
            secrets = {secret["name"]: secret["value"] for secret in change["secrets"]}
        rest = {key: value for key, value in change.items() if key != "secrets"}
        configuration = merged(self.configuration, rest)
        if configuration["ingress"] and "targetPort" not in configuration["ingress"]:
            raise Refused(400, "ContainerAppInvalidIngressTargetPort", "ingress.targetPort must be given.")
        return configuration, secrets

    def _revision_name(self, template: Json) -> str:
        suffix = template.get("revisionSuffix")
        if not suffix:
            return f"{self.name}--g{len(self.revisions):06d}"
        name = f"{self.name}--{suffix}"
        if not SUFFIX.fullmatch(suffix) or len(self.name) + len(suffix) > 54 - len("--"):
            raise Refused(400, "ContainerAppInvalidRevisionName", f"Invalid revision name '{name}'.")
        return name

    def _check_template(self, template: Json, secrets: dict[str, str]) -> None:
        containers = template.get("containers")
        if not containers or any(not one.get("image") or not one.get("name") for one in containers):
            raise Refused(400, "InvalidTemplateContainers", "Each container needs a name and an image.")
        for container in containers:
            for variable in container.get("env") or []:
                if "secretRef" in variable and variable["secretRef"] not in secrets:
                    raise Refused(400, "ContainerAppSecretRefNotFound", f"No secret '{variable['secretRef']}'.")

    def _check_traffic(self, configuration: Json, names: set[str]) -> None:
        """Sums and names are checked; that a revision is inactive is not, as in the real service."""
        if not configuration["ingress"]:
            return
        entries = configuration["ingress"].get("traffic") or []
        weights = [entry.get("weight", 0) for entry in entries]
        if any(type(weight) is not int for weight in weights) or sum(weights) != 100:
            raise Refused(400, "ContainerAppInvalidTrafficWeight", "The traffic weights must sum to 100.")
        for entry in entries:
            if not entry.get("latestRevision") and entry.get("revisionName") not in names:
                raise Refused(400, "RevisionNotFound", f"Revision '{entry.get('revisionName')}' does not exist.")
        labels = [entry["label"] for entry in entries if entry.get("label")]
        if len(labels) != len(set(labels)):
            raise Refused(400, "ContainerAppInvalidTrafficLabel", "A label is used twice.")

    def _remember_traffic(self) -> None:
        self._before, self._stale_left = self.traffic(), self.stale_requests

    def pick(self) -> Revision | None:
        """The revision that the next public request goes to: by weight, evenly, the same in every run."""
        weights = self.traffic()
        if self._stale_left:
            self._stale_left -= 1
            weights = self._before
        point, self._asked = self._asked * 61 % 100, self._asked + 1
        for name, weight in weights.items():
            if point < weight:
                return self.revisions[name]
            point -= weight
        return None

    def answer(self) -> Json:
        ingress = self.configuration["ingress"]
        newest = list(self.revisions.values())[-1]
        state = self.provisioning()
        properties: Json = {
            "provisioningState": state,
            "runningStatus": "Running" if state != "InProgress" else "Progressing",
            "latestRevisionName": newest.name,
            "latestReadyRevisionName": self.latest_ready.name,
            "latestRevisionFqdn": f"{newest.name}.{self.host}" if ingress else "",
            "configuration": {**self.configuration, "secrets": [{"name": name} for name in self.secrets]},
            "template": without_empty_values(self.template),
        }
        return {
            "id": self.id,
            "name": self.name,
            "type": "Microsoft.App/containerApps",
            "location": "West Europe",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            "properties": copy.deepcopy(properties),
        }

    def revision_answer(self, revision: Revision) -> Json:
        fqdn = f"{revision.name}.{self.host}" if self.configuration["ingress"] else None
        weight = self.traffic().get(revision.name, 0)
        return copy.deepcopy(revision.answer(weight, fqdn, revision.read(), self.id))


def merged(old: Any, change: Any) -> Any:
    """A JSON merge patch (RFC 7396): objects are merged, null removes, all else is replaced whole."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    result = copy.deepcopy(old) if isinstance(old, dict) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
