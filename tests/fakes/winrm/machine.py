"""The Windows machine: its disk, its service, its users, and what tests may change of it."""

import threading
from pathlib import Path

from .disk import Disk
from .faults import Fault, Faults, Kind
from .nssm import Clock, Service
from .process import Process
from .receiver import Filter, Receiver

USER, PASSWORD = "deployer", "canary-vm-4c1e"
ROOT = "C:\\prodgy\\assistant"
SERVICE = "prodgy-assistant"
NSSM = "C:\\nssm\\nssm.exe"


class Machine:
    """A running one. Its fields are read when requests come: tests change them at any time."""

    def __init__(self, folder: Path, service: str = SERVICE, root: str = ROOT, delay: float = 0.0) -> None:
        self.host, self.port = "127.0.0.1", 0
        self.user, self.password = USER, PASSWORD
        self.ca: Path | None = None
        self.files = folder
        self.delay = delay
        """Seconds that each request takes before it is looked at."""
        self.patience = 20.0
        """How long Receive waits at most for output, also where more is asked for."""
        self.computer = "VM-1"
        self.administrator = True
        self.clock = Clock()
        self.disk = Disk(self.clock.now)
        self.service = Service(self.clock, self.disk, service, f"{root}\\current")
        self.disk.in_use = self.service.uses
        self.requests: list[str] = []
        """The actions so far; a Command with its line."""
        self.handshakes = 0
        self.errors: list[str] = []
        """Faults of this model itself."""
        self.faults = Faults()
        self.receivers: dict[str, type[Filter]] = {"TransformFinalBlock": Receiver}
        """What models an encoded command, by a word of it."""
        self.processes: list[Process] = []
        self._owner: Process | None = None
        self._mutex = threading.RLock()
        self.disk[NSSM] = b"MZ"
        self.disk.make_folder(f"{root}\\releases")

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def install(self, files: dict[str, bytes] | None = None) -> None:
        """Puts a release there by hand, as it was before the first deployment, and starts it."""
        found = files or {"Prodgy.Assistant.exe": b"MZ", "appsettings.Production.json": b'{"secret": "of the machine"}'}
        for name, content in found.items():
            self.disk[f"{self.service.folder}\\{name}"] = content
        self.service.nssm("start")
        self.clock.sleep(self.service.ready_seconds)

    def fault(self, at: str, kind: Kind, times: int = 1, after: int = 0, **more: object) -> Fault:
        """Scripts a fault: at an action ("send") or a step ("step:swap"); `faults.py` says what there is."""
        return self.faults.add(Fault(at, kind, times, after, **more))  # type: ignore[arg-type]

    def kill_all(self) -> None:
        """What runs ends where it is: power was lost, or WinRM closed a shell that nobody asked for any more."""
        for process in self.processes:
            process.kill()

    def lock(self, process: Process) -> bool:
        """Takes the lock of deployments, which ends with who has it."""
        with self._mutex:
            if self._owner is None or self._owner.code is not None:
                self._owner = process
            return self._owner is process

    def unlock(self, process: Process) -> None:
        with self._mutex:
            if self._owner is process:
                self._owner = None

    @property
    def busy(self) -> bool:
        with self._mutex:
            return self._owner is not None and self._owner.code is None
