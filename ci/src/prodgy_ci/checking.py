"""The two checklists of an environment: run, told, and kept as files."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import dagger

from . import subjects
from .catalog import Catalog, Service
from .checks import preflight as before
from .checks import table, tokens
from .checks import verify as after
from .checks.model import Checks
from .checks.run import run
from .deploy.where import Where, knows, reached
from .errors import ProdgyError
from .subjects import Given
from .testing import desk


class ChecksFailedError(ProdgyError):
    """A checklist did not pass."""

    def __init__(self, found: Checks, said: str) -> None:
        self.found = found
        super().__init__(said)


def passed(found: Checks, heading: str = "", kept: bool = False) -> str:
    """The table; raises ChecksFailedError with it where the list did not pass, and with checks.json unless it is kept."""
    text = table.text(found)
    if not found.passed:
        raise ChecksFailedError(found, f"{heading}{text}" + ("" if kept else f"\nchecks.json:\n{found.json_text()}"))
    return text


def files(found: Checks, fingerprints: tokens.Fingerprints | None = None) -> dict[str, str]:
    """The evidence as files, by path."""
    made = {"checks.json": found.json_text(), "junit.xml": table.junit(found), "table.txt": table.text(found)}
    return {**made, "fingerprints.json": fingerprints.json_text()} if fingerprints else made


async def fingerprints(environment: str, catalog: Catalog, given: Given) -> tokens.Fingerprints | None:
    """This environment's fingerprints beside the others'; None where there is no token to make one of."""
    names = catalog.checks.service_tokens
    own = {name: secret for name, secret in (given.secrets or {}).items() if name in names}
    return await tokens.write(own, environment, given.others) if own else None


async def preflight(
    where: Where, given: Given, group: Mapping[str, str], services: Sequence[Service], offline: bool = False
) -> Checks:
    """The list before a deployment of the services. `group` is the variable group as it came, fit or not."""
    settings = where.catalog.checks
    async with AsyncExitStack() as stack:
        resources = None if offline else await subjects.resources(where, services, stack)
        subject = await subjects.before_deployment(where, given, group, services, resources)
        return await run(
            before.checks(subject),
            list_name="preflight",
            environment=where.environment.name,
            secrets=given.hidden(where),
            skips=settings.skips,
            offline=offline,
            deadline=settings.deadline,
            interval=settings.deadline,  # looked at once: nothing is coming up
        )


async def verify(where: Where, given: Given, services: Sequence[Service], deployed: Mapping[str, str]) -> Checks:
    """The list after a deployment.

    All of `services` must be there; what else of the environment is known is looked at too. `deployed` has the commits
    that were deployed just now; of other services, what serves by the platform's own word is expected.
    """
    settings, commits = where.catalog.checks, set(deployed.values())
    wanted = {service.name for service in services}
    known = [s for s in where.catalog.services.values() if s.name in wanted or knows(where, s)]
    async with reached(where, known) as place:
        return await run(
            after.checks(await subjects.after_deployment(where, given, place.targets, wanted, deployed)),
            list_name="verify",
            environment=where.environment.name,
            commit=commits.pop() if len(commits) == 1 else None,
            secrets=given.hidden(where),
            skips=settings.skips,
            deadline=settings.deadline,
            interval=settings.interval,
        )


async def verify_stack(source: dagger.Directory, catalog: Catalog) -> Checks:
    """The same list for the stack, started for this."""
    made = desk.prepare(catalog)
    urls = await desk.endpoints(catalog, await desk.start(source, catalog, made))
    subject = desk.subject(catalog, made, urls)
    return await run(
        after.checks(subject),
        list_name="verify",
        environment="stack",
        commit=made.run,
        secrets=subject.secrets,
        skips=catalog.checks.skips,
        deadline=catalog.checks.deadline,
        interval=catalog.checks.interval,
    )
