"""From an environment, and how it is reached, to what its checklists look at."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from .catalog import Catalog, Service
from .checks import preflight as before
from .checks import tokens, windows
from .checks import verify as after
from .checks.model import Finding
from .checks.parts import once
from .checks.secrets_file import LOGIN_EMAIL, LOGIN_PASSWORD
from .checks.variables import fault
from .deploy.container_apps import view
from .deploy.container_apps.client import Client, connect, token_seconds_left
from .deploy.container_apps.target import ContainerApp
from .deploy.target import Target
from .deploy.variables import SECRET
from .deploy.where import Where, machine
from .errors import ProdgyError
from .together import task_group


@dataclass(frozen=True)
class Given:
    """What the checks have beside what a deployment has."""

    secrets: Mapping[str, SecretStr] | None = None
    """What --check-secrets holds; None where it was not given."""
    others: tokens.Fingerprints | None = None
    ca: Path | None = None

    def hidden(self, where: Where) -> list[SecretStr | None]:
        """What must stand in no evidence."""
        own = [secret for name, secret in (self.secrets or {}).items() if name != LOGIN_EMAIL]
        of_group = [SecretStr(where.variables[name]) for name in SECRET if name in where.variables]
        return [*own, *of_group, where.arm_token, where.swa_token, where.vm_password]


def fit(values: Mapping[str, str]) -> dict[str, str]:
    """The variables whose values can be ones."""
    return {name: value for name, value in values.items() if not fault(value)}


@dataclass
class Resources:
    """Azure, each app asked for once. Where the resource group is not found, `error` says why."""

    client: Client | None
    error: ProdgyError | None = None
    _asked: dict[str, Callable[[], Awaitable[view.Json | None]]] = field(default_factory=dict)

    async def app(self, name: str) -> view.Json | None:
        if self.client is None:
            return None
        return await self._asked.setdefault(name, once(partial(self.client.app, name)))()

    async def resource_group(self) -> bool:
        if self.client is None:
            raise self.error or ProdgyError("Azure was not asked")
        return await self.client.resource_group()


async def resources(where: Where, services: Sequence[Service], stack: AsyncExitStack) -> Resources | None:
    """None where there is nothing to ask with, or nothing to ask."""
    token, group = where.arm_token, where.variables.get("resourceGroup")
    left = token_seconds_left(token) if token else 0
    if token is None or not group or (left is not None and left <= 0) or not _apps(where, services):
        return None
    try:
        made = connect(token, group, where.subscription, where.arm_url, local=where.arm_is_local)
        return Resources(await stack.enter_async_context(made))
    except ProdgyError as error:
        return Resources(None, error)


def _apps(where: Where, services: Sequence[Service]) -> tuple[before.App, ...]:
    named = ((s, s.variable or "") for s in services if s.target == "container-app")
    return tuple(
        before.App(s.name, where.variables[name], name, s.requires) for s, name in named if name in where.variables
    )


async def before_deployment(
    where: Where,
    given: Given,
    group: Mapping[str, str],
    services: Sequence[Service],
    resources: Resources | None,
) -> before.Subject:
    settings, apps = where.catalog.checks, _apps(where, services)
    urls, new = await _urls(where, apps, resources)
    api = settings.cors.service
    azure = None
    if any(service.target == "container-app" for service in services):
        registry = where.variables.get("registryLoginServer", "")
        azure = before.Azure(where.variables.get("resourceGroup", ""), registry, where.arm_token, resources, apps)
    return before.Subject(
        environment=where.environment.name,
        group=where.environment.variable_group,
        names=_names(where.catalog, services),
        values=group,
        secrets=given.secrets,
        others=given.others,
        public_urls=(*settings.public_urls, *urls.values()),
        api=before.Api(urls[api] + where.catalog.service(api).health, tuple(after.origins(settings, urls)))
        if api in urls and api not in new
        else None,
        azure=azure,
        machine=_machine(where, services),
        settings=settings,
        ca=given.ca,
    )


def _names(catalog: Catalog, services: Sequence[Service]) -> tuple[str, ...]:
    """The variables that the services' deployment takes; all that the group must have where all are deployed."""
    if {service.name for service in services} == set(catalog.services):
        return catalog.variables
    by_target = {
        "container-app": ("resourceGroup", "registryLoginServer"),
        "static-web-app": ("AZURE_STATIC_WEB_APP_API_TOKEN", "registryLoginServer"),
        "windows-vm": ("VM_IP", "VM_USER", "VM_PASSWORD", "registryLoginServer"),
    }
    used = {name for s in services for name in (*by_target.get(s.target, ()), s.variable)}
    return tuple(name for name in catalog.variables if name in used)


