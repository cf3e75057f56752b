"""WinRM's shells: what each action does, apart from how it is asked for."""

import base64
import re
import threading
import traceback
import uuid
from dataclasses import dataclass, field

from .machine import Machine
from .process import Killed, Process
from .receiver import Failed, Filter
from .script import Script

LONGEST_LINE = 8191
"""Of cmd.exe, through which a command goes."""


class Refused(Exception):
    """A fault of WinRM's, by its code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass
class Command:
    """A process, and what takes its standard input."""

    process: Process
    filter: Filter | None = None
    rest: bytes = b""
    closed: bool = False


@dataclass
class Shells:
    """All of a machine's."""

    machine: Machine
    _shells: dict[str, dict[str, Command]] = field(default_factory=dict)

    def create(self) -> str:
        name = str(uuid.uuid4()).upper()
        self._shells[name] = {}
        return name

    def delete(self, shell: str) -> None:
        for command in self._in(shell).values():
            command.process.kill()
        del self._shells[shell]

    def forget(self, shell: str) -> None:
        """As if it had never been: power was lost."""
        self._shells.pop(shell, None)

    def command(self, shell: str, line: str) -> str:
        """Starts a process; returns its id."""
        commands = self._in(shell)
        name = str(uuid.uuid4()).upper()
        command = commands[name] = Command(Process(line, self.machine.faults))
        self.machine.processes.append(command.process)
        self._start(command, line)
        return name

    def find(self, shell: str, command: str) -> Command:
        commands = self._in(shell)
        if command not in commands:
            raise Refused(2150858819, "The command identifier is not known.")
        return commands[command]

    def send(self, command: Command, data: bytes, end: bool) -> None:
        """Standard input; raises Refused where nobody reads it any more."""
        process = command.process
        if command.closed or process.code is not None or command.filter is None:
            raise Refused(109, "The pipe has been ended.")
        command.closed = end
        *lines, command.rest = (command.rest + data).split(b"\r\n")
        try:
            for line in [*lines, command.rest] if end else lines:
                command.filter.line(line)
            if end:
                process.write(command.filter.end())
                process.end(0)
        except (Failed, ValueError, KeyError) as error:
            process.end(1, str(error))

    def signal(self, command: Command) -> None:
        """Ends it."""
        command.process.kill()
        if command.filter is not None:
            command.process.end(1)

    def _in(self, shell: str) -> dict[str, Command]:
        if shell not in self._shells:
            raise Refused(2150858843, f"The shell was not found on the server: {shell}")
        return self._shells[shell]

    def _start(self, command: Command, line: str) -> None:
        process = command.process
        if len(line) > LONGEST_LINE:
            process.end(1, "The command line is too long.\r\n")
        elif encoded := re.search(r"-EncodedCommand (\S+)", line):
            text = base64.b64decode(encoded[1]).decode("utf-16-le")
            models = [model for word, model in self.machine.receivers.items() if word in text]
            if models:
                command.filter = models[0](self.machine.disk)
            else:
                process.end(1, "no model of this script\r\n")
        elif found := re.search(r'-File ("[^"]+"|\S+) -Mode (\w+) -Parameters ("[^"]+"|\S+)$', line):
            arguments = (process, found[1].strip('"'), found[2], found[3].strip('"'))
            threading.Thread(target=self._run, args=arguments, daemon=True).start()
        elif line.split()[0] == "echo":
            process.write(line.partition(" ")[2] + "\r\n")
            process.end(0)
        else:
            process.end(1, f"'{line.split()[0]}' is not recognized as an internal or external command.\r\n")

    def _run(self, process: Process, program: str, mode: str, parameters: str) -> None:
        code = -1
        error = ""
        try:
            if program not in self.machine.disk:
                code, error = -196608, f"The argument '{program}' to the -File parameter does not exist.\r\n"
            else:
                code = Script(self.machine, process, mode, parameters).run()
        except Killed:
            pass
        except BaseException:
            self.machine.errors.append(traceback.format_exc())
        process.end(code, error)
