"""Whether Azure is ready for a deployment: the token, the resource group, and each app as a deployment needs it."""

import base64
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from pydantic import SecretStr

from ..errors import ProdgyError
from .model import Check, Finding

App = Mapping[str, Any]
Ask = Callable[[], Awaitable[App | None]]

GROUP = "Azure resource group"
SHORTEST, SHORT = 15 * 60, 30 * 60
"""Seconds of life under which a token does not last for a deployment, and may not."""


class Resources(Protocol):
    """What is asked of Azure Resource Manager. Both may raise ProdgyError."""

    async def app(self, name: str) -> App | None:
        """A container app as Azure tells it; None where there is none."""
        ...

    async def resource_group(self) -> bool:
        """Whether the resource group is there."""
        ...


_LOGIN = "az account get-access-token --resource https://management.azure.com/ --query accessToken -o tsv"


def token_life(token: SecretStr | None, now: Callable[[], float] = time.time) -> Check:
    """The check of how long the token for Azure lasts."""

    async def look() -> Finding:
        if token is None or not token.get_secret_value():
            return Finding("failed", "no token for Azure", f"give the output of: {_LOGIN}")
        if (end := _expiry(token)) is None:
            return Finding("warning", "the token does not tell when it ends", f"take one from: {_LOGIN}")
        left = end - now()
        if left < SHORTEST:
            ended = f"ended {-left / 60:.0f} min ago" if left <= 0 else f"ends in {left / 60:.0f} min"
            return Finding("failed", f"the token {ended}", f"take a new one: {_LOGIN}")
        lasts = f"the token lasts for {left / 60:.0f} min"
        return Finding("passed", lasts) if left >= SHORT else Finding("warning", lasts, f"take a new one: {_LOGIN}")

    return Check("Azure token", look, needs_network=False)


def _expiry(token: SecretStr) -> float | None:
    try:
        body = token.get_secret_value().split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
    except (LookupError, TypeError, ValueError):
        return None


def resource_group(name: str, ask: Callable[[], Awaitable[bool]], variable: str) -> Check:
    """The check that the resource group is there; `variable` says which variable of which group names it."""

    async def look() -> Finding:
        mend = f"mend {variable} or the token's rights, or: az group create --name {name} --location LOCATION"
        try:
            if await ask():
                return Finding("passed", f"{name} is there")
        except ProdgyError as error:
            return Finding("failed", str(error), mend)
        return Finding("failed", f"there is no resource group {name} that the token may see", mend)

    return Check(GROUP, look)


def app(
    service: str,
    name: str,
    group: str,
    registry: str,
    variable: str,
    ask: Ask,
    has_group: Callable[[], Awaitable[bool]],
) -> list[Check]:
    """Three checks of a service's container app: there, in multiple-revision mode, with a right to pull images."""

    async def there() -> Finding:
        if await ask() is not None:
            return Finding("passed", f"{name} is there")
        if not await has_group():
            return Finding("not applicable", f"not looked at, since `{GROUP}` failed")
        mend = f"mend {variable}, or create the app {name}"
        return Finding("failed", f"{group} has no container app {name}", mend)

    def of_app(judge: Callable[[App], Finding]) -> Callable[[], Awaitable[Finding]]:
        async def look() -> Finding:
            found = await ask()
            return judge(found) if found is not None else Finding("not applicable", f"there is no container app {name}")

        return look

    return [
        Check(f"container app of {service}", there),
        Check(f"revision mode of {service}", of_app(lambda found: revision_mode(found, name, group))),
        Check(f"image pull of {service}", of_app(lambda found: image_pull(found, name, group, registry))),
    ]


def revision_mode(app: App, name: str, group: str) -> Finding:
    """Whether the app can serve one revision while the next is tried."""
    mode = str(_configuration(app).get("activeRevisionsMode") or "Single")
    if mode.lower() == "multiple":
        return Finding("passed", f"{name} is in multiple-revision mode")
    mend = f"az containerapp revision set-mode --name {name} --resource-group {group} --mode multiple"
    return Finding("failed", f"{name} is in the mode {mode}, not multiple", mend)


def image_pull(app: App, name: str, group: str, registry: str) -> Finding:
    """Whether the app has an identity or a login for the registry. The identity's role is not seen from here."""
    if not registry:
        return Finding("not applicable", "registryLoginServer is not known")
    set_up = (
        f"az containerapp registry set --name {name} --resource-group {group} --server {registry} --identity system"
    )
    entries = _configuration(app).get("registries") or []
    entry = next((e for e in entries if str(e.get("server", "")).lower() == registry.lower()), None)
    if entry is None:
        others = ", ".join(str(e.get("server")) for e in entries) or "none"
        return Finding("failed", f"{name} has no login for {registry}; it has: {others}", set_up)
    if identity := str(entry.get("identity") or ""):
        if identity.lower() == "system-environment" or _has_identity(app, identity):
            return Finding("passed", f"{name} pulls from {registry} as {identity.rpartition('/')[2]}")
        return Finding("failed", f"{name} is to pull as {identity.rpartition('/')[2]}, which it does not have", set_up)
    secrets = {secret.get("name") for secret in _configuration(app).get("secrets") or []}
    if entry.get("username") and entry.get("passwordSecretRef") in secrets:
        return Finding("passed", f"{name} pulls from {registry} as {entry['username']} with a password")
    return Finding("failed", f"{name} has neither an identity nor a password for {registry}", set_up)


def _has_identity(app: App, identity: str) -> bool:
    own = app.get("identity") or {}
    if identity.lower() == "system":
        return "systemassigned" in str(own.get("type", "")).lower()
    return identity.lower() in {str(key).lower() for key in own.get("userAssignedIdentities") or {}}


def _configuration(app: App) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (app.get("properties") or {}).get("configuration") or {}
    return found
