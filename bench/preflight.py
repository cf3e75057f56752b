"""The checklist before a deployment beside its slowest check: `python -m bench.preflight`.

A healthy environment on loopback: a real PostgreSQL and Redis, an API over TLS, and stand-ins for Azure and the VM. The
last three wait before each answer, for a loopback's answers come too soon to tell one after another from all at once.
Both figures of a row are of one run.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from pydantic import SecretStr

from prodgy_ci.catalog.checklists import ChecksSettings
from prodgy_ci.catalog.load import builtin
from prodgy_ci.checks.model import Check, Result
from prodgy_ci.checks.preflight import Api, App, Azure, Machine, Subject, checks
from prodgy_ci.checks.run import run
from prodgy_ci.checks.tokens import write
from prodgy_ci.checks.windows import Status

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fakes.postgres import postgres
from fakes.public_api import public_api
from fakes.redis import redis

ROUNDS = 5
API, AZURE, VM = 0.1, 0.3, 2.0
"""Seconds that each waits before an answer."""
ORIGINS = ("https://web.prodgy.example", "https://studio.prodgy.example")
REGISTRY = "prodgy.azurecr.io"


class SlowAzure:
    """Has every app."""

    async def app(self, name: str) -> Mapping[str, Any]:
        await anyio.sleep(AZURE)
        registries = [{"server": REGISTRY, "identity": "system"}]
        template = {"containers": [{"name": name, "env": [{"name": "PORT", "value": "1"}]}]}
        configuration = {"activeRevisionsMode": "Multiple", "registries": registries}
        return {
            "identity": {"type": "SystemAssigned"},
            "properties": {"configuration": configuration, "template": template},
        }

    async def resource_group(self) -> bool:
        await anyio.sleep(AZURE)
        return True


async def slow_machine() -> Status:
    await anyio.sleep(VM)
    return Status("VM-1", administrator=True, service="Running", nssm=True, free_bytes=10**11)


@contextmanager
def environment() -> Iterator[Subject]:
    """Healthy, with the built-in catalog's services and variables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgres(tls=True))
        cache = stack.enter_context(redis())
        api = stack.enter_context(public_api(*ORIGINS, delay=API))
        (folder / "ca.pem").write_text("".join(path.read_text() for path in (database.ca, api.ca) if path))
        catalog = builtin()
        services = [service for service in catalog.services.values() if service.variable]
        apps = tuple(App(s.name, f"ca-{s.name}", str(s.variable), ("PORT",)) for s in services)
        secrets = {name: SecretStr(f"{name}-0123456789") for name in ChecksSettings().service_tokens}
        secrets |= {"DATABASE_URL": SecretStr(database.url("?sslmode=verify-full"))}
        secrets |= {"REDIS_URL": SecretStr(cache.url())}
        token = SecretStr("e30.eyJleHAiOjQxMDI0NDQ4MDB9.")
        yield Subject(
            "staging",
            "prodgy-staging",
            names=catalog.variables,
            values=dict.fromkeys(catalog.variables, "value"),
            secrets=secrets,
            others=anyio.run(write, {"API_SERVICE_TOKEN": SecretStr("of production")}, "production"),
            public_urls=(api.url,),
            api=Api(api.url, ORIGINS),
            azure=Azure("rg", REGISTRY, token, SlowAzure(), apps),
            machine=Machine("127.0.0.1", "deployer", "prodgy-assistant", slow_machine),
            ca=folder / "ca.pem",
        )


@dataclass(frozen=True)
class Round:
    """One run of the whole list."""

    whole: float
    slowest: Result


async def round_of(made: Sequence[Check]) -> Round:
    """The list as `preflight` runs it; what does not pass ends the benchmark."""
    start = time.monotonic()
    found = await run(made, list_name="preflight", environment="staging")
    whole = time.monotonic() - start
    if wrong := [result for result in found.results if result.status != "passed"]:
        raise RuntimeError(f"{wrong[0].name}: {wrong[0].evidence}")
    return Round(whole, max(found.results, key=lambda result: result.seconds))


def report(title: str, rounds: Sequence[Round]) -> None:
    print(f"\n{title}\n\n| whole | slowest check | its time | whole / slowest |\n|---|---|---|---|")
    for done in rounds:
        slowest = done.slowest.seconds
        print(f"| {done.whole:.3f} s | {done.slowest.name} | {slowest:.3f} s | {done.whole / slowest:.2f} |")
    ratio = statistics.median(done.whole / done.slowest.seconds for done in rounds)
    print(f"\nmedian whole / slowest check = {ratio:.2f}", flush=True)


def main() -> None:
    with environment() as subject:
        made = checks(subject)
        anyio.run(round_of, made)  # what is imported and connected for the first time is not measured
        report(f"Preflight, {len(made)} checks", [anyio.run(round_of, checks(subject)) for _ in range(ROUNDS)])
        apart = replace(subject, machine=None)
        made = [check for check in checks(apart) if check.name != "VM"]
        report(
            f"The same without the VM, {len(made)} checks",
            [anyio.run(round_of, [c for c in checks(apart) if c.name != "VM"]) for _ in range(ROUNDS)],
        )


if __name__ == "__main__":
    main()
