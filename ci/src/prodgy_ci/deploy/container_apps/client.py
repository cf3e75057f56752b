"""A client of Azure Resource Manager that knows the dozen requests that a deployment needs."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import httpx
from pydantic import SecretStr

from ...errors import InputError, ProdgyError
from ..waiting import awaited, say
from . import states, view
from .answers import LOGIN, Lost, OperationFailed, Refused, retry_after
from .transport import Pace, Transport, as_object, next_look, token_seconds_left
from .view import Json

__all__ = ["Client", "Pace", "connect", "token_seconds_left"]

AZURE = "https://management.azure.com"
API_VERSION = "2025-07-01"
"""Of Microsoft.App: other versions check other things."""
GROUPS_VERSION = "2021-04-01"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@asynccontextmanager
async def connect(
    token: SecretStr,
    group: str,
    subscription: str | None = None,
    url: str = AZURE,
    pace: Pace | None = None,
    at_once: int = 8,
    option: str = "--arm-token",
    local: bool = False,
) -> AsyncIterator["Client"]:
    """A client for a resource group; where no subscription is given, the only visible one that holds the group.

    At most `at_once` requests are in flight; what waits between requests counts as none. `local`: no network lies before
    the address, as with one of this machine. Raises InputError for a token that has ended, an address that is neither
    https nor local, and a group that is not found or not unique; ProdgyError where Azure does not answer.
    """
    parts = urlsplit(url)
    local = local or parts.hostname in LOOPBACK
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise InputError(f"--arm-url: {url!r} is not https://: a token is sent there")
    if not re.fullmatch(r"[\x21-\x7e]+", token.get_secret_value()):
        raise InputError(f"{option}: is no token alone on one line: take it from {LOGIN}")
    left = token_seconds_left(token)
    if left is not None and left <= 0:
        raise InputError(f"{option}: the token for Azure ended {-left / 60:.0f} min ago; take a new one: {LOGIN}")
    if left is not None and left < 1800:
        say(f"{option}: the token for Azure lasts for {left / 60:.0f} min more")
    pace = pace or Pace()
    async with httpx.AsyncClient(timeout=pace.request, trust_env=not local) as http:
        transport = Transport(http, url.rstrip("/"), token, group, pace, at_once)
        client = Client(transport, subscription or "", parts.netloc if local else "")
        if not subscription:
            client.subscription = await client.find_subscription()
        yield client


class Client:
    """Use `connect`. Every method may raise ProdgyError, and says which app it is about."""

    def __init__(self, transport: Transport, subscription: str, local: str = "") -> None:
        self._to, self.subscription, self._local = transport, subscription, local

    @property
    def group(self) -> str:
        """The resource group."""
        return self._to.group

    def is_local(self, url: str) -> bool:
        """Whether no network lies before an address: it is of this machine, or where the local Azure itself answers."""
        parts = urlsplit(url)
        return parts.hostname in LOOPBACK or parts.netloc == self._local

    def check_token(self) -> None:
        """Raises ProdgyError where the token does not last for a change and for putting it back."""
        left = token_seconds_left(self._to.token)
        if left is not None and left < self._to.pace.token:
            raise ProdgyError(
                f"the token for Azure ends in {max(left, 0) / 60:.0f} min, which does not last for a change: "
                f"take a new one: {LOGIN}"
            )

    async def find_subscription(self) -> str:
        """The only visible subscription that holds the resource group."""
        visible = [
            str(one["subscriptionId"])
            for one in await self._to.pages("subscriptions", f"{self._to.url}/subscriptions?api-version=2022-12-01")
        ]
        holding = [one for one in visible if await self.resource_group(one)]
        if len(holding) == 1:
            return holding[0]
        found = f"{len(holding)} subscriptions hold" if holding else "no subscription that the token sees holds"
        seen = ", ".join(sorted(holding or visible)) or "it sees none"
        mend = "give the one with --subscription" if holding else "check the group's name and the token's rights"
        raise InputError(f"{found} the resource group {self.group} ({seen}): {mend}")

    async def resource_group(self, subscription: str | None = None) -> bool:
        """Whether the subscription holds the resource group, and the token may see it."""
        where = f"{self._to.url}/subscriptions/{subscription or self.subscription}/resourcegroups/{self.group}"
        try:
            await self._to.read(f"resource group {self.group}", f"{where}?api-version={GROUPS_VERSION}")
        except Refused as error:
            if error.status in (403, 404):
                return False
            raise
        return True

    async def app(self, app: str) -> Json | None:
        """A container app; None where there is none."""
        try:
            return await self._to.read(app, self._address(app))
        except Refused as error:
            if error.status == 404:
                return None
            raise

    async def revisions(self, app: str) -> list[Json]:
        """All revisions of an app."""
        return await self._to.pages(app, self._address(app, "/revisions"))

    async def revision(self, app: str, name: str) -> Json | None:
        """A revision; None where there is none, or not yet."""
        try:
            return await self._to.read(name, self._address(app, f"/revisions/{name}"))
        except Refused as error:
            if error.status == 404:
                return None
            raise

    async def replicas(self, app: str, name: str) -> list[Json]:
        """What runs of a revision."""
        return await self._to.pages(name, self._address(app, f"/revisions/{name}/replicas"))

    async def log_token(self, app: str) -> str:
        """What the app's log streams take."""
        what = f"{app}: getAuthtoken"
        answer = as_object(what, await self._to.send(what, "POST", self._address(app, "/getAuthtoken")))
        if not (token := (answer.get("properties") or {}).get("token")):
            raise ProdgyError(f"{what}: Azure's answer has no token in it")
        return str(token)

    async def activate(self, app: str, name: str) -> None:
        """Lets a revision run. For a minute after it was deactivated the service may refuse that: it is repeated."""
        await self._act(app, name, "activate", refusals=True)

    async def deactivate(self, app: str, name: str) -> None:
        """Lets a revision run no more."""
        await self._act(app, name, "deactivate")

    async def patch(self, app: str, body: Json, arrived: Callable[[], Awaitable[bool]]) -> None:
        """Changes an app and waits until the change's operation has ended.

        `arrived` reads whether the change is there: asked where the answer got lost, and before it is sent again.
        """
        attempts = self._to.attempts(self._to.pace.busy)
        async with awaited(f"the change of {app}"):
            while True:
                try:
                    answer = await self._to.send(app, "PATCH", self._address(app), body)
                except (Refused, Lost) as error:
                    if isinstance(error, Refused) and error.remedy == "none":
                        raise
                    if not (isinstance(error, Refused) and error.remedy == "later"):
                        await self.settled(app)
                        if await arrived():
                            return None
                    await attempts(error)
                else:
                    return await self._finished(app, answer)

    async def settled(self, app: str) -> None:
        """Returns when no operation runs on the app."""
        start = time.monotonic()
        while (found := await self.app(app)) is not None and view.busy(found):
            passed = time.monotonic() - start
            if passed > self._to.pace.busy:
                raise ProdgyError(
                    f"{app}: another operation on it has not ended for {self._to.pace.busy:.0f} s; see the app's "
                    "activity log, and try again when it has"
                )
            await anyio.sleep(next_look(passed, self._to.pace.poll))

    async def _finished(self, app: str, answer: httpx.Response) -> None:
        """Follows the operation of a change that was accepted."""
        status, place = answer.headers.get("Azure-AsyncOperation"), answer.headers.get("Location")
        if answer.status_code == 200 or not (status or place):
            return await self.settled(app)
        start = time.monotonic()
        while (passed := time.monotonic() - start) < self._to.pace.operation:
            await anyio.sleep(retry_after(answer.headers) or next_look(passed, self._to.pace.poll))
            try:
                answer = await self._to.get(app, self._to.same_host(status or place))
            except Refused as error:
                if error.status == 404:  # the record of an operation is kept for a while only
                    return await self.settled(app)
                if status or error.status in (401, 403):
                    raise
                raise OperationFailed(str(error)) from None
            verdict = states.operation(as_object(app, answer)) if status else _of_place(answer)
            if verdict.kind == "failed":
                raise OperationFailed(f"{app}: {verdict.reason}; the app's system log may tell more")
            if verdict.kind == "ready":
                return None
        raise ProdgyError(f"{app}: the change has not ended for {self._to.pace.operation:.0f} s")

    async def _act(self, app: str, name: str, verb: str, refusals: bool = False) -> None:
        attempts = self._to.attempts(self._to.pace.retries)
        while True:
            try:
                await self._to.send(f"{name}: {verb}", "POST", self._address(app, f"/revisions/{name}/{verb}"))
                return
            except (Refused, Lost) as error:
                again = refusals and isinstance(error, Refused) and error.status in (400, 409)
                if isinstance(error, Refused) and error.remedy == "none" and not again:
                    raise
                await attempts(error)

    def _address(self, app: str, rest: str = "") -> str:
        group = f"{self._to.url}/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{group}/providers/Microsoft.App/containerApps/{app}{rest}?api-version={API_VERSION}"


def _of_place(answer: httpx.Response) -> states.Verdict:
    return states.Verdict("waiting" if answer.status_code == 202 else "ready")
