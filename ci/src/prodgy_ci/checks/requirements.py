"""Whether an app has in its environment what it needs there to start."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from .model import Check, Finding
from .variables import fault

State = Literal["set", "empty", "placeholder", "secret", "secret missing"]
"""A value, none, one that cannot be one; a reference to a secret of the app, to one that the app does not have."""

_WRONG: Mapping[State, str] = {
    "empty": "is empty",
    "placeholder": "holds a placeholder or a macro",
    "secret missing": "refers to a secret that the app does not have",
}


def live(app: Mapping[str, Any], container: str) -> dict[str, State]:
    """The environment of an app as Azure Resource Manager tells it, without values.

    The container is the one that a deployment gave a revision to, else the one of that name, else the first.
    """
    properties = app.get("properties") or {}
    secrets = {secret.get("name") for secret in (properties.get("configuration") or {}).get("secrets") or []}
    containers = (properties.get("template") or {}).get("containers") or [{}]
    deployed = [c for c in containers if any(e.get("name") == "PRODGY_REVISION" for e in c.get("env") or [])]
    named = [c for c in containers if c.get("name") == container]
    chosen = (deployed + named + containers)[0] if len(deployed) < 2 else (named + deployed)[0]
    return {str(entry.get("name")): _state(entry, secrets) for entry in chosen.get("env") or []}


def _state(entry: Mapping[str, Any], secrets: set[Any]) -> State:
    if entry.get("secretRef"):
        return "secret" if entry["secretRef"] in secrets else "secret missing"
    value = entry.get("value") or ""  # an empty value is left out of the answer
    if not value.strip():
        return "empty"
    return "placeholder" if fault(value) else "set"


def judge(service: str, requires: Sequence[str], environment: Mapping[str, State], app: str, group: str) -> Finding:
    """What of that which a service requires is not in its environment."""
    why = {name: _WRONG.get(environment[name]) if name in environment else "is not there" for name in requires}
    wrong = {name: words for name, words in why.items() if words}
    if not wrong:
        return Finding("passed", f"{len(requires)} required: {', '.join(requires)}")
    settings = " ".join(f"{name}=VALUE" for name in wrong)
    return Finding(
        "failed",
        "; ".join(f"{name} {words}" for name, words in wrong.items()) + f" in the live template of {app}",
        f"az containerapp update --name {app} --resource-group {group} --set-env-vars {settings}"
        " (NAME=secretref:SECRET for a secret)",
    )


def check(
    service: str,
    requires: Sequence[str],
    app: str,
    group: str,
    ask: Callable[[], Awaitable[Mapping[str, Any] | None]],
) -> Check:
    """The check of one service; `ask` tells its app, None where there is none."""

    async def look() -> Finding:
        if not requires:
            return Finding("not applicable", f"the catalog says of nothing that {service} requires it")
        if (found := await ask()) is None:
            return Finding("not applicable", f"there is no container app {app}")
        return judge(service, requires, live(found, service), app, group)

    return Check(f"environment of {service}", look)
