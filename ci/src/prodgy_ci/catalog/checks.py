"""What must hold between the parts of a catalog. Each function yields `key path: what is wrong`."""

from collections.abc import Collection, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from ..nearest import hint
from .builtin import BACKING, KINDS
from .model import Catalog, Service


def problems(catalog: Catalog) -> Iterator[str]:
    """Everything that does not fit together, in the order of the file's parts."""
    yield from _services(catalog)
    yield from _rules(catalog)
    yield from _environments(catalog)
    for where, names in catalog.checks.named_services():
        yield from _unknown(where, names, catalog.services, "service")


def _services(catalog: Catalog) -> Iterator[str]:
    yield from _same("services", "image", ((s.name, s.image) for s in catalog.services.values()))
    known = dict.fromkeys((*BACKING, *catalog.services))
    for service in catalog.services.values():
        yield from _dockerfile(service)
        yield from _unknown(f"services.{service.name}.needs", service.needs, known, "service")
    yield from _circle(catalog)


def _dockerfile(service: Service) -> Iterator[str]:
    if service.dockerfile is None and service.form != "artifact":
        stage = f" with a stage '{service.site_stage}'" if service.form == "site" else ""
        yield (
            f"services.{service.name}.dockerfile: missing; a service for {service.target} is built from a Dockerfile"
            f'{stage}, such as "{service.path}/Dockerfile"'
        )
    if service.context != "." and not f"{service.dockerfile}".startswith(f"{service.context}/"):
        yield f"services.{service.name}.context: the Dockerfile must lie in it"


def _circle(catalog: Catalog) -> Iterator[str]:
    try:
        TopologicalSorter({s.name: s.needs for s in catalog.services.values()}).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        yield f"services.{circle[0]}.needs: services that need each other cannot be started: {' → '.join(circle)}"


def _rules(catalog: Catalog) -> Iterator[str]:
    kinds = dict.fromkeys((*KINDS, *(s.kind for s in catalog.services.values())))
    for rule in catalog.rules.values():
        yield from _unknown(f"rules.{rule.name}.services", rule.services, catalog.services, "service")
        yield from _unknown(f"rules.{rule.name}.kinds", rule.kinds, kinds, "kind")
        if not (rule.services or rule.kinds or rule.all):
            yield f"rules.{rule.name}: selects nothing; give services, kinds or all = true"
        if rule.name in catalog.services:
            yield f"rules.{rule.name}: a service has that name; name the rule otherwise"


def _environments(catalog: Catalog) -> Iterator[str]:
    environments = list(catalog.environments.values())
    for environment in environments:
        yield from _unknown(f"environments.{environment.name}.urls", environment.urls, catalog.services, "service")
    for index, later in enumerate(environments):
        for earlier in environments[:index]:
            if earlier.matches(later.ref) or later.matches(earlier.ref):
                yield (
                    f"environments.{later.name}.ref: {later.ref} also stands for environment '{earlier.name}' "
                    f"({earlier.ref}); a ref must stand for one"
                )


def _same(table: str, key: str, values: Iterable[tuple[str, str]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, value in values:
        if value in seen:
            yield f"{table}.{name}.{key}: '{value}' is the {key} of '{seen[value]}' too"
        seen.setdefault(value, name)


def _unknown(where: str, names: Iterable[str], known: Collection[str], what: str) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{where}: unknown {what} '{name}'{hint(name, known)}"
