"""An environment and how it is reached; from the catalog's services to their targets."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dagger
from pydantic import SecretStr

from ..catalog import Catalog, Service
from ..catalog.model import Environment
from ..errors import InputError
from ..images.registry import Registry
from . import published, variables
from .container_apps.client import AZURE, Client, connect
from .container_apps.names import app_name
from .container_apps.target import ContainerApp
from .static_web_app import StaticWebApp, upload
from .target import Serving, Target
from .windows_vm import settings as windows

if TYPE_CHECKING:
    from .windows_vm.target import WindowsService

SWA_TOKEN, VM_PASSWORD = "AZURE_STATIC_WEB_APP_API_TOKEN", "VM_PASSWORD"
"""The variables of the group that are secrets."""


@dataclass(frozen=True)
class Where:
    """An environment, and how it is reached."""

    catalog: Catalog
    environment: Environment
    variables: Mapping[str, str]
    """Of its variable group."""
    registry: Callable[[], Awaitable[Registry]]
    """Where its images are; asked only where their files are needed."""
    arm_token: SecretStr | None = None
    subscription: str | None = None
    arm_url: str = AZURE
    arm_is_local: bool = False
    """Whether `arm_url` came by a service: then it may be plain HTTP, and answers for the apps' host names too."""
    swa_token: SecretStr | None = None
    swa_client: dagger.File | None = None
    site_service: dagger.Service | None = None
    site_url: str | None = None
    """Where the site is, in place of the catalog's URL."""
    vm_password: SecretStr | None = None
    vm_ca: Path | None = None
    vm_scheme: windows.Scheme = "https"
    vm_address: str | None = None
    """In place of VM_IP."""

    def url(self, service: Service) -> str | None:
        """Where users reach it by the catalog's word, or that of who stands in for the site."""
        own = self.site_url if service.target == "static-web-app" else None
        return own or self.environment.urls.get(service.name)

    def public_url(self, fqdn: str) -> str:
        """From a host name of an app to the address that it is asked at."""
        return f"{self.arm_url.rstrip('/')}/fqdn/{fqdn}" if self.arm_is_local else f"https://{fqdn}"

    def variable(self, name: str, what_for: str) -> str:
        """A variable of the group; raises InputError that says what it is for."""
        return variables.required(self.variables, name, what_for, self.environment.variable_group)

    def secret(self, given: SecretStr | None, name: str, option: str, what_for: str) -> SecretStr:
        """A secret of the group, which comes as an option or stands in the file; raises InputError, without the value."""
        group = self.environment.variable_group
        text = self.variables.get(name) if given is None else given.get_secret_value()
        if text is None:
            raise InputError(f"{option}: is missing: {what_for}; {name} of the variable group {group} holds it")
        if fault := variables.wrong(name, text, group):
            raise InputError(f"{option}: {fault}")
        return SecretStr(text)


@dataclass(frozen=True)
class Place:
    """An environment that can be reached: a target for each service."""

    where: Where
    targets: Sequence[Target]
    azure: Client | None = None
    """Azure Resource Manager, where a container app is among them."""

    async def urls(self) -> dict[str, str]:
        """By service: where users reach it, for those that are reached from outside."""
        return {target.service: url for target in self.targets if (url := await target.url())}


@asynccontextmanager
async def reached(where: Where, services: Sequence[Service], changing: bool = False) -> AsyncIterator[Place]:
    """The services' targets; `changing` asks for what only a change needs.

    Raises InputError with a line for each thing that is missing.
    """
    apps = [service for service in services if service.target == "container-app"]
    faults: list[str] = []
    names: dict[str, str] = {}
    others: dict[str, Target] = {}
    for service in services:
        try:
            if service in apps:
                names[service.name] = _app_name(where, service, names)
            else:
                others[service.name] = _target(where, service, changing)
        except InputError as error:
            faults += str(error).splitlines()
    try:
        group = where.variable("resourceGroup", "where the container apps are") if apps else ""
        if apps and where.arm_token is None:
            raise InputError("--arm-token: is missing: the container apps are Azure's")
    except InputError as error:
        faults.append(str(error))
    if faults:
        raise InputError("\n".join(dict.fromkeys(faults)))
    if not apps or where.arm_token is None:
        yield Place(where, [others[service.name] for service in services])
        return
    async with connect(where.arm_token, group, where.subscription, where.arm_url, local=where.arm_is_local) as client:
        made = {service.name: _app(where, service, names[service.name], client) for service in apps}
        yield Place(where, [made.get(service.name) or others[service.name] for service in services], client)


def knows(where: Where, service: Service) -> bool:
    """Whether what is given suffices to ask what the service serves."""
    if service.target == "container-app":
        named = {"resourceGroup", service.variable} <= where.variables.keys()
        return named and where.arm_token is not None
    try:
        _target(where, service, changing=False)
    except InputError:
        return False
    return True


def _app_name(where: Where, service: Service, others: Mapping[str, str]) -> str:
    """Which container app is the service's; one that is another service's too would be given both images in turn."""
    variable = service.variable or ""
    name = app_name(where.variable(variable, f"the container app of {service.name}"), f"--variables: {variable}")
    if other := next((other for other, its in others.items() if its == name), None):
        group = where.environment.variable_group
        raise InputError(
            f"--variables: {variable}: {name} is the app of {other} already; mend it in the variable group {group}"
        )
    return name


def _app(where: Where, service: Service, name: str, client: Client) -> ContainerApp:
    return ContainerApp(service.name, name, client, health=service.health, public_url=where.public_url)


def _target(where: Where, service: Service, changing: bool) -> Target:
    if service.target == "static-web-app":
        return _site(where, service, changing)
    if service.target == "windows-vm":
        return machine(where, service)
    raise InputError(f"services.{service.name}.target: nothing is known of how to deploy to {service.target!r}")


def _site(where: Where, service: Service, changing: bool) -> StaticWebApp:
    url = where.url(service)
    if url is None:
        key = f"environments.{where.environment.name}.urls.{service.name}"
        raise InputError(f"prodgy-ci.toml: {key}: is missing: where the site of {service.name} is seen from outside")
    token = SecretStr("")
    if changing:
        token = where.secret(where.swa_token, SWA_TOKEN, "--swa-token", f"{service.name} is deployed with it")

    async def files_of(serving: Serving) -> Path:
        registry = await where.registry()
        repository = registry.address.repository(service.image)
        return await published.files("site", f"{repository}:{serving.commit}@{serving.digest}", registry)

    deploy = partial(upload.upload, token=token, client=where.swa_client, service=where.site_service)
    return StaticWebApp(service.name, url, deploy, files_of, ready=upload.ready, hidden=[token])


def machine(where: Where, service: Service) -> "WindowsService":
    """The service on its Windows machine; raises InputError where something of it is missing."""
    from .windows_vm.target import WindowsService  # here, since its client would slow the start of every function down

    what = f"the machine of {service.name}"
    address = where.vm_address or where.variable("VM_IP", what)
    user = where.variable("VM_USER", f"the account on {what}")
    password = where.secret(where.vm_password, VM_PASSWORD, "--vm-password", f"the password of {user}")
    return WindowsService(service.name, windows.of(service, address, user, password, where.vm_ca, where.vm_scheme))
