"""The functions that a user calls. What they do lies in the packages beside."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any, Self, cast

import dagger
from dagger import DefaultPath, Doc, Ignore, check, dag, field, function, object_type

from . import how, planning
from . import pipeline as pipelines
from . import scaffold as scaffolding
from .catalog import Catalog, load
from .changes.options import Options
from .changes.plan import load as load_plan
from .changes.table import matrix, table
from .deploy.container_apps.client import AZURE
from .environment import Environment, run_each_time
from .errors import ProdgyError
from .how import REGISTRY_CA, REGISTRY_SERVICE
from .images import artifact, build_all, container, context, info, listing, record, site
from .images import promote as promotion
from .images import publish as publishing
from .images import sbom as boms
from .images.registry import Registry
from .images.registry import registry as registry_of
from .testing import front, run
from .testing.outcome import Kind, Outcomes

SERVICE = Doc("A service's name, as `services` lists it")
SOME_SERVICES = Doc("Services' names, separated by commas; all by default")
GIT = Doc("The repository's .git folder; in a worktree, where .git is a file, the main checkout's")
DEADLINE = Doc("Seconds, at least 1, after which a service's tests are ended and count as failed")
ARTIFACTS = Doc("A folder with <service>.zip built elsewhere, to check and take instead of building it here")
REGISTRY = Doc("The registry: HOST or HOST/PREFIX, such as prodgy.azurecr.io")
VERSION = Doc("The version that the archive's release.json names")
REF = Doc("The full ref that is built, such as refs/heads/main")
HEAD = Doc("The commit that is built; HEAD by default")
BASE = Doc("Compare with this commit, whatever is deployed")
DEPLOYED = Doc("deployed.json: what runs in the environment")
PULL_REQUEST_SOURCE = Doc("The commit that the pull request proposes")
PULL_REQUEST_TARGET = Doc("The branch it goes to, such as refs/heads/main")
PLANNED_SERVICES = Doc("Build these and no others, separated by commas; `all` for all of them")
USERNAME = Doc("The registry's user name")
PASSWORD = Doc("The registry's password or token, such as env://REGISTRY_PASSWORD")
REUSE_FROM = Doc("A registry whose image of this commit is taken, not built again")
REUSE_USERNAME = Doc("That registry's user name")
REUSE_PASSWORD = Doc("That registry's password or token")
REUSE_SERVICE = Doc("The same for the registry of --reuse-from")
ANNOTATIONS = Doc("azure: write annotations.txt, which shows each failure where Azure's agent prints it")
COMMIT = Doc("The commit that the archive's release.json names; an archive built elsewhere must name the same")


class _KnownErrors(logging.Filter):
    """Keeps the SDK from logging a traceback for an error whose message, or whose command's output, says all."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], ProdgyError | dagger.ExecError))


logging.getLogger("dagger.mod").addFilter(_KnownErrors())


@object_type
class Plan:
    """What a commit changes, what will run, and why."""

    json: Annotated[dagger.File, Doc("The plan as a file, plan.json")] = field()
    table: Annotated[str, Doc("The plan as a text for people")] = field()
    affected: Annotated[list[str], Doc("The services to build")] = field()
    matrix: Annotated[str, Doc("The services to build as JSON for Azure's strategy.matrix: a leg for each")] = field()


