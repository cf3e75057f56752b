"""What goes wrong, by script."""

import re
from dataclasses import dataclass
from typing import Literal

from prodgy_ci.deploy.windows_vm.parameters import STEPS

Kind = Literal[
    "cut",  # the connection ends, and nothing was done; at a step: the machine loses power
    "lost",  # it is done, then the connection ends; at a step: the script goes on without the client
    "hang",  # nothing is answered for `seconds`; at a step: the script waits so long
    "kill",  # at a step: the script ends there, without a word
    "error",  # an HTTP 500 that is no fault; at a step: the step fails
    "wrong",  # an answer that is none; at step:answer: a last line that is none
    "wrong-hash",  # at send: a byte arrives changed
    "fault-2150858793",  # no output within the operation's time
    "busy-170",
    "max-operations",
    "no-shell",  # the shell is gone
]

ACTIONS = ("create", "command", "send", "receive", "signal", "delete")
HALVES = ("swap.half", "swap.done", "undo.half", "answer")
"""Between a step's name and the next one's: after the first rename, after both, and when all but the answer is done."""
PLACES = (*ACTIONS, *(f"step:{step}" for step in (*STEPS, *HALVES)))


@dataclass
class Fault:
    """Meets what comes to a place, `times` times, after it was passed `after` times."""

    at: str
    kind: Kind
    times: int = 1
    after: int = 0
    seconds: float = 3600.0
    matching: str = ""
    """Searched for in the command line (a regular expression)."""
    seen: int = 0


class Faults(list[Fault]):
    """The scripted faults."""

    def add(self, fault: Fault) -> Fault:
        assert fault.at in PLACES, f"{fault.at} is none of {', '.join(PLACES)}"
        self.append(fault)
        return fault

    def take(self, at: str, line: str) -> Fault | None:
        """The fault that meets this place now, if any."""
        for fault in self:
            if fault.at == at and re.search(fault.matching, line):
                fault.seen += 1
                if fault.after < fault.seen <= fault.after + fault.times:
                    return fault
        return None
