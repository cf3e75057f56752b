"""What a catalog holds. Paths use `/`; they are relative to `Catalog.root`, pipeline paths to the repository's root."""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..errors import UnknownServiceError
from ..nearest import hint
from . import paths
from .checklists import ChecksSettings

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
RelativePath = Annotated[str, Field(min_length=1), AfterValidator(paths.relative)]
RootPath = Annotated[str, Field(min_length=1), AfterValidator(paths.root)]
RulePath = Annotated[str, Field(min_length=1), AfterValidator(paths.rule)]
IgnoredPattern = Annotated[str, Field(min_length=1), AfterValidator(paths.ignored)]
WindowsPath = Annotated[str, Field(pattern=r"^[A-Za-z]:\\[^/:*?\"<>|]+$", max_length=200)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(?:/[^\s?#]*)?$", max_length=200)]
Form = Literal["image", "site", "artifact"]

FORMS: dict[str, Form] = {"container-app": "image", "static-web-app": "site", "windows-vm": "artifact"}
"""The known targets, each with what it takes."""

FORMS_BY_KIND: dict[str, Form] = {"static": "site", "dotnet": "artifact"}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Windows(_Frozen):
    """Where a service lies on its Windows machine. Each has a default that is made of the service's name."""

    service: Text | None = Field(default=None, description="The Windows service's name; prodgy-<name> by default")
    folder: WindowsPath | None = Field(default=None, description=r"What serves; C:\prodgy\<name>\current by default")
    releases: WindowsPath | None = Field(
        default=None, description=r"Former releases and what is staged, on the same volume; C:\prodgy\<name>\releases"
    )
    nssm: WindowsPath = Field(default=r"C:\nssm\nssm.exe", description="NSSM's program")
    health: Url | None = Field(
        default=None, description="What the machine itself asks for its health; its port and health route by default"
    )
    preserve: tuple[Text, ...] = Field(
        default=("appsettings.Production.json",), description="Files of the machine that a release does not replace"
    )
    keep: int = Field(default=3, ge=1, le=50, strict=True, description="Former releases kept for going back")


class Service(_Frozen):
    """One deployable part of the monorepo."""

    name: Name
    kind: Name = Field(description="How it is made: node, python, dotnet, static, or another word")
    target: Name = Field(
        default="container-app", description="Where it goes: container-app, static-web-app, windows-vm, or another word"
    )
    path: RelativePath = Field(
        default_factory=lambda data: f"apps/{data['name']}", description="Its folder; apps/<name> by default"
    )
    dockerfile: RelativePath | None = Field(default=None, description="Its Dockerfile, from the root")
    context: RootPath = Field(
        default=".", description="The folder that its Dockerfile copies from; the root by default"
    )
    image: str = Field(
        default_factory=lambda data: f"prodgy-{data['name']}",
        pattern=r"^[a-z0-9]+(?:[._/-][a-z0-9]+)*$",
        description="Its image's name without registry and tag; prodgy-<name> by default",
    )
    paths: tuple[RulePath, ...] = Field(
        default=(),
        description="Further folders (ending in /) and files that select it, beside its folder and Dockerfile",
    )
    needs: tuple[Name, ...] = Field(default=(), description="What must run beside it: redis, postgres, other services")
    port: int | None = Field(default=None, ge=1, le=65535, strict=True, description="The port it listens on")
    health: str = Field(
        default_factory=lambda data: "/version.json" if _form(data["target"], data["kind"]) == "site" else "/health",
        pattern=r"^/[!-~]*$",
        description="The route that tells its state and revision",
    )
    site_stage: Text = Field(default="site", description="A static site: the Dockerfile's stage that holds its files")
    site_folder: str = Field(
        default="/site",
        pattern=r"^/[^\s]+$",
        description="A static site: the folder of that stage that holds its files",
    )
    variable: Text | None = Field(
        default_factory=lambda data: f"{data['name']}ContainerAppName" if data["target"] == "container-app" else None,
        description="The variable that holds its container app's name; <name>ContainerAppName by default",
    )

    requires: tuple[Text, ...] = Field(
        default=(), description="The variables that its app must have in its environment before a deployment"
    )

    windows: Windows = Field(default_factory=Windows, description="For target windows-vm: where it lies there")

    @property
    def form(self) -> Form:
        """What is built of it: an image that runs, a static site's files, or an archive of files."""
        return _form(self.target, self.kind)

    @property
    def own_paths(self) -> tuple[RulePath, ...]:
        """The folders and files that select this service and no other by themselves."""
        folder = f"{self.path}/"
        dockerfile = (self.dockerfile,) if self.dockerfile and not self.dockerfile.startswith(folder) else ()
        return tuple(dict.fromkeys((folder, *dockerfile, *self.paths)))


class PathRule(_Frozen):
    """Folders and files that select services: every rule that names a changed path applies."""

    name: Name
    paths: tuple[RulePath, ...] = Field(
        min_length=1, description="Folders (ending in /) and exact files, from the root"
    )
    services: tuple[Name, ...] = Field(default=(), description="The services they select")
    kinds: tuple[Name, ...] = Field(default=(), description="The kinds all of whose services they select")
    all: bool = Field(default=False, strict=True, description="Whether they select every service")

    def selects(self, service: Service) -> bool:
        """Whether a change of these paths affects the service."""
        return self.all or service.name in self.services or service.kind in self.kinds


class Environment(_Frozen):
    """Where a branch or tag is deployed to."""

    name: Name
    ref: str = Field(
        pattern=r"^refs/(?:heads|tags)/[^\s*]*\*?$",
        description="The full ref that stands for it; a * at the end stands for any rest",
    )
    variable_group: Text = Field(description="The Azure DevOps variable group that holds its settings")
    urls: dict[Name, Url] = Field(
        default_factory=dict,
        description="By service: where users reach it. A static site needs one; a container app's own name is asked of Azure",
    )

    def matches(self, ref: str) -> bool:
        """Whether a full ref, such as refs/heads/main, stands for this environment."""
        return ref.startswith(self.ref[:-1]) if self.ref.endswith("*") else ref == self.ref


class Catalog(_Frozen):
    """The services, what selects them, and the environments."""

    root: RootPath = Field(
        default=".", description="Where the monorepo lies in the repository; what lies outside is no service's input"
    )
    ignored: tuple[IgnoredPattern, ...] = Field(
        default=(), description="What affects nothing unless a rule names it: folder/, file, or *.ending in the root"
    )
    pipeline_paths: tuple[RulePath, ...] = Field(
        default=(), description="Paths of the repository, not of the root, that select every service"
    )
    variables: tuple[Text, ...] = Field(default=(), description="The names in each environment's variable group")
    services: dict[Name, Service]
    rules: dict[Name, PathRule] = Field(default_factory=dict)
    environments: dict[Name, Environment] = Field(default_factory=dict)
    checks: ChecksSettings = Field(default=ChecksSettings(), description="What is checked around a deployment")

    @cached_property
    def all_rules(self) -> tuple[PathRule, ...]:
        """Each service's own rule, under the service's name, then the shared ones. Paths are relative to the root."""
        services = self.services.values()
        # Beside a Dockerfile of that name lies what its build does not see.
        beside = {s.name: (f"{s.dockerfile}.dockerignore",) if s.dockerfile else () for s in services}
        paths = {s.name: (*s.own_paths, *beside[s.name]) for s in services}
        own = (PathRule.model_construct(name=s.name, paths=paths[s.name], services=(s.name,)) for s in services)
        return (*own, *self.rules.values())

    def context(self, service: Service) -> tuple[str, ...]:
        """The folders and files that the service's build may see: exactly those that select it when they change."""
        shared = [path for rule in self.rules.values() if rule.selects(service) for path in rule.paths]
        return tuple(dict.fromkeys((*service.own_paths, *shared)))

    def in_repository(self, path: str) -> str:
        """A path of the root as the repository has it."""
        return path if self.root == "." else f"{self.root}/{path}"

    def service(self, name: str) -> Service:
        """The service of that name; raises UnknownServiceError with the known names and the nearest."""
        if name not in self.services:
            raise UnknownServiceError(f"unknown service '{name}'{hint(name, self.services)}")
        return self.services[name]

    def choose(self, names: Sequence[str] | None) -> list[Service]:
        """The named services in the catalog's order, all of them for None or ["all"]; raises UnknownServiceError."""
        if names is None or list(names) == ["all"]:
            return list(self.services.values())
        wanted = {self.service(name).name for name in names}
        return [service for service in self.services.values() if service.name in wanted]

    def environment(self, ref: str) -> Environment | None:
        """The environment that a full ref stands for; None if it stands for none."""
        return next((e for e in self.environments.values() if e.matches(ref)), None)


def _form(target: str, kind: str) -> Form:
    """For a target that is not known yet the kind decides."""
    return FORMS.get(target) or FORMS_BY_KIND.get(kind, "image")
