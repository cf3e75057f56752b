"""The Dagger object of an environment: what runs there, deploying, going back, and the checklists around it."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import dagger
from dagger import Doc, dag, function, object_type
from pydantic import SecretStr

from . import checking, subjects
from .catalog import Catalog, load
from .checks import secrets_file, tokens
from .checks.model import Checks
from .deploy import record, run, variables
from .deploy.container_apps.client import AZURE
from .deploy.waiting import say
from .deploy.where import Place, Where
from .errors import InputError, ProdgyError
from .images import record as images_record
from .images.registry import Registry, registry
from .nearest import hint
from .records import read

F = TypeVar("F", bound=Callable[..., Any])

run_each_time: Callable[[F], F] = cast(Any, function)(cache="never")
"""`function` whose result is never taken from an earlier call. The SDK's types do not know the argument."""

IMAGES = Doc("images.json, as publish or promote gave it")
SERVICES = Doc("These services alone, separated by commas; by default all")
DEPLOYED = Doc("deployed.json as the plan had it; where a service serves something else by now, nothing is changed")
OFFLINE = Doc("Leave out what needs a network")
STACK = Doc("Check the stack instead, started for this; no environment is asked")


@object_type
@dataclass(kw_only=True)  # for the type checker, which does not see that object_type does it too
class Environment:
    """An environment that services are deployed to."""

    name: str
    source: dagger.Directory
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
    check_secrets: dagger.Secret | None = None
    other_fingerprints: dagger.File | None = None
    check_ca: dagger.File | None = None

    @run_each_time
    async def deployed(self) -> dagger.File:
        """Tells what runs there, as deployed.json: the base of the next plan."""
        return _file("deployed.json", (await run.deployed(await self.where())).json_text())

    @run_each_time
    async def status(self) -> str:
        """Tells for people what runs there: traffic, health, and what can be gone back to."""
        return await run.status(await self.where())

    @run_each_time
    async def deploy(
        self,
        images: Annotated[dagger.File, IMAGES],
        services: Annotated[list[str] | None, SERVICES] = None,
        deployed: Annotated[dagger.File | None, DEPLOYED] = None,
        dry_run: Annotated[bool, Doc("Say what would be sent, without secrets; send nothing but reads")] = False,
        without_checks: Annotated[bool, Doc("Leave out preflight and verify")] = False,
    ) -> dagger.File:
        """Deploys images: all services serve theirs at the end, or each what it served before; gives deployments.json.

        First `preflight` must pass for these services, else nothing is changed; last `verify`, else all is put back.
        Fails, with deployments.json in the message, where that went wrong.
        """
        published = images_record.load(await images.contents(), "--images")
        if deployed is not None:
            before = read(record.Deployed, await deployed.contents(), "--deployed", "a file that `deployed` wrote")
            await run.unmoved(await self.where(), before, published)
        if dry_run:
            made, text = await run.describe(await self.where(), published, services)
            say(text or "nothing would be sent")
            return _deployments(made)
        return _deployments(await self.roll_out(published, services, without_checks))

    async def roll_out(
        self, published: images_record.Images, services: list[str] | None = None, without_checks: bool = False
    ) -> record.Deployments:
        """Deploys as `deploy` does and gives the record, whatever became of it; raises where nothing was changed."""
        names = list(published.images) if services in (None, ["all"]) else services
        evidence: list[Checks] = []
        if names and not without_checks:
            evidence.append(await self._preflight(names))
            say(checking.passed(evidence[0], "nothing was changed, for the checks before a deployment failed:\n"))
        where, given = await self.where(), await self._given()

        async def whole(_: Place) -> None:
            chosen = where.catalog.choose(names)
            deployed = {service.name: published.commit for service in chosen}
            evidence.append(await checking.verify(where, given, chosen, deployed))
            say(checking.passed(evidence[-1], "the checks after the deployment failed:\n", kept=True))

        made = await run.deploy(where, published, services, None if without_checks else whole)
        return made.model_copy(update={"checks": tuple(evidence)})

    @run_each_time
    async def rollback(
        self,
        services: Annotated[list[str] | None, SERVICES] = None,
        to: Annotated[str | None, Doc("The commit to go back to; by default what each served before")] = None,
    ) -> dagger.File:
        """Goes back, all services or none; gives deployments.json. Fails as `deploy` does."""
        return _deployments(await run.rollback(await self.where(), services, to))

    @run_each_time
    async def preflight(
        self,
        services: Annotated[list[str] | None, SERVICES] = None,
        offline: Annotated[bool, OFFLINE] = False,
    ) -> str:
        """Checks what a deployment stands on: variables, tokens, database, Redis, names, certificates, Azure, the VM.

        Fails with the same table where a check fails.
        """
        return checking.passed(await self._preflight(services, offline))

    @run_each_time
    async def preflight_report(
        self,
        services: Annotated[list[str] | None, SERVICES] = None,
        offline: Annotated[bool, OFFLINE] = False,
    ) -> dagger.Directory:
        """The same as checks.json, junit.xml, table.txt and fingerprints.json, whatever fails."""
        found = await self._preflight(services, offline)
        return _folder(
            checking.files(found, await checking.fingerprints(self.name, self._catalog(), await self._given()))
        )

    @run_each_time
    async def verify(
        self,
        services: Annotated[list[str] | None, SERVICES] = None,
        stack: Annotated[bool, STACK] = False,
    ) -> str:
        """Checks what is deployed: health and revision, login, tokens, CORS, the way through the gateway, queue, logs.

        Fails with the same table where a check fails.
        """
        return checking.passed(await self._verify(services, stack))

    @run_each_time
    async def verify_report(
        self,
        services: Annotated[list[str] | None, SERVICES] = None,
        stack: Annotated[bool, STACK] = False,
    ) -> dagger.Directory:
        """The same as checks.json, junit.xml and table.txt, whatever fails."""
        return _folder(checking.files(await self._verify(services, stack)))

    async def _preflight(self, services: list[str] | None, offline: bool = False) -> Checks:
        group = await self._group()
        where = await self.where(subjects.fit(group))
        secret = {"AZURE_STATIC_WEB_APP_API_TOKEN": where.swa_token, "VM_PASSWORD": where.vm_password}
        group |= {name: given.get_secret_value() for name, given in secret.items() if given}
        return await checking.preflight(where, await self._given(), group, where.catalog.choose(services), offline)

    async def _verify(self, services: list[str] | None, stack: bool) -> Checks:
        if stack:
            return await checking.verify_stack(self.source, self._catalog())
        where = await self.where()
        return await checking.verify(where, await self._given(), where.catalog.choose(services), {})

    async def _given(self) -> subjects.Given:
        names = self._catalog().checks.service_tokens
        text = await _secret(self.check_secrets)
        others = self.other_fingerprints
        return subjects.Given(
            secrets=secrets_file.parse(text, names) if text else None,
            others=tokens.read(await others.contents()) if others else None,
            ca=await _on_disk(self.check_ca),
        )

    def _catalog(self) -> Catalog:
        """Raises InputError for an environment that it does not have."""
        catalog = load(self.catalog_text)
        if self.name not in catalog.environments:
            raise InputError(f"--name: unknown environment '{self.name}'{hint(self.name, catalog.environments)}")
        return catalog

    async def _group(self) -> dict[str, str]:
        """The variable group as it came."""
        catalog = self._catalog()
        return variables.read(await self._variables(catalog), catalog.variables)

    async def _variables(self, catalog: Catalog) -> str:
        if self.variables is None:
            group = catalog.environments[self.name].variable_group
            raise InputError(f"--variables: is missing: a file of the variables of the variable group {group}")
        return await self.variables.contents()

    async def where(self, values: dict[str, str] | None = None) -> Where:
        """The environment and how it is reached, by these variables or its file; raises InputError."""
        catalog = self._catalog()
        environment = catalog.environments[self.name]
        if values is None:
            values = variables.parse(await self._variables(catalog), catalog.variables, environment.variable_group)
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
    text = made.json_text()
    if not made.succeeded:
        failed = [f"{name}: {one.error}" for name, one in made.services.items() if one.error]
        said = "\n\n".join([*([made.error] if made.error else []), *failed])
        raise ProdgyError(f"{made.result}\n{made.table()}\n{said}\n\ndeployments.json:\n{text}")
    say(made.table())
    return _file("deployments.json", text)


def _folder(files: Mapping[str, str]) -> dagger.Directory:
    made = dag.directory()
    for path, text in files.items():
        made = made.with_new_file(path, text)
    return made


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
