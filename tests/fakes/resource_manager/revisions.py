"""A revision and how it comes up."""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]
DOMAIN = "wonderfulsea-1a2b3c4d.westeurope.azurecontainerapps.io"


class State(NamedTuple):
    """A moment in a revision's life."""

    provisioning: str
    health: str
    running: str


HEALTHY = State("Provisioned", "Healthy", "Running")
STOPPED = State("Provisioned", "None", "Stopped")
STARTING = (
    State("Provisioning", "None", "Activating"),
    State("Provisioned", "Unhealthy", "Activating"),
    HEALTHY,
)
BROKEN = (*STARTING[:2], State("Provisioned", "Unhealthy", "ActivationFailed"))
SCALED_TO_ZERO = (STARTING[0], State("Provisioned", "None", "ScaledToZero"))


@dataclass
class Revision:
    """One revision. Its state moves on with each read, or in time where `seconds` is set."""

    name: str
    template: Json
    timeline: Sequence[State] = (HEALTHY,)
    seconds: float = 0.0
    """How long it takes to the timeline's last state; 0: one state for each read."""
    hidden: int = 0
    """So many reads answer 404 at first."""
    active: bool = True
    created: str = "2026-01-01T00:00:00Z"
    reads: int = 0
    since: float = field(default_factory=time.monotonic)
    woken: bool = False
    ready_once: bool = False

    def start(self, timeline: Sequence[State], seconds: float) -> None:
        """Comes up, or comes up again."""
        self.timeline, self.seconds = timeline, seconds
        self.active, self.woken, self.reads, self.since = True, False, 0, time.monotonic()

    def state(self) -> State:
        if not self.active:
            return STOPPED
        step = self.reads
        if self.seconds:
            step = int((time.monotonic() - self.since) / self.seconds * (len(self.timeline) - 1))
        state = self.timeline[min(step, len(self.timeline) - 1)]
        if state.running == "ScaledToZero":
            self.ready_once = True
            state = HEALTHY if self.woken else state
        self.ready_once |= state.health == "Healthy"
        return state

    def read(self) -> State:
        """The state as a reader sees it; the next one sees the one after."""
        state = self.state()
        self.reads += 1
        return state

    @property
    def digests(self) -> set[str]:
        return digests(self.template)

    @property
    def image(self) -> str:
        return str(self.template["containers"][0]["image"])

    def environment(self) -> dict[str, str | None]:
        """Each container's variables; None for one that has no value."""
        return {
            variable["name"]: variable.get("value")
            for container in self.template["containers"]
            for variable in container.get("env") or []
        }

    def answer(self, weight: int, fqdn: str | None, state: State, app_id: str) -> Json:
        properties: Json = {
            "active": self.active,
            "provisioningState": state.provisioning,
            "healthState": state.health,
            "runningState": state.running,
            "replicas": 1 if state.running in ("Running", "RunningAtMaxScale", "Activating") else 0,
            "trafficWeight": weight,
            "createdTime": self.created,
            "template": without_empty_values(self.template),
        }
        if fqdn:
            properties["fqdn"] = fqdn
        if state.running in ("ActivationFailed", "Failed"):
            properties["runningStateDetails"] = "The container exited with exit code 1"
        path = f"{app_id}/revisions/{self.name}"
        return {
            "id": path,
            "name": self.name,
            "type": "Microsoft.App/containerapps/revisions",
            "properties": properties,
        }

    def replicas(self, state: State, logs: str) -> list[Json]:
        if not self.active or state.running == "ScaledToZero":
            return []
        up = state.health == "Healthy"
        containers = [
            {
                "name": container["name"],
                "ready": up,
                "started": up,
                "restartCount": 0 if up else self.reads,
                "runningState": "Running" if up else "Waiting",
                "runningStateDetails": "" if up else "CrashLoopBackOff",
                "logStreamEndpoint": f"{logs}/revisions/{self.name}/containers/{container['name']}/logstream",
            }
            for container in self.template["containers"]
        ]
        return [
            {"name": f"{self.name}-5d8f-x1", "properties": {"runningState": state.running, "containers": containers}}
        ]


def digests(template: Json) -> set[str]:
    images = [container.get("image", "") for container in template.get("containers") or []]
    return {image.rpartition("@")[2] for image in images if "@" in image}


def timeline_of(template: Json, usual: Sequence[State], broken: Collection[str]) -> Sequence[State]:
    """How a template's revision comes up: a broken image and a variable that is there twice never do."""
    doubled = any(
        len(names) != len(set(names))
        for container in template["containers"]
        for names in [[variable["name"] for variable in container.get("env") or []]]
    )
    return BROKEN if doubled or digests(template) & set(broken) else usual


def without_empty_values(template: Json) -> Json:
    """As the service answers: a variable's empty value is left out."""
    containers = []
    for container in template.get("containers") or []:
        copy = dict(container)
        if "env" in copy:
            copy["env"] = [{k: v for k, v in variable.items() if (k, v) != ("value", "")} for variable in copy["env"]]
        containers.append(copy)
    return {**template, "containers": containers}
