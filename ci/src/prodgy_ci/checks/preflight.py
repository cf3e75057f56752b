"""The checklist before a deployment: from what is known of an environment to its checks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..catalog.checklists import ChecksSettings, Tls
from ..errors import ProdgyError
from . import azure, cors, dns, requirements, tls, tokens, variables, windows
from .model import Check, Finding
from .parts import once
from .secrets_file import DATABASE_URL, REDIS_URL


@dataclass(frozen=True)
class App:
    """A service's container app."""

    service: str
    name: str
    variable: str
    """Which variable of the group names it."""
    requires: tuple[str, ...] = ()
    """What the catalog says that it needs in its environment."""


@dataclass(frozen=True)
class Azure:
    """Where the container apps are."""

    resource_group: str
    registry: str
    """The host that images are pulled from."""
    token: SecretStr | None = None
    resources: azure.Resources | None = None
    apps: tuple[App, ...] = ()


@dataclass(frozen=True)
class Machine:
    """The Windows VM."""

    host: str
    user: str
    service: str
    ask: windows.Ask
    needed_bytes: int = windows.GIGABYTE


@dataclass(frozen=True)
class Api:
    """Where the API is for browsers, and from where they may call it."""

    url: str
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """An environment before a deployment. What is None or empty is told as not applicable."""

    environment: str
    group: str
    """Its variable group."""
    names: tuple[str, ...] = ()
    """The variables that the group must have."""
    values: Mapping[str, str | SecretStr] = field(default_factory=dict)
    """What came of the group, as it came: also empty, or with macros."""
    secrets: Mapping[str, SecretStr] | None = None
    """What --check-secrets holds; None where it was not given."""
    others: tokens.Fingerprints | None = None
    public_urls: tuple[str, ...] = ()
    api: Api | None = None
    azure: Azure | None = None
    machine: Machine | None = None
    settings: ChecksSettings = field(default_factory=ChecksSettings)
    ca: Path | None = None
    """A private certificate authority's certificates."""


def checks(subject: Subject) -> list[Check]:
    """Every check of the list, in the list's order."""
    from . import postgres, redis  # here, since their clients would slow the start of every function down

    secrets = f"--check-secrets and in the apps of {subject.environment}"
    given, settings = subject.secrets or {}, subject.settings
    expected = settings.service_tokens if subject.secrets is not None else ()
    return [
        *variables.checks(subject.names, subject.values, subject.group),
        *tokens.checks(expected, given, subject.environment, subject.others, secrets),
        *postgres.checks(given.get(DATABASE_URL), DATABASE_URL, secrets, subject.ca),
        *redis.checks(given.get(REDIS_URL), REDIS_URL, secrets, subject.ca),
        *_names(subject.public_urls, settings.tls, subject.ca),
        *_cors(subject.api, settings, subject.ca),
        *_azure(subject.azure, subject.group),
        *_machine(subject.machine, subject.group),
    ]


def _names(urls: Sequence[str], days: Tls, ca: Path | None) -> list[Check]:
    if not urls:
        return [_absent("public names", "no public URL is known")]
    parts = [urlsplit(url) for url in urls]
    hosts = dict.fromkeys(part.hostname or "" for part in parts)
    encrypted = dict.fromkeys((p.hostname or "", p.port or 443) for p in parts if p.scheme == "https")
    certificates = (
        tls.check(host, host, port, ca, warn=days.warn_days, fail=days.fail_days) for host, port in encrypted
    )
    return [*(dns.check(host) for host in hosts), *certificates]


def _cors(api: Api | None, settings: ChecksSettings, ca: Path | None) -> list[Check]:
    if api is None:
        return [_absent("CORS of the API", "no public URL of the API is known, or nothing was deployed there yet")]
    return cors.checks(api.url, api.allowed, settings.cors.foreign, ca, settings.answer_within)


def _azure(where: Azure | None, group: str) -> list[Check]:
    if where is None:
        return [_absent("Azure", "nothing goes to Azure Container Apps")]
    token = azure.token_life(where.token)
    if (resources := where.resources) is None:
        return [token, _absent("Azure resources", "not asked: no token that lasts, no resource group, or --offline")]
    ask_group = once(resources.resource_group)

    async def has_group() -> bool:
        try:
            return await ask_group()
        except ProdgyError:
            return False

    found = [token, azure.resource_group(where.resource_group, ask_group, f"resourceGroup of {group}")]
    for app in where.apps:
        ask = once(partial(resources.app, app.name))
        variable = f"{app.variable} of {group}"
        found += azure.app(app.service, app.name, where.resource_group, where.registry, variable, ask, has_group)
        found.append(requirements.check(app.service, app.requires, app.name, where.resource_group, ask))
    return found


def _machine(machine: Machine | None, group: str) -> list[Check]:
    if machine is None:
        return [_absent("VM", "nothing goes to a Windows VM")]
    return windows.checks(machine.ask, machine.host, machine.user, machine.service, group, machine.needed_bytes)


def _absent(name: str, why: str) -> Check:
    async def look() -> Finding:
        return Finding("not applicable", why)

    return Check(name, look, needs_network=False)