async def _urls(
    where: Where, apps: Sequence[before.App], resources: Resources | None
) -> tuple[dict[str, str], set[str]]:
    """By service: where it is public, as far as that is known; and the apps that no deployment has reached yet."""
    urls = {s.name: url for s in where.catalog.services.values() if (url := where.url(s))}
    new: set[str] = set()
    if resources is None:
        return urls, new

    async def one(app: before.App) -> None:
        with suppress(ProdgyError):  # told by the check of that app
            if (found := await resources.app(app.name)) is None:
                return
            if not any(view.variable(one, view.REVISION) for one in view.containers(view.properties(found))):
                new.add(app.service)
            fqdn = (view.ingress(found) or {}).get("fqdn")
            if fqdn and view.is_public(found):
                urls.setdefault(app.service, where.public_url(str(fqdn)))

    async with task_group() as group:
        for app in apps:
            group.start_soon(one, app)
    return {name: urls[name] for name in where.catalog.services if name in urls}, new


def _machine(where: Where, services: Sequence[Service]) -> before.Machine | None:
    service = next((s for s in services if s.target == "windows-vm"), None)
    if service is None:
        return None
    host, user = where.vm_address or where.variables.get("VM_IP", "VM_IP"), where.variables.get("VM_USER", "VM_USER")

    async def ask() -> windows.Status:
        return await machine(where, service).machine()

    return before.Machine(host, user, service.windows.service or f"prodgy-{service.name}", ask)


async def after_deployment(
    where: Where, given: Given, targets: Sequence[Target], wanted: set[str], deployed: Mapping[str, str]
) -> after.Subject:
    urls: dict[str, str] = {}
    revisions: dict[str, str] = {}
    told: dict[str, after.Told] = {}

    async def one(target: Target) -> None:
        service = target.service
        try:
            now, url = await target.serving(), await target.url()
        except ProdgyError as error:
            told[service] = partial(_not_told, str(error), service)
            return
        commit = deployed.get(service) or (now.commit if now else None)
        if commit is None and service not in wanted:
            return  # nothing of ours was ever deployed there
        if commit:
            revisions[service] = commit
        if url := where.url(where.catalog.service(service)) or url:
            urls[service] = url
        else:
            told[service] = partial(_as_told, target, commit)

    async with task_group() as group:
        for target in targets:
            group.start_soon(one, target)
    apps = {target.service: target for target in targets if isinstance(target, ContainerApp)}

    def log(service: str) -> AsyncIterator[str]:
        return apps[service].log()

    order = [target.service for target in targets]
    secrets = given.secrets or {}
    email = secrets.get(LOGIN_EMAIL)
    return after.Subject(
        urls={name: urls[name] for name in order if name in urls},
        revisions=revisions,
        settings=where.catalog.checks,
        routes={service.name: service.health for service in where.catalog.services.values()},
        told=told,
        email=email.get_secret_value() if email else None,
        password=secrets.get(LOGIN_PASSWORD),
        tokens=secrets,
        logs=log if apps else None,
        logged=tuple(name for name in order if name in apps and (name in urls or name in revisions)),
        ca=given.ca,
    )


async def _not_told(why: str, service: str) -> Finding:
    return Finding("failed", why, f"see what is said of {service} by: environment … status")


async def _as_told(target: Target, commit: str | None) -> Finding:
    """What the platform says of a service that is not reached from here."""
    service = target.service
    now, problem = await target.serving(), await target.problem()
    if now is None:
        return Finding("failed", "no revision of ours serves", f"deploy {service}")
    if commit is not None and now.commit != commit:
        mend = f"see whether all traffic of {service} goes to the new revision"
        return Finding("failed", f"revision {now.commit}, not {commit}", mend)
    if problem:
        return Finding("failed", f"{now.revision}: {problem}", f"read the log of {service}")
    return Finding("passed", f"{now.revision}: healthy by the platform's own word; revision {now.commit}")
