"""HealthcheckConfig: the command by which a service tells that it is ready, in the place of its ports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..errors import DaggerPodmanError
from ..fields import computed, field
from ..session import Session
from ..state import Container, Healthcheck

NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}


def _nanoseconds(text: str) -> int:
    """`1m30s`, `1.5s`, `500ms` (pkg.go.dev/time#ParseDuration)."""
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(h|ms|m|s|us|µs|ns)", text)
    if text == "0":
        return 0
    if "".join(map("".join, parts)) != text.removeprefix("+") or not text:
        raise DaggerPodmanError(f"time: invalid duration {text!r}; give one like 30s or 1m30s")
    return round(sum(float(number) * NANOSECONDS[unit] for number, unit in parts))


def _text(nanoseconds: int) -> str:
    """As Go prints a duration: `1m30s`, `500ms`, `0s`."""
    if nanoseconds < 10**9:
        unit = next((u for u in ("ms", "µs", "ns") if nanoseconds >= NANOSECONDS[u]), "s")
        return f"{nanoseconds / NANOSECONDS[unit]:.9g}{unit}"
    minutes, rest = divmod(nanoseconds, NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest / 10**9:.12g}s"


@field("Container")
async def with_docker_healthcheck(
    _: Session,
    c: Container,
    args: Sequence[str],
    shell: bool = False,
    timeout: str = "0s",
    interval: str = "0s",
    start_period: str = "0s",
    start_interval: str = "0s",
    retries: int = 0,
) -> Container:
    if shell and len(args) != 1:
        raise DaggerPodmanError("WithHealthcheck args must be a single element when shell mode is set")
    if not args:
        raise DaggerPodmanError("WithHealthcheck args is missing")
    interval_, timeout_, start, pause = map(_nanoseconds, (interval, timeout, start_period, start_interval))
    test = ("CMD-SHELL" if shell else "CMD", *args)
    return replace(c, healthcheck=Healthcheck(test, interval_, timeout_, start, pause, retries))


computed(
    "Container",
    note="that of an image is known if the image is in Docker's format",
    dockerHealthcheck=lambda c: c.healthcheck if c.healthcheck and c.healthcheck.command else None,
)
computed("Container", withoutDockerHealthcheck=lambda c: replace(c, healthcheck=None))
computed(  # noqa: S604 - a field of that name, no shell
    "HealthcheckConfig",
    args=lambda h: list(h.test[1:]),
    interval=lambda h: _text(h.interval),
    retries=lambda h: h.retries,
    startInterval=lambda h: _text(h.start_interval),
    startPeriod=lambda h: _text(h.start_period),
    timeout=lambda h: _text(h.timeout),
    shell=lambda h: h.test[0] == "CMD-SHELL",
)
