"""A model of deploy.ps1: the same steps in the same order, the same journal, lock and exit codes, on the model's disk."""

import contextlib
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

from prodgy_ci.deploy.windows_vm.parameters import EXIT_CODES, STEPS

from .disk import Disk, name
from .machine import Machine
from .nssm import Clock, Service
from .process import Process

Journal = dict[str, Any]


class Stop(Exception):
    """Ends the script with an exit code."""

    def __init__(self, code: int, message: str) -> None:
        assert code in EXIT_CODES
        super().__init__(message)
        self.code = code


class Script:
    """One run."""

    def __init__(self, machine: Machine, process: Process, mode: str, parameters: str) -> None:
        self.machine, self.process, self.mode = machine, process, mode
        self.disk: Disk = machine.disk
        self.clock: Clock = machine.clock
        self.p: dict[str, Any] = json.loads(machine.disk[parameters])
        self.folder, self.releases = self.p["folder"], self.p["releases"]
        self.own = f"{self.releases}\\.prodgy"
        self.journal_path = f"{self.own}\\deploy.state.json"
        self.lock_path = f"{self.own}\\deploy.lock"

    def run(self) -> int:
        """Runs it; returns its exit code."""
        try:
            result = self.status() if self.mode == "Status" else self._changing()
            code = 0
        except Exception as error:  # the script's own catch
            code = error.code if isinstance(error, Stop) else 1
            result = {"result": "failed", "exit": code, "error": str(error), "at": 1}
        finally:
            self.machine.unlock(self.process)
        try:
            if self.process.point("step:answer") == "wrong":
                self.process.write("Out of memory\r\n")
                return code
        except Exception:  # of the very last line: nothing is written
            return 1
        self._write(result)
        return code

    def _changing(self) -> dict[str, Any]:
        self.check()
        self.enter_lock()
        self.repair()
        modes: dict[str, Callable[[], str]] = {
            "Stage": self.stage,
            "Switch": self.switch,
            "Rollback": self.rollback,
            "Discard": self.discard,
            "Deploy": lambda: self.switch() if (staged := self.stage()) == "staged" else staged,
        }
        return {"result": modes[self.mode](), "release": self.p["release"]}

    # words and files

    def _write(self, value: dict[str, Any]) -> None:
        self.process.write(json.dumps(value, separators=(",", ":")) + "\r\n")

    def say(self, step: str, msg: str, level: str = "info") -> None:
        """A line, and the place where faults meet the step; what nssm said is no step."""
        assert step in STEPS, step
        self._write({"ts": _time(self.clock.now()), "step": step, "level": level, "msg": msg})
        if level in ("info", "error", "warning") and not msg.startswith("nssm "):
            self.process.point(f"step:{step}")

    def read(self, path: str) -> dict[str, Any] | None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            found = json.loads(self.disk[path])
            return found if isinstance(found, dict) else None
        return None

    def save(self, path: str, value: dict[str, Any]) -> None:
        self.disk[path] = json.dumps(value).encode()

    def move(self, old: str, new: str) -> None:
        """Ten attempts: virus scanners hold files for moments."""
        for attempt in range(1, 11):
            try:
                self.disk.rename(old, new)
                return
            except OSError:
                if attempt == 10:
                    raise
                self.clock.sleep(0.5)

    def remove(self, path: str) -> None:
        assert path.casefold().startswith(f"{self.releases}\\".casefold()), f"{path} is not to be removed"
        self.disk.delete(path)

    # what is there

    @property
    def service(self) -> Service | None:
        service = self.machine.service
        return service if service.exists and service.name == self.p["service"] else None

    def state(self) -> str | None:
        return self.service.state if self.service else None

    def nssm(self, verb: str) -> None:
        assert self.service
        code, words = self.service.nssm(verb)
        self.say(verb, f"nssm {verb}: exit {code} {words}")

    def unhealthy(self, commit: str | None) -> str | None:
        return self.service.unhealthy(commit) if self.service else "there is no service"

    def release(self, path: str) -> dict[str, Any] | None:
        if not self.disk.has_folder(path):
            return None
        record = self.read(f"{path}\\deployment.json") or {}
        commit = record.get("commit") or (self.read(f"{path}\\release.json") or {}).get("commit")
        unmanaged = f"unmanaged-{self.disk.created(path):%Y%m%d%H%M%S}"
        found = {"release": record.get("release") or unmanaged, "commit": commit}
        return {**found, "digest": record.get("digest"), "since": record.get("since")}

    def live(self) -> str | None:
        found = self.release(self.folder)
        return found["release"] if found else None

    def former(self) -> list[dict[str, Any]]:
        """The newest first."""
        live, found = self.live(), []
        for path in self.disk.folders(self.releases):
            if not name(path).startswith(".") and not path.endswith(".new") and name(path) != live:
                found.append(self.release(path) or {})
        return sorted(found, key=lambda one: one["since"] or "", reverse=True)

    def journal(self) -> Journal | None:
        return self.read(self.journal_path)

    def at(self, journal: Journal, step: str) -> None:
        journal["step"] = step
        self.save(self.journal_path, journal)

    def stopped_mark(self, release: str) -> str:
        return f"{self.own}\\stopped-{release}"

    # the steps

    def check(self) -> None:
        self.say("preflight", f"Windows PowerShell 5.1 on {self.machine.computer}")
        faults = []
        if not self.machine.administrator:
            faults.append("the user has no administrator rights over WinRM (LocalAccountTokenFilterPolicy)")
        if self.p["nssm"] not in self.disk:
            faults.append(f"there is no {self.p['nssm']}")
        if self.service is None:
            faults.append(f"there is no service {self.p['service']}")
        elif self.service.folder.casefold() != self.folder.casefold():
            faults.append(f"NSSM does not run the service {self.p['service']} with a program of {self.folder}")
        if not self.disk.has_folder(self.folder) and self.journal() is None:
            faults.append(f"there is no folder {self.folder}")
        if faults:
            raise Stop(10, "; ".join(faults))

    def enter_lock(self) -> None:
        self.disk.make_folder(self.own)
        for _ in range(20):  # the script itself waits three seconds
            if self.machine.lock(self.process):
                self.disk[self.lock_path] = b""
                self.say("lock", "held")
                return
            time.sleep(0.01)
        raise Stop(11, f"{self.lock_path}: the process cannot access the file: another process uses it")

    def stop_program(self) -> bool:
        until = self.clock.seconds + self.p["stopSeconds"]
        if self.state() != "Stopped":
            self.nssm("stop")
        while self.state() != "Stopped":
            if self.clock.seconds > until:
                return False
            self.clock.sleep(0.25)
        return True

    def start_program(self, commit: str | None) -> None:
        """Raises unless it starts, goes on running, and is healthy."""
        assert self.service
        self.nssm("start")
        until = self.clock.seconds + self.p["startSeconds"]
        while (state := self.state()) != "Running":
            if state == "Paused":
                raise Exception("the program ended at once: the service is Paused")
            if self.clock.seconds > until:
                raise Exception(f"the service is {state} after {self.p['startSeconds']} s")
            self.clock.sleep(0.25)
        self.say("stable", f"must go on running for {self.p['stableSeconds']} s")
        ids, until = self.service.program_ids(), self.clock.seconds + self.p["stableSeconds"]
        while self.clock.seconds < until:
            self.clock.sleep(0.5)
            if self.state() != "Running":
                raise Exception(f"the program ended: the service is {self.state()}")
            if ids != self.service.program_ids():
                raise Exception("the program ended and was started again")
        self.say("health", f"asking {self.p['healthUrl']}")
        until = self.clock.seconds + self.p["healthSeconds"]
        while why := self.unhealthy(commit):
            if self.state() != "Running":
                raise Exception(f"the program ended: the service is {self.state()}")
            if self.clock.seconds > until:
                raise Exception(f"not healthy after {self.p['healthSeconds']} s: {why}")
            self.clock.sleep(1)

    def restore(self, journal: Journal) -> bool:
        """Puts the former release back, from what lies on the disk; whether it is healthy then."""
        if self.disk.has_folder(journal["parked"]):
            if self.disk.has_folder(self.folder):
                if not self.stop_program():
                    raise Exception(f"the service does not stop; the former release lies in {journal['parked']}")
                self.move(self.folder, journal["source"])
            self.process.point("step:undo.half")
            self.move(journal["parked"], self.folder)
        self.disk.delete(self.stopped_mark(journal["former"]))
        healthy = True
        if not journal["running"]:
            healthy = self.stop_program()
        else:
            try:
                self.start_program(None)
            except Exception as error:
                healthy = False
                self.say("undo", f"the former release: {error}", "error")
        self.disk.delete(self.journal_path)
        return healthy

    def repair(self) -> None:
        journal = self.journal()
        if journal is None:
            return
        broken = f"a run was broken off at {journal['step']} of {journal['release']}: putting back {journal['former']}"
        self.say("repair", broken, "warning")
        try:
            self.restore(journal)
        except Exception as error:
            raise Stop(32, str(error)) from None

    def switch_release(self, source: str, commit: str | None, run: bool) -> str:
        """Returns where the former release lies then."""
        live = self.live()
        if self.p["expected"] and live != self.p["expected"]:
            raise Stop(10, f"{live} serves, not {self.p['expected']}: somebody else deployed meanwhile")
        parked = f"{self.releases}\\{live}"
        running = self.state() == "Running"
        journal: Journal = {"step": "", "release": self.p["release"], "source": source}
        journal |= {"former": live, "parked": parked, "running": running}
        self.remove(parked)
        if running:
            self.disk.delete(self.stopped_mark(str(live)))
        else:
            self.disk[self.stopped_mark(str(live))] = b""
        if record := self.read(f"{source}\\deployment.json"):
            self.save(f"{source}\\deployment.json", {**record, "since": _time(self.clock.now())})
        try:
            self._swap(journal, commit, run)
        except Exception as error:
            self._undo(journal, str(error))
        return parked

    def _swap(self, journal: Journal, commit: str | None, run: bool) -> None:
        self.at(journal, "stop")
        self.say("stop", f"stopping {self.p['service']}, which serves {journal['former']}")
        if not self.stop_program():
            raise Stop(20, f"the service is {self.state()} after {self.p['stopSeconds']} s")
        self.at(journal, "swap")
        self.say("swap", f"{self.folder} becomes {journal['release']}")
        self.move(self.folder, journal["parked"])
        self.process.point("step:swap.half")
        self.move(journal["source"], self.folder)
        self.process.point("step:swap.done")
        self.at(journal, "start")
        if run:
            self.say("start", f"starting {self.p['service']}")
            self.start_program(commit)
        self.disk.delete(self.journal_path)

    def _undo(self, journal: Journal, why: str) -> None:
        self.say("undo", f"{why}: putting back {journal['former']}", "error")
        if journal["step"] == "start":
            for line in self.machine.service.log:
                self.say("health", f"AppStderr: {line}", "log")
        try:
            healthy = self.restore(journal)
        except Exception as error:
            former = f"former release: {journal['parked']}, to lie in {self.folder}"
            raise Stop(32, f"{why}; {error}; {former}") from None
        if not healthy:
            raise Stop(31, why)
        if journal["step"] == "stop":
            raise Stop(20, why)
        raise Stop(30, why)

    def preserve(self, to: str) -> None:
        for file in self.p["preserve"]:
            there = f"{self.folder}\\{file}"
            if there not in self.disk:
                if f"{to}\\{file}" in self.disk:
                    continue  # going back
                raise Stop(10, f"there is no {there}, which a release does not replace: put it there")
            self.disk[f"{to}\\{file}"] = self.disk[there]
            self.say("preserve", file)

    def extract(self, to: str) -> None:
        self.say("extract", f"{self.p['archive']} to {to}")
        self.disk.make_folder(to)
        with zipfile.ZipFile(io.BytesIO(self.disk[self.p["archive"]])) as archive:
            for entry in archive.infolist():
                parts = entry.filename.split("/")
                if ".." in parts or "" in parts[:1] or ":" in entry.filename or "\\" in entry.filename:
                    raise Stop(12, f"the archive holds '{entry.filename}', which leads out of it")
                if entry.filename in self.p["preserve"]:
                    raise Stop(12, f"the archive holds {entry.filename}, which is the machine's own")
                if not entry.is_dir():
                    self.disk["\\".join([to, *parts])] = archive.read(entry)

    # the modes

    @property
    def staged_path(self) -> str:
        return f"{self.releases}\\{self.p['release']}.new"

    def is_staged(self, path: str) -> bool:
        return f"{path}\\deployment.json" in self.disk

    def stage(self) -> str:
        release, archive = self.p["release"], self.p["archive"]
        if self.live() == release and self.state() == "Running" and not self.unhealthy(self.p["commit"]):
            return "unchanged"
        self.say("verify", archive)
        if archive not in self.disk:
            raise Stop(12, f"there is no {archive}")
        needed = 3 * len(self.disk[archive])
        if self.disk.free < needed:
            raise Stop(10, f"{self.disk.free} bytes are free on the disk, {needed} are needed")
        found = hashlib.sha256(self.disk[archive]).hexdigest()
        if found != self.p["sha256"]:
            raise Stop(12, f"its SHA-256 is {found}, not {self.p['sha256']}")
        for path in self.disk.folders(self.releases):
            if path.endswith(".new"):
                self.remove(path)
        try:
            self.extract(self.staged_path)
            self.preserve(self.staged_path)
        except Exception:
            self.remove(self.staged_path)
            raise
        record = {name: self.p[name] for name in ("release", "commit", "digest", "sha256")}
        self.save(f"{self.staged_path}\\deployment.json", {**record, "since": None})
        return "staged"

    def switch(self) -> str:
        if not self.is_staged(self.staged_path):
            if self.live() == self.p["release"]:
                return "unchanged"
            raise Stop(10, f"{self.p['release']} is not staged")
        self.prune(self.switch_release(self.staged_path, self.p["commit"], True))
        return "switched"

    def rollback(self) -> str:
        release = self.p["release"]
        run = self.stopped_mark(release) not in self.disk
        if self.live() == release:
            if run and (self.state() != "Running" or self.unhealthy(None)):
                self.say("start", f"{release} lies in {self.folder} and is not healthy: starting it anew", "warning")
                if not self.stop_program():
                    raise Stop(31, f"the service is {self.state()}")
                try:
                    self.start_program(None)
                except Exception as error:
                    raise Stop(31, str(error)) from None
            return "unchanged"
        former = f"{self.releases}\\{release}"
        if not self.disk.has_folder(former):
            raise Stop(10, f"the release {release} is not kept")
        self.preserve(former)
        self.prune(self.switch_release(former, (self.release(former) or {})["commit"], run))
        return "switched"

    def discard(self) -> str:
        self.say("discard", self.p["release"])
        self.remove(self.staged_path)
        if self.live() != self.p["release"]:
            self.remove(f"{self.releases}\\{self.p['release']}")
        self._remove_archives()
        return "discarded"

    def prune(self, parked: str) -> None:
        try:
            kept = [one for one in self.former() if f"{self.releases}\\{one['release']}" != parked]
            for old in kept[max(0, self.p["keep"] - 1) :]:
                self.say("prune", old["release"])
                self.remove(f"{self.releases}\\{old['release']}")
            self._remove_archives()
        except Exception as error:
            self.say("prune", str(error), "warning")

    def _remove_archives(self) -> None:
        for path in self.disk.files(self.own):
            if ".zip" in name(path):
                self.disk.delete(path)

    def status(self) -> dict[str, Any]:
        live = self.release(self.folder) or dict.fromkeys(("release", "commit", "digest", "since"))
        staged = [path for path in self.disk.folders(self.releases) if path.endswith(".new") and self.is_staged(path)]
        journal = self.journal()
        return {
            "result": "status",
            **live,
            "service": self.state(),
            "healthy": self.state() == "Running" and not self.unhealthy(live["commit"]),
            "staged": name(staged[0]).removesuffix(".new") if staged else None,
            "former": self.former(),
            "journal": journal["step"] if journal else None,
            "busy": self.machine.busy,
            "computer": self.machine.computer,
            "administrator": self.machine.administrator,
            "nssm": self.service is not None and self.service.folder.casefold() == self.folder.casefold(),
            "freeBytes": self.disk.free,
        }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
