"""Whether a revision is ready, by its own state: "succeeded" of the app or the operation does not mean that. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .view import Json, same

Kind = Literal["ready", "waiting", "asleep", "failing", "failed"]


@dataclass(frozen=True)
class Verdict:
    """What a state means."""

    kind: Kind
    """asleep: scaled to zero, which proves nothing until a request wakes it; failing: failed if it stays so."""
    reason: str = ""


RUNNING = ("running", "runningatmaxscale")
BROKEN = ("failed", "activationfailed", "activation failed")
ASLEEP = ("scaledtozero", "scaled to zero", "scale to 0")


def revision(answer: Json) -> Verdict:
    """What a revision's answer means. States that are not known are waited for: the service's list is not closed."""
    its = answer.get("properties") or {}
    provisioning, health, running = (
        str(its.get(name) or "") for name in ("provisioningState", "healthState", "runningState")
    )
    told = f"{provisioning or '-'}, {health or '-'}, {running or '-'}"
    if why := its.get("provisioningError"):
        return Verdict("failed", str(why))
    if same(provisioning, "Failed"):
        return Verdict("failed", _detailed(told, its))
    if not its.get("active"):
        return Verdict("failing", "it is not active")
    if running.lower() in BROKEN:
        return Verdict("failing", _detailed(told, its))
    if same(provisioning, "Provisioned"):
        if same(health, "Healthy") and running.lower() in RUNNING:
            return Verdict("ready")
        if running.lower() in ASLEEP:
            return Verdict("asleep", "it is scaled to zero")
    return Verdict("waiting", _detailed(told, its))


def operation(answer: Json) -> Verdict:
    """What the answer about a long-running operation means."""
    status = str(answer.get("status") or (answer.get("properties") or {}).get("provisioningState") or "").lower()
    if status == "succeeded":
        return Verdict("ready")
    if status in ("failed", "canceled", "cancelled"):
        error = answer.get("error") or {}
        return Verdict("failed", f"{error.get('code') or status}: {error.get('message') or 'no reason was given'}")
    return Verdict("waiting", status)


def replicas(answers: Sequence[Json]) -> str:
    """What the replicas tell about containers that are not ready, for people; empty where they tell nothing."""
    lines = []
    for answer in answers:
        for container in (answer.get("properties") or {}).get("containers") or []:
            if not container.get("ready"):
                details = container.get("runningStateDetails") or container.get("runningState") or "not ready"
                restarts = container.get("restartCount") or 0
                lines.append(f"container {container.get('name')}: {details}, restarted {restarts} times")
    return "; ".join(dict.fromkeys(lines))


def _detailed(told: str, its: Json) -> str:
    details = str(its.get("runningStateDetails") or "")
    return f"{told}: {details}" if details else told
