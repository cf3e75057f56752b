"""The Dagger object of an environment: what runs there, deploying, going back."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import dagger
from dagger import Doc, dag, function, object_type
from pydantic import SecretStr

from .catalog import load
from .deploy import record, run, variables
from .deploy.container_apps.client import AZURE
from .deploy.waiting import say
from .deploy.where import Where
from .errors import InputError, ProdgyError
from .images import record as images_record
from .images.registry import Registry, registry
from .nearest import hint

F = TypeVar("F", bound=Callable[..., Any])

run_each_time: Callable[[F], F] = cast(Any, function)(cache="never")
"""`function` whose result is never taken from an earlier call. The SDK's types do not know the argument."""

IMAGES = Doc("images.json, as publish or promote gave it")
SERVICES = Doc("These services alone, separated by commas; by default all")


@object_type
@dataclass(kw_only=True)  # for the type checker, which does not see that object_type does it too
class Environment:
    """An environment that services are deployed to."""

    name: str
    catalog_text: str
    variables: dagger.File | None = None
    arm_token: dagger.Secret | None = None
    subscription: str | None = None
    arm_url: str = AZURE
    arm_service: dagger.Service | None = None
    registry_username: str = ""
    registry_password: dagger.Secret | None = None
    registry_ca: dagger.File | None = None
    registry_service: dagger.Service | None = None
    swa_token: dagger.Secret | None = None
    swa_client: dagger.File | None = None
    site_service: dagger.Service | None = None
    vm_password: dagger.Secret | None = None
    vm_ca: dagger.File | None = None
    vm_http: bool = False
    vm_service: dagger.Service | None = None

    @run_each_time
    async def deployed(self) -> dagger.File:
        """Tells what runs there, as deployed.json: the base of the next plan."""
        return _file("deployed.json", record.json_text(await run.deployed(await self.where())))

    @run_each_time
    async def status(self) -> str:
        """Tells for people what runs there: traffic, health, and what can be gone back to."""
        return await run.status(await self.where())

    @run_each_time
    async def deploy(
        self,
        images: Annotated[dagger.File, IMAGES],
        services: Annotated[list[str] | None, SERVICES] = None,
        dry_run: Annotated[bool, Doc("Say what would be sent, without secrets; send nothing but reads")] = False,
    ) -> dagger.File:
        """Deploys images: all services serve theirs at the end, or each what it served before; gives deployments.json.

        Fails, with deployments.json in the message, where that went wrong.
        """
        published = images_record.load(await images.contents(), "--images")
        where = await self.where()
        if dry_run:
            made, text = await run.describe(where, published, services)
            say(text or "nothing would be sent")
            return _deployments(made)
        return _deployments(await run.deploy(where, published, services))

    @run_each_time
    async def rollback(
        self,
        services: Annotated[list[str] | None, SERVICES] = None,
        to: Annotated[str | None, Doc("The commit to go back to; by default what each served before")] = None,
    ) -> dagger.File:
        """Goes back, all services or none; gives deployments.json. Fails as `deploy` does."""
        return _deployments(await run.rollback(await self.where(), services, to))

    async def where(self) -> Where:
        """The environment and how it is reached; raises InputError for what a user can mend."""
        catalog = load(self.catalog_text)
        if self.name not in catalog.environments:
            raise InputError(f"--name: unknown environment '{self.name}'{hint(self.name, catalog.environments)}")
        environment = catalog.environments[self.name]
        group = environment.variable_group
        if self.variables is None:
            raise InputError(f"--variables: is missing: a file of the variables of the variable group {group}")
        values = variables.parse(await self.variables.contents(), catalog.variables, group)
        return Where(
            catalog=catalog,
            environment=environment,
            variables=values,
            registry=partial(self._registry, values.get("registryLoginServer", "")),
            arm_token=await _secret(self.arm_token),
            subscription=self.subscription,
            arm_url=await _address(self.arm_service, "http") or self.arm_url,
            arm_is_local=self.arm_service is not None,
            swa_token=await _secret(self.swa_token),
            swa_client=self.swa_client,
            site_service=self.site_service,
            site_url=await _address(self.site_service, "http"),
            vm_password=await _secret(self.vm_password),
            vm_ca=await _on_disk(self.vm_ca),
            vm_scheme="http" if self.vm_http else "https",
            vm_address=await _address(self.vm_service),
        )

    async def _registry(self, server: str) -> Registry:
        user = self.registry_username if self.registry_password else None
        return await registry(
            server, "--registry", user, self.registry_password, self.registry_ca, self.registry_service
        )


def _deployments(made: record.Deployments) -> dagger.File:
    """deployments.json; raises ProdgyError that holds it where the run failed, since a function gives either."""
    text = record.json_text(made)
    if not made.succeeded:
        failed = [f"{name}: {one.error}" for name, one in made.services.items() if one.error]
        said = "\n\n".join([*([made.error] if made.error else []), *failed])
        raise ProdgyError(f"{made.result}\n{made.table()}\n{said}\n\ndeployments.json:\n{text}")
    say(made.table())
    return _file("deployments.json", text)


def _file(name: str, text: str) -> dagger.File:
    return dag.directory().with_new_file(name, text).file(name)


async def _secret(secret: dagger.Secret | None) -> SecretStr | None:
    return SecretStr((await secret.plaintext()).rstrip("\r\n")) if secret else None


async def _address(service: dagger.Service | None, scheme: str = "") -> str | None:
    """Where this process reaches a service."""
    return await (await service.start()).endpoint(scheme=scheme) if service else None


async def _on_disk(file: dagger.File | None) -> Path | None:
    if file is None:
        return None
    path = Path(tempfile.mkdtemp()) / "ca.pem"
    path.write_text(await file.contents())
    return path
