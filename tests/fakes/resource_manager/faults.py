"""What goes wrong, by script."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["fail", "cut", "lose", "hang", "lie"]


@dataclass
class Fault:
    """One thing that goes wrong with the requests that match, `times` times."""

    kind: Kind
    method: str | None = None
    app: str | None = None
    path: str = ""
    """A regular expression, searched for in the path."""
    body: str = ""
    """Text that the request's body holds, such as `"template"` or `"traffic"`."""
    after: int = 0
    """So many matching requests pass first."""
    times: int = 1
    status: int = 500
    code: str = "InternalServerError"
    message: str = "injected"
    headers: dict[str, str] = field(default_factory=dict)
    answer: Any = None
    seconds: float = 60.0
    done: bool = False
    """hang: whether it hangs after the change was made."""
    seen: int = 0

    def matches(self, method: str, path: str, app: str | None, body: str) -> bool:
        return (
            self.method in (None, method)
            and self.app in (None, app)
            and re.search(self.path, path) is not None
            and self.body in body
        )


class Faults(list[Fault]):
    """The scripted faults."""

    def take(self, method: str, path: str, app: str | None, body: str) -> Fault | None:
        """The fault that meets this request, if any."""
        for fault in self:
            if fault.matches(method, path, app, body):
                fault.seen += 1
                if fault.after < fault.seen <= fault.after + fault.times:
                    return fault
        return None
