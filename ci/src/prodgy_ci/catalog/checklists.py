"""What [checks] in prodgy-ci.toml may say. The defaults are the sample's routes."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=200)]
Route = Annotated[str, Field(pattern=r"^/[!-~]*$", max_length=200)]
Origin = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+$", max_length=200)]
Method = Annotated[str, Field(pattern=r"^[A-Z]+$", max_length=10)]
HttpStatus = Annotated[int, Field(ge=200, le=599, strict=True)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Count = Annotated[int, Field(ge=0, le=10_000, strict=True)]
Body = dict[str, Any]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


Pattern = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_pattern)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tls(_Frozen):
    """When a certificate is too old."""

    warn_days: Count = Field(default=21, description="A certificate with fewer days left is a warning")
    fail_days: Count = Field(default=3, description="A certificate with fewer days left is a failure")


class Cors(_Frozen):
    """From where browsers may call."""

    service: Text = Field(default="api", description="The service that browsers call from other origins")
    allowed: tuple[Origin, ...] = Field(default=(), description="Origins that must be allowed in every environment")
    allowed_services: tuple[Text, ...] = Field(
        default=("web", "studio"), description="Services whose URL's origin must be allowed"
    )
    foreign: Origin = Field(default="https://foreign.example", description="An origin that must not be allowed")


class Login(_Frozen):
    """How a person signs in."""

    service: Text = Field(default="api", description="The service that people sign in to")
    route: Route = Field(default="/login", description="POST signs in")
    email_field: Text = Field(default="email", description="How the request's body calls it")
    password_field: Text = Field(default="password", description="The same")
    token_field: Text = Field(default="token", description="Where the JWT is in the answer; a.b for b in a")
    claims: tuple[Text, ...] = Field(default=("sub", "exp"), description="Claims that the JWT must have")
    longest_hours: Annotated[float, Field(gt=0)] = Field(default=24, description="How long a JWT may be good for")
    protected: Route = Field(default="/me", description="A route that answers GET only to who signed in")
    refused: tuple[HttpStatus, ...] = Field(default=(401, 403), description="How a refusal is answered")


class ApiTokens(_Frozen):
    """How an API token is made and taken back; the login's service and protected route take it."""

    route: Route = Field(default="/tokens", description="POST makes one")
    body: Body = Field(default={"name": "prodgy-ci verify"}, description="What is posted")
    token_field: Text = Field(default="token", description="Where the API token is in the answer")
    id_field: Text = Field(default="id", description="Where its number is, for {id}")
    delete: Route = Field(default="/tokens/{id}", description="DELETE takes it back")
    bogus: Text = Field(default="prodgy_0000000000000000000000000000000000000000", description="One that nobody has")


class GatewayRoute(_Frozen):
    """A route of the gateway that another service answers."""

    service: Text = Field(description="The service behind it")
    method: Method = "GET"
    route: Route
    body: Body | None = None
    status: HttpStatus = 200


class Gateway(_Frozen):
    """What is asked through the gateway."""

    service: Text = Field(default="gateway", description="The service that passes requests on")
    routes: tuple[GatewayRoute, ...] = Field(
        default=(
            GatewayRoute(service="api", route="/api/agents"),
            GatewayRoute(
                service="agentic",
                method="POST",
                route="/agentic/runs",
                body={
                    "agent": "helper",
                    "instructions": "Answer the question.",
                    "message": "Is this check {run} there?",
                },
                status=201,
            ),
        ),
        description="What is asked, and of which service the answer is",
    )


class Queue(_Frozen):
    """A job that a worker does."""

    service: Text = Field(default="service", description="The service whose worker does jobs")
    route: Route = Field(default="/jobs", description="POST puts a job into the queue")
    body: Body = Field(default={"type": "echo", "payload": {"check": "{run}"}}, description="The job; harmless")
    id_field: Text = Field(default="id", description="Where the job's number is, for {id}")
    state: Route = Field(default="/jobs/{id}", description="GET tells the job's state")
    state_field: Text = Field(default="status", description="Where the state is in the answer")
    done: Text = Field(default="done", description="The state of a job that was done")
    token: Text = Field(default="SERVICE_SERVICE_TOKEN", description="Which secret is sent as X-Service-Token")


class Playground(_Frozen):
    """A message to an agent."""

    service: Text = Field(default="api", description="The service that takes messages")
    route: Route = Field(default="/playground/messages", description="POST sends one")
    body: Body = Field(default={"message": "Is this check {run} there?"}, description="{run} differs in each run")
    status: HttpStatus = Field(default=201, description="How it is answered")
    answer_field: Text = Field(default="answer", description="Where the agent's words are")


class Logs(_Frozen):
    """Which lines of a log are errors."""

    error: Pattern = Field(
        default=r'"level":\s*"(error|fatal|critical)"|\b(ERROR|FATAL|CRITICAL)\b|^Traceback |^panic:|Unhandled exception',
        description="A regular expression that finds an error line",
    )
    most_errors: Count | None = Field(default=None, description="More error lines than this fail; else they are shown")
    seconds: Seconds = Field(default=10, description="How long a log that goes on is read")


class ChecksSettings(_Frozen):
    """What the checks ask, and what they expect."""

    deadline: Seconds = Field(default=120, description="Seconds until a check that waits for something gives up")
    interval: Seconds = Field(default=2, description="Seconds between two looks")
    answer_within: Seconds = Field(default=10, description="Seconds until a request must be answered")
    samples: Annotated[int, Field(ge=1, le=50, strict=True)] = Field(
        default=3, description="Answers in a row, each on its own connection, that a service's health needs"
    )
    public_urls: tuple[Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(?:/[^\s?#]*)?$")], ...] = Field(
        default=(), description="Further URLs whose name and certificate are looked at, beside the services'"
    )
    skip: tuple[Text, ...] = Field(
        default=(), description="Checks that do not fit here, by name; a * at the end stands for any rest"
    )
    service_tokens: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = Field(
        default=("API_SERVICE_TOKEN", "AGENTIC_SERVICE_TOKEN", "ENGINE_SERVICE_TOKEN", "SERVICE_SERVICE_TOKEN"),
        description="The variables that hold the services' tokens",
    )
    dependencies: dict[Text, tuple[Text, ...]] = Field(
        default={"database": ("api",), "redis": ("engine", "service")},
        description="By a dependency's name in the health answer: the services that report it",
    )
    tls: Tls = Tls()
    cors: Cors = Cors()
    login: Login = Login()
    api_tokens: ApiTokens = ApiTokens()
    gateway: Gateway = Gateway()
    queue: Queue = Queue()
    playground: Playground = Playground()
    logs: Logs = Logs()

    def skips(self, check: str) -> bool:
        """Whether a check is left out."""
        return any(check.startswith(name[:-1]) if name.endswith("*") else check == name for name in self.skip)

    def named_services(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The services that a file names, each with its key's path; the built-in names need not exist."""
        for key, part in self.model_dump(exclude_unset=True).items():
            if key == "dependencies":
                yield from ((f"checks.dependencies.{name}", services) for name, services in part.items())
            elif isinstance(part, dict):
                if "service" in part:
                    yield f"checks.{key}.service", (part["service"],)
                yield f"checks.{key}.allowed_services", part.get("allowed_services", ())
                for number, route in enumerate(part.get("routes", ())):
                    yield f"checks.{key}.routes.{number}.service", (route["service"],)
