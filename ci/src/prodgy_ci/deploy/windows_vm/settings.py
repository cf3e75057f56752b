"""Where a service lies on its Windows machine, and how that machine is reached."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from ...catalog import Service
from ...errors import InputError

Scheme = Literal["https", "http"]

PORTS: dict[Scheme, int] = {"https": 5986, "http": 5985}
"""WinRM's own."""

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")
_FILE = re.compile(r"[^\\/:*?\"<>|\x00-\x1f%]+")
_FOR_CMD = re.compile(r"[\"%\x00-\x1f]")
"""What cmd.exe would change in a path, also between quotes."""


@dataclass(frozen=True)
class Settings:
    """One service on one machine. `validated` has looked at it."""

    host: str
    user: str
    password: SecretStr
    service: str
    """The Windows service's name."""
    folder: str
    """What serves."""
    releases: str
    """Former releases, what is staged, and this program's own files; on the same volume."""
    nssm: str
    health: str
    """What the machine itself asks."""
    preserve: tuple[str, ...] = ("appsettings.Production.json",)
    keep: int = 3
    scheme: Scheme = "https"
    port: int = PORTS["https"]
    ca: Path | None = None
    """The certificates that are trusted, PEM; None for the public ones."""

    stop_seconds: int = 60
    """NSSM asks a program three times, each process of its tree, before it ends it."""
    start_seconds: int = 30
    stable_seconds: int = 10
    """How long it must go on running: NSSM pauses a service whose program ends early."""
    health_seconds: int = 120

    connect_timeout: float = 10.0
    operation_timeout: float = 20.0
    """How long the machine holds a request that has no answer yet."""
    read_timeout: float = 30.0
    retry_interval: float = 3.0
    """Between two attempts to reach the machine again, and between two looks at a run that is at work."""
    status_timeout: float = 60.0
    staging_timeout: float = 600.0
    """For hashing, extracting, copying."""
    switching_timeout: float | None = None
    """None: made of the seconds that its steps may take."""
    settle_timeout: float = 300.0
    """How long it is asked again after a lost answer; WinRM itself ends a lost shell after 180 s."""

    @property
    def endpoint(self) -> str:
        """The URL of WinRM."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/wsman"

    @property
    def switching_seconds(self) -> float:
        """How long a switch may take that also has to be undone."""
        steps = self.stop_seconds + self.start_seconds + self.stable_seconds + self.health_seconds
        return 2.0 * steps + 60 if self.switching_timeout is None else self.switching_timeout

    def validated(self) -> "Settings":
        """Itself; raises InputError with one line for each value that cannot be."""
        faults = [*self._machine_faults(), *self._service_faults()]
        if faults:
            raise InputError("\n".join(faults))
        return self

    def _machine_faults(self) -> list[str]:
        faults = []
        if not (_HOST.fullmatch(self.host) or _IPV6.fullmatch(self.host)):
            faults.append(f"VM_IP: {self.host!r} is no host name and no address")
        if not 1 <= self.port <= 65535:
            faults.append(f"VM_IP: {self.port} is no port; 1 to 65535")
        if not self.user or any(character < " " for character in self.user):
            faults.append("VM_USER: is empty, or has control characters; write name, machine\\name or name@domain")
        if not self.password.get_secret_value():
            faults.append("VM_PASSWORD: is empty")
        if self.ca is not None and not self.ca.is_file():
            faults.append(f"--vm-ca: there is no file {self.ca}")
        if self.ca is not None and self.scheme == "http":
            faults.append("--vm-ca: HTTP has no certificate; leave it out, or use HTTPS")
        return faults

    def _service_faults(self) -> list[str]:
        faults = []
        if not _NAME.fullmatch(self.service):
            faults.append(f"windows.service: {self.service!r} is no name of a Windows service")
        for name, path in (("folder", self.folder), ("releases", self.releases), ("nssm", self.nssm)):
            if fault := _path_fault(path):
                faults.append(f"windows.{name}: {path!r} {fault}")
        folder, releases = _parts(self.folder), _parts(self.releases)
        if folder[:1] != releases[:1]:
            faults.append("windows.releases: must lie on the volume of windows.folder: the swap is a rename")
        elif folder[: len(releases)] == releases or releases[: len(folder)] == folder:
            faults.append("windows.releases: must not be windows.folder, lie in it, or hold it")
        faults += [
            f"windows.preserve: {name!r} is no file's name; a file of the folder itself"
            for name in self.preserve
            if not _FILE.fullmatch(name) or name in (".", "..")
        ]
        if not 1 <= self.keep <= 50:
            faults.append(f"windows.keep: {self.keep} is not 1 to 50")
        return faults


def of(
    service: Service,
    vm_ip: str,
    user: str,
    password: SecretStr,
    ca: Path | None = None,
    scheme: Scheme = "https",
) -> Settings:
    """The settings of a catalog's service; `vm_ip` is HOST, HOST:PORT, or [IPV6]:PORT. Raises InputError."""
    host, port = address(vm_ip, scheme)
    windows = service.windows
    root = f"C:\\prodgy\\{service.name}"
    if windows.health is None and service.port is None:
        raise InputError(
            f"services.{service.name}: the machine cannot be asked for its health: set port, or windows.health"
        )
    return Settings(
        host=host,
        port=port,
        scheme=scheme,
        user=user,
        password=password,
        ca=ca,
        service=windows.service or f"prodgy-{service.name}",
        folder=(windows.folder or f"{root}\\current").rstrip("\\"),
        releases=(windows.releases or f"{root}\\releases").rstrip("\\"),
        nssm=windows.nssm,
        health=windows.health or f"http://127.0.0.1:{service.port}{service.health}",
        preserve=windows.preserve,
        keep=windows.keep,
    ).validated()


def address(vm_ip: str, scheme: Scheme = "https") -> tuple[str, int]:
    """Host and port; raises InputError for what is none."""
    text = vm_ip.strip()
    if "://" in text or "/" in text:
        raise InputError(f"VM_IP: {vm_ip!r} must be a host or HOST:PORT, without a scheme and a path")
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise InputError(f"VM_IP: {vm_ip!r} is no address; write [ADDRESS]:PORT")
        port = rest[1:] if rest else None
    elif text.count(":") > 1:  # an IPv6 address alone
        host, port = text, None
    else:
        host, colon, rest = text.partition(":")
        port = rest if colon else None
    if port is None:
        return host, PORTS[scheme]
    if not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
        raise InputError(f"VM_IP: {port!r} is no port; 1 to 65535")
    return host, int(port)


def _parts(path: str) -> list[str]:
    """As Windows compares them."""
    return [part.casefold() for part in path.split("\\")]


def _path_fault(path: str) -> str | None:
    if not re.match(r"[A-Za-z]:\\[^\\]", path):
        return r"is no path such as C:\prodgy\api, or is a volume's root"
    if any(part in ("", ".", "..") or part[-1] in " ." for part in path.split("\\")[1:]):
        return "has an empty part, or one that is or ends in a dot or a space"
    if _FOR_CMD.search(path) or re.search(r"[/:*?<>|]", path[2:]):
        return "has a character that a path cannot have here"
    return None
