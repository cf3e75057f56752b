"""Whether the Windows VM is ready for a deployment: reachable, as an administrator, its service, its disk."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..errors import ProdgyError
from .model import Check, Finding
from .parts import Findings, split

REACHABLE, ADMINISTRATOR, SERVICE, DISK = "reachable", "administrator", "service", "disk"
GIGABYTE = 10**9


@dataclass(frozen=True)
class Status:
    """What the VM tells of itself."""

    computer: str
    administrator: bool
    service: str | None
    """The state of the service: Running, Stopped, Paused, …; None where there is none."""
    nssm: bool
    """Whether NSSM runs the service."""
    free_bytes: int
    """On the disk of the application's folder."""


Ask = Callable[[], Awaitable[Status]]


def checks(ask: Ask, host: str, user: str, service: str, group: str, needed_bytes: int = GIGABYTE) -> list[Check]:
    """Four checks of the VM; `ask` raises ProdgyError where it cannot be asked, `group` is the variable group."""

    async def look() -> Findings:
        try:
            status = await ask()
        except ProdgyError as error:
            mend = f"mend VM_IP, VM_USER or VM_PASSWORD in the variable group {group}; on the VM: winrm quickconfig"
            return {REACHABLE: Finding("failed", str(error), f"{mend} -transport:https")}
        return {
            REACHABLE: Finding("passed", f"{host} answers as {status.computer}"),
            ADMINISTRATOR: _administrator(status, user),
            SERVICE: _service(status, service),
            DISK: _disk(status, needed_bytes),
        }

    return split("VM over WinRM:", (REACHABLE, ADMINISTRATOR, SERVICE, DISK), look)


def _administrator(status: Status, user: str) -> Finding:
    if status.administrator:
        return Finding("passed", f"{user} is an administrator")
    return Finding(
        "failed",
        f"{user} has no administrator's rights over WinRM",
        f'on the VM: net localgroup Administrators "{user}" /add; reg add '
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
        " /v LocalAccountTokenFilterPolicy /t REG_DWORD /d 1 /f",
    )


def _service(status: Status, service: str) -> Finding:
    if status.service is None:
        return Finding("failed", f"there is no service {service}", f"on the VM: nssm install {service} PROGRAM")
    if not status.nssm:
        mend = f"on the VM: sc.exe delete {service}; nssm install {service} PROGRAM"
        return Finding("failed", f"{service} is not run by NSSM", mend)
    if status.service != "Running":
        evidence = f"{service} is {status.service}: what is deployed does not run"
        return Finding("warning", evidence, f"on the VM: nssm stop {service}; nssm start {service}; then read its log")
    return Finding("passed", f"{service} is Running, by NSSM")


def _disk(status: Status, needed_bytes: int) -> Finding:
    free = f"{status.free_bytes / GIGABYTE:.1f} GB free, {needed_bytes / GIGABYTE:.1f} GB needed"
    if status.free_bytes < needed_bytes:
        return Finding("failed", free, "free space on the VM: old releases, logs")
    return Finding("passed", free)
