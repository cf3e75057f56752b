"""A revision is ready when it says so itself, and what is not known is waited for."""

from typing import Any

import pytest

from prodgy_ci.deploy.container_apps import states


def revision(provisioning: str, health: str | None, running: str, **more: Any) -> dict[str, Any]:
    told = {"provisioningState": provisioning, "healthState": health, "runningState": running}
    return {"name": "api--r1", "properties": {"active": True, **told, **more}}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (revision("Provisioned", "Healthy", "Running"), "ready"),
        (revision("provisioned", "healthy", "RunningAtMaxScale"), "ready"),
        (revision("Provisioned", "Unhealthy", "Running"), "waiting"),
        (revision("Provisioned", "Healthy", "Processing"), "waiting"),
        (revision("Provisioned", "None", "NeverHeardOf"), "waiting"),
        (revision("Provisioning", "Healthy", "Running"), "waiting"),
        (revision("Provisioned", None, "ScaledToZero"), "asleep"),
        (revision("Provisioning", None, "ScaledToZero"), "waiting"),
        (revision("Provisioned", "Unhealthy", "ActivationFailed"), "failing"),
        (revision("Provisioned", "Healthy", "Running", active=False), "failing"),
        (revision("Failed", "None", "Running"), "failed"),
        ({}, "failing"),
    ],
)
def test_a_revision(answer: dict[str, Any], kind: str) -> None:
    assert states.revision(answer).kind == kind


def test_a_failure_says_its_reason() -> None:
    broken = revision("Failed", "None", "Failed", runningStateDetails="exit code 1")
    assert states.revision(broken).reason == "Failed, None, Failed: exit code 1"
    assert states.revision(revision("Provisioning", "None", "-", provisioningError="no image")).reason == "no image"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": "InProgress"}, "waiting"),
        ({"status": "Succeeded"}, "ready"),
        ({"status": "Canceled"}, "failed"),
        ({"properties": {"provisioningState": "Succeeded"}}, "ready"),
        ({}, "waiting"),
    ],
)
def test_an_operation(answer: dict[str, Any], kind: str) -> None:
    assert states.operation(answer).kind == kind


def test_a_failed_operation_says_why() -> None:
    answer = {"status": "Failed", "error": {"code": "ContainerAppOperationError", "message": "MANIFEST_UNKNOWN"}}
    assert states.operation(answer) == states.Verdict("failed", "ContainerAppOperationError: MANIFEST_UNKNOWN")


def test_replicas_tell_why_a_container_does_not_start() -> None:
    up = {"name": "proxy", "ready": True}
    down = {"name": "api", "ready": False, "restartCount": 4, "runningStateDetails": "CrashLoopBackOff"}
    answers = [{"properties": {"containers": [up, down]}}] * 2
    assert states.replicas(answers) == "container api: CrashLoopBackOff, restarted 4 times"
