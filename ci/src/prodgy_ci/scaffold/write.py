"""The files to copy into a monorepo, each guess with what it rests on."""

import json
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files

from .guess import Guess, Service

GENERAL = ("azureServiceConnection", "resourceGroup", "containerRegistry", "registryLoginServer")
MACHINE = ("VM_IP", "VM_USER", "VM_PASSWORD")
OWN = ("ci/", "dagger.json", "prodgy-ci.toml", "azure-pipelines.yml")
"""What these files and the module are in a monorepo: a change in it concerns all services."""
IGNORE = ".dockerignore"
_WIDTH = 110


def catalog(made: Guess, prefix: str) -> str:
    """The content of prodgy-ci.toml."""
    lines = "\n".join(
        [
            "# What prodgy-ci knows of this monorepo: a first guess from its files. Read it, mend it, and ask",
            "# `dagger call plan --ref refs/heads/main table` what it makes of a change.",
            "builtin = false # without the services of the built-in catalog",
            "",
            *_ignored(made),
            *_variables(made),
            *(line for service in made.services for line in _service(service, prefix)),
            *_machines(made, prefix),
            *_rules(made),
            *_environments(prefix),
            *_remarks(made),
        ]
    )
    return lines.rstrip("\n") + "\n"


def pipeline(made: Guess, prefix: str) -> str:
    """The content of azure-pipelines.yml."""
    text = _template("azure-pipelines.yml")
    text = re.sub(r"\bprodgy-(?=development|staging|production|\$)", f"{prefix}-", text)
    old = re.search(r"( *)azureServiceConnection=.*?VM_USER=\$\(VM_USER\)\n", text, re.DOTALL)
    if old is None:
        raise ValueError("the template has no list of variables")
    wanted = [name for name in _names(made) if name not in ("VM_PASSWORD", "AZURE_STATIC_WEB_APP_API_TOKEN")]
    return text.replace(old[0], "".join(f"{old[1]}{name}=$({name})\n" for name in wanted))


def module() -> str:
    """The content of dagger.json."""
    return _template("dagger.json")


def _template(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _ignored(made: Guess) -> Iterator[str]:
    folders = [name for name in made.unused if name.endswith("/")]
    endings = ["*.md"] if any(name.endswith(".md") for name in made.unused) else []
    names = [name for name in made.unused if not name.endswith((".md", "/")) and name != IGNORE]
    yield "# No Dockerfile copies these, so a change in them builds nothing."
    yield f"ignored = {_list([one for one in (*endings, *folders, *names) if one not in OWN])}"
    yield ""


def _names(made: Guess) -> list[str]:
    machine = MACHINE if made.machines else ()
    return [*GENERAL, *(_variable(service.name) for service in made.services), *machine]


def _variables(made: Guess) -> Iterator[str]:
    yield "# What the variable group of each environment holds: see docs/azure-devops.md."
    yield f"variables = {_list(_names(made))}"
    yield ""


def _variable(name: str) -> str:
    """`browserExtensionContainerAppName` for browser-extension."""
    first, *others = name.split("-")
    return f"{first}{''.join(map(str.capitalize, others))}ContainerAppName"


def _service(service: Service, prefix: str) -> Iterator[str]:
    yield f"[services.{service.name}] # from {service.dockerfile}"
    yield f"kind = {_text(service.kind)}"
    yield f"path = {_text(service.path)}"
    yield f"dockerfile = {_text(service.dockerfile)}"
    if service.context != ".":
        yield f"context = {_text(service.context)} # what it copies lies there"
    yield f"image = {_text(f'{prefix}-{service.name}')}"
    yield f"variable = {_text(_variable(service.name))} # holds its container app's name"
    if service.port:
        yield f"port = {service.port} # its first EXPOSE"
    else:
        yield "# port = 8080 # it has no EXPOSE; integration tests need it"
    yield '# health = "/health" # the route that tells its state; this is the default'
    if service.needs:
        yield f"# needs = {_list(service.needs)} # its dependencies look so; started beside its integration tests"
    if service.paths:
        yield "# The Dockerfile copies these too, or a package of the workspace that it uses lies there."
        yield f"paths = {_list(service.paths)}"
    if not service.has_tests:
        yield "# The Dockerfile has no stage `test`: add one whose command writes /reports/unit.xml (docs/testing.md)."
    yield ""


def _machines(made: Guess, prefix: str) -> Iterator[str]:
    for folder in made.machines:
        name = re.sub(r"[^a-z0-9]+", "-", folder.rpartition("/")[2].lower()).strip("-")
        yield f"# {folder} is a .NET program without a Dockerfile. If it goes to a Windows machine:"
        yield f"# [services.{name}]"
        yield '# kind = "dotnet"'
        yield '# target = "windows-vm"'
        yield f"# path = {_text(folder)}"
        yield f"# image = {_text(f'{prefix}-{name}')}"
        yield ""


def _rules(made: Guess) -> Iterator[str]:
    if IGNORE in made.everything or IGNORE in made.unused:
        yield "[rules.build-context] # it says what no build sees"
        yield f"paths = [{_text(IGNORE)}]"
        yield "all = true"
        yield ""
    whole = [service for service in made.services if service.whole]
    if whole:
        yield "# These Dockerfiles copy all there is. Take out what they do not need: each path is a reason to build."
        yield "[rules.all-there-is]"
        yield f"paths = {_list(name for name in made.everything if name not in OWN)}"
        yield f"services = {_list(service.name for service in whole)}"
        yield ""


def _environments(prefix: str) -> Iterator[str]:
    yield "# Which ref is deployed where, and the variable group that says how."
    for name, ref in (("development", "heads/main"), ("staging", "heads/staging"), ("production", "tags/v*")):
        yield f"[environments.{name}]"
        yield f'ref = "refs/{ref}"'
        yield f"variable_group = {_text(f'{prefix}-{name}')}"
        yield ""


def _remarks(made: Guess) -> Iterator[str]:
    for folder in made.sites:
        yield f"# {folder} looks like a static site and has no Dockerfile: docs/static-web-apps.md says what it needs."
    if made.others:
        yield f"# Packages of the workspace that no image is made of: {', '.join(made.others)}."


def _list(items: Iterable[str]) -> str:
    one_line = f"[{', '.join(map(_text, items := list(items)))}]"
    return one_line if len(one_line) < _WIDTH else "[\n" + "".join(f"    {_text(item)},\n" for item in items) + "]"


def _text(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)