@object_type
@dataclass(kw_only=True)  # for the type checker, which does not see that object_type does it too
class ProdgyCi:
    """Builds, tests, publishes, deploys and checks the services of a monorepo."""

    source: dagger.Directory
    catalog_text: str

    @classmethod
    async def create(
        cls,
        source: Annotated[
            dagger.Directory,
            DefaultPath("/"),
            Ignore(context.HEAVY),
            Doc("The repository that holds the monorepo and, where the defaults do not fit, prodgy-ci.toml"),
        ],
    ) -> Self:
        """Reads the catalog of services."""
        return cls(source=source, catalog_text=await context.catalog_text(source))

    @function
    def services(self) -> str:
        """Lists the services: name, kind, paths, image and target."""
        return listing.table(self._catalog())

    @function
    async def build(
        self,
        service: Annotated[str, SERVICE],
        platform: Annotated[
            dagger.Platform | None, Doc("The platform to build for, such as linux/arm64; the engine's own by default")
        ] = None,
    ) -> dagger.Container:
        """Builds the image of a service from its Dockerfile."""
        catalog = self._catalog()
        return await container.build(self.source, catalog, catalog.service(service), platform)

    @run_each_time
    async def build_all(
        self,
        services: Annotated[list[str] | None, Doc("The services to build, separated by commas; all by default")] = None,
        artifacts: Annotated[dagger.Directory | None, ARTIFACTS] = None,
    ) -> dagger.File:
        """Builds services side by side and reports each in builds.json, whatever fails."""
        return await build_all.report(self.source, self._catalog(), services, artifacts)

    @function
    async def build_static(self, service: Annotated[str, SERVICE]) -> dagger.Directory:
        """Builds the files of a static site."""
        catalog = self._catalog()
        return await site.build(self.source, catalog, catalog.service(service))

    @function
    async def build_artifact(
        self,
        service: Annotated[str, SERVICE],
        artifacts: Annotated[dagger.Directory | None, ARTIFACTS] = None,
        version: Annotated[str, VERSION] = "0.0.0",
        commit: Annotated[str | None, COMMIT] = None,
    ) -> dagger.File:
        """Builds the archive of a service that runs on a Windows machine, with a release.json of its files' hashes."""
        catalog = self._catalog()
        chosen = catalog.service(service)
        if artifacts is not None:
            return await artifact.take(artifacts, chosen, commit)
        return await artifact.build(self.source, catalog, chosen, version, commit)

    @run_each_time
    async def plan(
        self,
        ref: Annotated[str, REF],
        git: Annotated[dagger.Directory, DefaultPath("/.git"), GIT],
        head: Annotated[str | None, HEAD] = None,
        base: Annotated[str | None, BASE] = None,
        deployed: Annotated[dagger.File | None, DEPLOYED] = None,
        pull_request_source: Annotated[str | None, PULL_REQUEST_SOURCE] = None,
        pull_request_target: Annotated[str | None, PULL_REQUEST_TARGET] = None,
        services: Annotated[list[str] | None, PLANNED_SERVICES] = None,
    ) -> Plan:
        """Says what a commit changes since what is deployed, what will run, and why."""
        options = _options(ref, head, base, pull_request_source, pull_request_target, services)
        made, text = await planning.plan(git, options, deployed)
        file = dag.directory().with_new_file("plan.json", text).file("plan.json")
        new: Any = Plan  # the SDK gives it a constructor that type checkers do not see
        return cast(Plan, new(json=file, table=table(made), affected=list(made.affected), matrix=matrix(made.affected)))

    @run_each_time
    async def publish(
        self,
        plan: Annotated[dagger.File, Doc("plan.json: what to publish, of which commit")],
        registry: Annotated[str, REGISTRY],
        git: Annotated[dagger.Directory, DefaultPath("/.git"), GIT],
        username: Annotated[str | None, USERNAME] = None,
        password: Annotated[dagger.Secret | None, PASSWORD] = None,
        services: Annotated[list[str] | None, Doc("Publish these of the plan alone, separated by commas")] = None,
        artifacts: Annotated[dagger.Directory | None, ARTIFACTS] = None,
        reuse_from: Annotated[str | None, REUSE_FROM] = None,
        reuse_username: Annotated[str | None, REUSE_USERNAME] = None,
        reuse_password: Annotated[dagger.Secret | None, REUSE_PASSWORD] = None,
        registry_ca: Annotated[dagger.File | None, REGISTRY_CA] = None,
        registry_service: Annotated[dagger.Service | None, REGISTRY_SERVICE] = None,
        reuse_service: Annotated[dagger.Service | None, REUSE_SERVICE] = None,
        dry_run: Annotated[
            bool, Doc("Ask the registry what it holds and say what would be done; push nothing")
        ] = False,
    ) -> dagger.File:
        """Pushes each image that the plan builds once, by digest, and reads it back; gives images.json.

        What the registry holds of the commit already is taken as it is. Fails, with images.json in the message, where
        an image cannot be had.
        """
        to = await registry_of(registry, "--registry", username, password, registry_ca, registry_service)
        job = publishing.Job(
            source=self.source,
            git=git,
            catalog=self._catalog(),
            plan=load_plan(await plan.contents()),
            registry=to,
            reuse=await _reuse(reuse_from, reuse_username, reuse_password, registry_ca, reuse_service),
            artifacts=artifacts,
            dry_run=dry_run,
        )
        return _images_file(await publishing.publish(job, services))

    @run_each_time
    async def promote(
        self,
        images: Annotated[dagger.File, Doc("images.json, as publish or promote gave it")],
        to: Annotated[str, Doc("The registry to copy to: HOST or HOST/PREFIX")],
        from_username: Annotated[str | None, Doc("User name of the registry that images.json names")] = None,
        from_password: Annotated[dagger.Secret | None, Doc("The registry's password or token")] = None,
        to_username: Annotated[str | None, Doc("User name of the registry to copy to")] = None,
        to_password: Annotated[dagger.Secret | None, Doc("The registry's password or token")] = None,
        registry_ca: Annotated[dagger.File | None, REGISTRY_CA] = None,
        from_service: Annotated[dagger.Service | None, REGISTRY_SERVICE] = None,
        to_service: Annotated[dagger.Service | None, REGISTRY_SERVICE] = None,
        dry_run: Annotated[bool, Doc("Ask what is there and say what would be copied; copy nothing")] = False,
    ) -> dagger.File:
        """Copies published images to another registry with their digests; gives the images.json of that registry."""
        published = record.load(await images.contents(), "--images")
        source = await registry_of(
            published.registry, "--from", from_username, from_password, registry_ca, from_service
        )
        target = await registry_of(to, "--to", to_username, to_password, registry_ca, to_service)
        return _images_file(await promotion.promote(published, source, target, dry_run))

    @run_each_time
    async def sbom(
        self,
        images: Annotated[dagger.File, Doc("images.json, as publish or promote gave it")],
        username: Annotated[str | None, Doc("User name of the registry that images.json names")] = None,
        password: Annotated[dagger.Secret | None, Doc("The registry's password or token")] = None,
        services: Annotated[list[str] | None, SOME_SERVICES] = None,
        registry_ca: Annotated[dagger.File | None, REGISTRY_CA] = None,
        registry_service: Annotated[dagger.Service | None, REGISTRY_SERVICE] = None,
    ) -> dagger.Directory:
        """Tells what published images are made of: <service>.cdx.json for each image that runs."""
        published = record.load(await images.contents(), "--images")
        where = await registry_of(published.registry, "--registry", username, password, registry_ca, registry_service)
        return await boms.sboms(published, where, services)

    @run_each_time
    async def image_info(
        self,
        service: Annotated[str, SERVICE],
        registry: Annotated[str, REGISTRY],
        tag: Annotated[str | None, Doc("Look at this tag alone: a commit's full id or a version")] = None,
        username: Annotated[str | None, Doc("The registry's user name")] = None,
        password: Annotated[dagger.Secret | None, Doc("The registry's password or token")] = None,
        registry_ca: Annotated[dagger.File | None, REGISTRY_CA] = None,
        registry_service: Annotated[dagger.Service | None, REGISTRY_SERVICE] = None,
    ) -> str:
        """Tells as JSON what a registry holds of a service: tags, digests, labels, dates and sizes."""
        where = await registry_of(registry, "--registry", username, password, registry_ca, registry_service)
        return await info.info(where, self._catalog().service(service), tag)

    @run_each_time
    async def ci(
        self,
        ref: Annotated[str, REF],
        git: Annotated[dagger.Directory, DefaultPath("/.git"), GIT],
        head: Annotated[str | None, HEAD] = None,
        base: Annotated[str | None, BASE] = None,
        deployed: Annotated[dagger.File | None, DEPLOYED] = None,
        pull_request_source: Annotated[str | None, PULL_REQUEST_SOURCE] = None,
        pull_request_target: Annotated[str | None, PULL_REQUEST_TARGET] = None,
        services: Annotated[list[str] | None, PLANNED_SERVICES] = None,
        registry: Annotated[
            str | None, Doc("Publish here if all is well and the ref stands for an environment: HOST or HOST/PREFIX")
        ] = None,
        username: Annotated[str | None, USERNAME] = None,
        password: Annotated[dagger.Secret | None, PASSWORD] = None,
        artifacts: Annotated[dagger.Directory | None, ARTIFACTS] = None,
        reuse_from: Annotated[str | None, REUSE_FROM] = None,
        reuse_username: Annotated[str | None, REUSE_USERNAME] = None,
        reuse_password: Annotated[dagger.Secret | None, REUSE_PASSWORD] = None,
        registry_ca: Annotated[dagger.File | None, REGISTRY_CA] = None,
        registry_service: Annotated[dagger.Service | None, REGISTRY_SERVICE] = None,
        reuse_service: Annotated[dagger.Service | None, REUSE_SERVICE] = None,
        annotations: Annotated[str | None, ANNOTATIONS] = None,
        deadline: Annotated[int, DEADLINE] = 600,
    ) -> dagger.Directory:
        """Plans, builds, tests and publishes what a commit changes; reports all of it, whatever fails.

        The folder holds plan.json, builds.json, tests.json, images.json, junit/, logs/, and for people summary.md and
        report.html. Whether all is well is said by `verdict --report`. Fails only where there is no plan.
        Give -o a new folder: in one that is there, files of an earlier run stay.
        """
        agent = pipelines.agent(annotations)
        job = pipelines.Pipeline(
            source=self.source,
            git=git,
            catalog=self._catalog(),
            options=_options(ref, head, base, pull_request_source, pull_request_target, services),
            deployed=deployed,
            registry=await registry_of(registry, "--registry", username, password, registry_ca, registry_service)
            if registry
            else None,
            reuse=await _reuse(reuse_from, reuse_username, reuse_password, registry_ca, reuse_service),
            artifacts=artifacts,
            deadline=deadline,
        )
        made = await pipelines.ci(job)
        return pipelines.directory(made, agent)

    @run_each_time
    async def pipeline(
        self,
        ref: Annotated[str, REF],
        git: Annotated[dagger.Directory, DefaultPath("/.git"), GIT],
        head: Annotated[str | None, HEAD] = None,
        base: Annotated[str | None, BASE] = None,
        pull_request_source: Annotated[str | None, PULL_REQUEST_SOURCE] = None,
        pull_request_target: Annotated[str | None, PULL_REQUEST_TARGET] = None,
        services: Annotated[list[str] | None, PLANNED_SERVICES] = None,
        artifacts: Annotated[dagger.Directory | None, ARTIFACTS] = None,
        annotations: Annotated[str | None, ANNOTATIONS] = None,
        deadline: Annotated[int, DEADLINE] = 600,
        variables: how.Variables = None,
        arm_token: how.ArmToken = None,
        registry_username: how.RegistryUsername = "00000000-0000-0000-0000-000000000000",
        registry_password: how.RegistryPassword = None,
        swa_token: how.SwaToken = None,
        vm_password: how.VmPassword = None,
        vm_ca: how.VmCa = None,
        vm_http: how.VmHttp = False,
        subscription: how.Subscription = None,
        arm_url: how.ArmUrl = AZURE,
        swa_client: how.SwaClient = None,
        registry_ca: how.RegistryCa = None,
        registry_service: how.RegistryService = None,
        arm_service: how.ArmService = None,
        site_service: how.SiteService = None,
        vm_service: how.VmService = None,
        check_secrets: how.CheckSecrets = None,
        other_fingerprints: how.OtherFingerprints = None,
        check_ca: how.CheckCa = None,
    ) -> dagger.Directory:
        """Runs all of it: what is deployed is read, then `ci`, then `deploy` with the checks around it; reports it all.

        Where the ref stands for no environment it is `ci`. Whether all is well is said by `verdict --report`.
        """
        agent = pipelines.agent(annotations)
        job = pipelines.Pipeline(
            source=self.source,
            git=git,
            catalog=self._catalog(),
            options=_options(ref, head, base, pull_request_source, pull_request_target, services),
            artifacts=artifacts,
            deadline=deadline,
        )
        stands_for = self._catalog().environment(ref)
        environment = stands_for and self.environment(
            stands_for.name,
            variables=variables,
            arm_token=arm_token,
            registry_username=registry_username,
            registry_password=registry_password,
            swa_token=swa_token,
            vm_password=vm_password,
            vm_ca=vm_ca,
            vm_http=vm_http,
            subscription=subscription,
            arm_url=arm_url,
            swa_client=swa_client,
            registry_ca=registry_ca,
            registry_service=registry_service,
            arm_service=arm_service,
            site_service=site_service,
            vm_service=vm_service,
            check_secrets=check_secrets,
            other_fingerprints=other_fingerprints,
            check_ca=check_ca,
        )
        made = await (pipelines.whole(job, environment) if environment else pipelines.ci(job))
        return pipelines.directory(made, agent)

    @run_each_time
    async def verdict(
        self, report: Annotated[dagger.Directory, Doc("The folder that `ci -o` wrote; what is in it decides")]
    ) -> str:
        """Tells how a run went; fails with the reasons if anything failed or could not be told."""
        return await pipelines.verdict(report)

    @run_each_time
    async def scaffold(
        self,
        name: Annotated[
            str | None,
            Doc("What images and variable groups begin with; by default what package.json calls the project"),
        ] = None,
    ) -> dagger.Directory:
        """Guesses a first prodgy-ci.toml, azure-pipelines.yml and dagger.json for the monorepo in --source, to copy in."""
        return await scaffolding.scaffold(self.source, name)

    @function
    @check
    async def check_catalog(self) -> None:
        """The path rules cover the workspace: each package that a service uses selects that service."""
        await planning.check(self.source, self._catalog())

    @run_each_time
    async def test(
        self,
        service: Annotated[str, SERVICE],
        deadline: Annotated[int, DEADLINE] = 600,
    ) -> str:
        """Runs the unit tests of a service in its Dockerfile's stage `test`; fails with the failing tests' output."""
        return await self._tested([service], ["unit"], deadline)

    @run_each_time
    async def test_all(
        self,
        services: Annotated[list[str] | None, SOME_SERVICES] = None,
        deadline: Annotated[int, DEADLINE] = 600,
    ) -> str:
        """Runs the unit tests of services side by side; fails with every failing test's output."""
        return await self._tested(services, ["unit"], deadline)

    @run_each_time
    async def integration_test(
        self,
        service: Annotated[str, SERVICE],
        deadline: Annotated[int, DEADLINE] = 600,
    ) -> str:
        """Runs a service's integration tests against its image, with a Redis and all else it needs, made for this run."""
        return await self._tested([service], ["integration"], deadline)

    @run_each_time
    async def integration_test_all(
        self,
        services: Annotated[list[str] | None, SOME_SERVICES] = None,
        deadline: Annotated[int, DEADLINE] = 600,
    ) -> str:
        """Runs the integration tests of services side by side, each with what it needs to itself."""
        return await self._tested(services, ["integration"], deadline)

    @run_each_time
    async def test_report(
        self,
        services: Annotated[list[str] | None, SOME_SERVICES] = None,
        integration: Annotated[bool, Doc("Run the integration tests too")] = False,
        deadline: Annotated[int, DEADLINE] = 600,
    ) -> dagger.Directory:
        """Runs tests and reports them as tests.json, JUnit files and logs, whatever fails."""
        return run.directory(
            await self._outcomes(services, ["unit", "integration"] if integration else ["unit"], deadline)
        )

    @run_each_time
    async def dev(self) -> dagger.Service:
        """For `dev up`: Redis on port 6379, Redis Commander on 8081 and the engine on 8001 of this machine."""
        return await front.development(self.source, self._catalog())

    @run_each_time
    async def stack(self) -> dagger.Service:
        """For `stack up`: all services that run as containers, each on its own port of this machine."""
        return await front.whole_stack(self.source, self._catalog())

    @function
    @check
    async def unit_tests(self) -> None:
        """The unit tests of all services pass."""
        await self._tested(None, ["unit"], 600)

    @run_each_time
    @check
    async def integration_tests(self) -> None:
        """The integration tests of all services pass."""
        await self._tested(None, ["integration"], 600)

    @run_each_time
    def environment(
        self,
        name: Annotated[str, Doc("The environment's name: development, staging, production")],
        variables: how.Variables = None,
        arm_token: how.ArmToken = None,
        registry_username: how.RegistryUsername = "00000000-0000-0000-0000-000000000000",
        registry_password: how.RegistryPassword = None,
        swa_token: how.SwaToken = None,
        vm_password: how.VmPassword = None,
        vm_ca: how.VmCa = None,
        vm_http: how.VmHttp = False,
        subscription: how.Subscription = None,
        arm_url: how.ArmUrl = AZURE,
        swa_client: how.SwaClient = None,
        registry_ca: how.RegistryCa = None,
        registry_service: how.RegistryService = None,
        arm_service: how.ArmService = None,
        site_service: how.SiteService = None,
        vm_service: how.VmService = None,
        check_secrets: how.CheckSecrets = None,
        other_fingerprints: how.OtherFingerprints = None,
        check_ca: how.CheckCa = None,
    ) -> Environment:
        """An environment: what runs there, deploying to it, going back, and the checklists around it."""
        return Environment(
            name=name,
            source=self.source,
            catalog_text=self.catalog_text,
            variables=variables,
            arm_token=arm_token,
            subscription=subscription,
            arm_url=arm_url,
            arm_service=arm_service,
            registry_username=registry_username,
            registry_password=registry_password,
            registry_ca=registry_ca,
            registry_service=registry_service,
            swa_token=swa_token,
            swa_client=swa_client,
            site_service=site_service,
            vm_password=vm_password,
            vm_ca=vm_ca,
            vm_http=vm_http,
            vm_service=vm_service,
            check_secrets=check_secrets,
            other_fingerprints=other_fingerprints,
            check_ca=check_ca,
        )

    async def _tested(self, names: list[str] | None, kinds: list[Kind], deadline: int) -> str:
        return run.passed(await self._outcomes(names, kinds, deadline))

    async def _outcomes(self, names: list[str] | None, kinds: list[Kind], deadline: int) -> Outcomes:
        catalog = self._catalog()
        services = run.services_to_test(catalog, names, kinds[0])
        return await run.all_of(self.source, catalog, services, kinds, deadline)

    def _catalog(self) -> Catalog:
        return load(self.catalog_text)


def _images_file(images: record.Images) -> dagger.File:
    """images.json; raises ProdgyError that holds it where an image failed, since a function gives either."""
    if images.failed:
        failed = "\n\n".join(f"{image.service}: {image.error}" for image in images.failed)
        raise ProdgyError(f"{images.table()}\n{failed}\n\nimages.json:\n{images.json_text()}")
    return dag.directory().with_new_file("images.json", images.json_text()).file("images.json")


def _options(
    ref: str,
    head: str | None,
    base: str | None,
    pull_request_source: str | None,
    pull_request_target: str | None,
    services: list[str] | None,
) -> Options:
    return Options(
        ref=ref,
        head=head,
        base=base,
        pull_request_source=pull_request_source,
        pull_request_target=pull_request_target,
        services=",".join(services) if services else None,
    )


async def _reuse(
    name: str | None,
    username: str | None,
    password: dagger.Secret | None,
    ca: dagger.File | None,
    service: dagger.Service | None,
) -> Registry | None:
    return await registry_of(name, "--reuse-from", username, password, ca, service) if name else None
