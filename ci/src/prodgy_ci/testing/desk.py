"""The stack as the checklist after a deployment sees it: with tokens, a login and origins, as an environment has them."""

import secrets
import uuid
from dataclasses import dataclass

import dagger
from dagger import dag
from pydantic import SecretStr

from ..catalog import Catalog, Service
from ..checks.verify import Subject
from ..together import task_group
from . import stack

EMAIL = "checks@prodgy.example"


@dataclass(frozen=True)
class Desk:
    """What the services are given, made for one run."""

    run: str
    tokens: dict[str, SecretStr]
    jwt: SecretStr
    password: SecretStr
    origins: tuple[str, ...]
    """From where browsers may call."""
    login: str
    """The service that people sign in to."""

    def equip(self, service: Service, container: dagger.Container) -> dagger.Container:
        """Sets what the catalog says that the service requires and that a stack has; and the login's first user."""
        given = {**self.tokens, "JWT_SECRET": self.jwt}
        for name in service.requires:
            if name in given:
                secret = dag.set_secret(f"{self.run} {service.name} {name}", given[name].get_secret_value())
                container = container.with_secret_variable(name, secret)
            elif name == "CORS_ORIGINS":
                container = container.with_env_variable(name, ",".join(self.origins))
        if service.name == self.login:
            password = dag.set_secret(f"{self.run} SEED_PASSWORD", self.password.get_secret_value())
            container = container.with_env_variable("SEED_EMAIL", EMAIL)
            container = container.with_secret_variable("SEED_PASSWORD", password)
        return container


def prepare(catalog: Catalog) -> Desk:
    """With fresh secrets."""
    settings = catalog.checks
    tokens = {name: _fresh() for name in settings.service_tokens}
    pages = (s for s in containers(catalog) if s.name in settings.cors.allowed_services)
    origins = tuple(dict.fromkeys((*settings.cors.allowed, *(f"http://{s.name}:{s.port}" for s in pages))))
    return Desk(uuid.uuid4().hex, tokens, _fresh(), _fresh(), origins, settings.login.service)


def _fresh() -> SecretStr:
    return SecretStr(secrets.token_hex(16))


def containers(catalog: Catalog) -> list[Service]:
    """The services that run in containers and answer on a port."""
    return [s for s in catalog.services.values() if s.form == "image" and s.port]


async def start(source: dagger.Directory, catalog: Catalog, desk: Desk) -> dict[str, dagger.Service]:
    """All services that run as containers, and what they need, as definitions of this run; see `stack.start`."""
    names = [s.name for s in containers(catalog)]
    return await stack.start(source, catalog, names, desk.run, revision=desk.run, equip=desk.equip)


async def endpoints(catalog: Catalog, running: dict[str, dagger.Service]) -> dict[str, str]:
    """Starts them, and tells where this process reaches each."""
    urls: dict[str, str] = {}

    async def one(service: Service) -> None:
        started = await running[service.name].start()
        urls[service.name] = await started.endpoint(port=service.port, scheme="http")

    async with task_group() as group:
        for service in containers(catalog):
            group.start_soon(one, service)
    return {service.name: urls[service.name] for service in containers(catalog)}


def subject(catalog: Catalog, desk: Desk, urls: dict[str, str]) -> Subject:
    """What the checks look at. Its origins are names, for a stack's addresses are not known before it runs."""
    settings = catalog.checks
    cors = settings.cors.model_copy(update={"allowed": desk.origins, "allowed_services": ()})
    return Subject(
        urls=urls,
        revisions=dict.fromkeys(urls, desk.run),
        settings=settings.model_copy(update={"cors": cors}),
        routes={s.name: s.health for s in containers(catalog)},
        email=EMAIL,
        password=desk.password,
        tokens=desk.tokens,
    )
