"""What an answer of Azure Resource Manager that is not the wished-for one means, and what to do about it. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from ...errors import ProdgyError

Remedy = Literal["busy", "later", "unknown", "none"]
"""busy: another operation has to end first. later: not done, ask again. unknown: done or not, reading must settle it."""

BUSY = ("ContainerAppOperationInProgress", "ContainerAppLockConflict", "ManagedEnvironmentOperationInProgress")
LOGIN = "az account get-access-token --resource https://management.azure.com/ --query accessToken -o tsv"
_ACTION = re.compile(r"perform action '([^']+)'")
_LONGEST = 500


class Refused(ProdgyError):
    """An answer that is an error."""

    def __init__(self, message: str, status: int, code: str, remedy: Remedy, wait: float | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.remedy, self.wait = status, code, remedy, wait


class Lost(ProdgyError):
    """No answer came, or none that can be read: whether it was done is not known."""


class OperationFailed(ProdgyError):
    """A change was accepted, and came to nothing."""


def refused(what: str, group: str, status: int, headers: Mapping[str, str], text: str) -> Refused:
    """The error that an answer of that status stands for; `what` says what was asked for, for the message."""
    code, message = _error(text)
    wait = retry_after(headers)
    said = " ".join(part for part in (str(status), code, message[:_LONGEST]) if part)
    if status == 401:
        mend = f"the token for Azure has ended or is not for it ({said}); take a new one: {LOGIN}"
        return Refused(f"{what}: {mend}", status, code, "none")
    if status == 403:
        action = found[1] if (found := _ACTION.search(message)) else "this"
        mend = f"give the identity of the pipeline the role Container Apps Contributor on the resource group {group}"
        return Refused(f"{what}: the token has no right to {action} ({said}); {mend}", status, code, "none")
    if status == 404:
        mend = f"check the names; the resource group is {group}"
        return Refused(f"{what}: there is no such thing ({said}); {mend}", status, code, "none")
    remedy: Remedy = "none"
    if status == 409 and code in BUSY:
        remedy = "busy"
    elif status == 429:
        remedy = "later"
    elif status == 408 or status >= 500:
        remedy = "unknown"
    return Refused(f"{what}: Azure answered {said}", status, code, remedy, wait)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the answer asks to wait; None where it asks for none."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _error(text: str) -> tuple[str, str]:
    try:
        answer: Any = json.loads(text)
        error = answer.get("error") or answer
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, AttributeError):
        return "", text.strip()[:_LONGEST]
