"""The checklist after a deployment: from where the services are to its checks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..catalog.checklists import ChecksSettings
from . import cors, gateway, health, login, logs, playground, queue
from .http import Endpoint
from .logs import Source
from .model import Check, Finding

Told = Callable[[], Awaitable[Finding]]


@dataclass(frozen=True)
class Subject:
    """An environment after a deployment, or the stack at the desk."""

    urls: Mapping[str, str]
    """By service: where it is reached."""
    revisions: Mapping[str, str]
    """By service: the commit that was deployed. A service without a URL fails: it cannot be told whether it is well."""
    settings: ChecksSettings = field(default_factory=ChecksSettings)
    routes: Mapping[str, str] = field(default_factory=dict)
    """By service: its health route, where it is not /health."""
    told: Mapping[str, Told] = field(default_factory=dict)
    """By service: what its platform says of it, where it is not reached from here."""
    email: str | None = None
    password: SecretStr | None = None
    tokens: Mapping[str, SecretStr] = field(default_factory=dict)
    """Service tokens by their names, such as SERVICE_SERVICE_TOKEN."""
    logs: Source | None = None
    logged: tuple[str, ...] | None = None
    """The services that have a log to read; None stands for all."""
    ca: Path | None = None
    """A private certificate authority's certificates."""

    @property
    def services(self) -> tuple[str, ...]:
        """All that are known."""
        return tuple(dict.fromkeys((*self.urls, *self.told, *self.revisions)))

    @property
    def secrets(self) -> list[SecretStr]:
        """What must stand in no evidence."""
        return [secret for secret in (self.password, *self.tokens.values()) if secret]

    def at(self, service: str) -> Endpoint | None:
        """Where a service is asked; None where that is not known."""
        url = self.urls.get(service)
        return Endpoint(url, self.ca, self.settings.answer_within) if url else None


def checks(subject: Subject) -> list[Check]:
    """Every check of the list, in the list's order; none where nothing is known to be deployed."""
    if not subject.services:
        return []
    session = login.Session()
    return [
        *(_health(subject, service) for service in subject.services),
        *_dependencies(subject),
        *_cors(subject),
        *_login(subject, session),
        *_gateway(subject, session),
        *_queue(subject),
        _playground(subject, session),
        *_logs(subject),
    ]


def _health(subject: Subject, service: str) -> Check:
    if (at := subject.at(service)) is None:
        if service in subject.told:
            return Check(f"health of {service}", subject.told[service], retries=True)
        mend = f"give it as environments.NAME.urls.{service} in prodgy-ci.toml"
        return _told(f"health of {service}", Finding("failed", f"it is not known where {service} is reached", mend))
    route = subject.routes.get(service, "/health")
    return health.check(service, at, route, subject.revisions.get(service), subject.settings.samples)


def _dependencies(subject: Subject) -> list[Check]:
    named = [(name, service) for name, by in subject.settings.dependencies.items() for service in by]
    return [
        health.dependency(name, service, at, subject.routes.get(service, "/health"))
        if (at := subject.at(service))
        else _unreached(f"{name} as {service} reports it", service)
        for name, service in named
    ]


def _cors(subject: Subject) -> list[Check]:
    wanted = subject.settings.cors
    if (at := subject.at(wanted.service)) is None:
        return [_unreached(f"CORS of {wanted.service}", wanted.service)]
    url = at.url.rstrip("/") + subject.routes.get(wanted.service, "/health")
    return cors.checks(url, origins(subject.settings, subject.urls), wanted.foreign, subject.ca, at.within)


def origins(settings: ChecksSettings, urls: Mapping[str, str]) -> list[str]:
    """The origins from which browsers must be allowed to call: the listed ones, and those of the listed services."""
    known = (urlsplit(urls[service]) for service in settings.cors.allowed_services if service in urls)
    return list(dict.fromkeys((*settings.cors.allowed, *(f"{url.scheme}://{url.netloc}" for url in known))))


def _login(subject: Subject, session: login.Session) -> list[Check]:
    settings = subject.settings
    if (at := subject.at(settings.login.service)) is None:
        return [_unreached(login.GIVES_JWT, settings.login.service)]
    if not subject.email or not subject.password:
        why = "LOGIN_EMAIL and LOGIN_PASSWORD are not in --check-secrets"
        return [_told(login.GIVES_JWT, Finding("not applicable", why))]
    return login.checks(at, subject.email, subject.password, session, settings.login, settings.api_tokens)


def _gateway(subject: Subject, session: login.Session) -> list[Check]:
    wanted = subject.settings.gateway
    if (at := subject.at(wanted.service)) is None:
        return [_unreached("service to service through the gateway", wanted.service)]
    return gateway.checks(at, session, wanted)


def _queue(subject: Subject) -> list[Check]:
    wanted = subject.settings.queue
    if (at := subject.at(wanted.service)) is None:
        return [_unreached("a job goes through the queue", wanted.service)]
    return queue.checks(at, subject.tokens.get(wanted.token), wanted)


def _playground(subject: Subject, session: login.Session) -> Check:
    wanted = subject.settings.playground
    if (at := subject.at(wanted.service)) is None:
        return _unreached(playground.NAME, wanted.service)
    return playground.check(at, session, wanted)


def _logs(subject: Subject) -> list[Check]:
    if subject.logs is None:
        return [_told("logs", Finding("not applicable", "there is nothing to read logs from"))]
    named = subject.services if subject.logged is None else subject.logged
    return [logs.check(service, subject.logs, subject.settings.logs) for service in named]


def _unreached(name: str, service: str) -> Check:
    return _told(name, Finding("not applicable", f"no URL of {service} is known"))


def _told(name: str, finding: Finding) -> Check:
    async def look() -> Finding:
        return finding

    return Check(name, look, needs_network=False)
