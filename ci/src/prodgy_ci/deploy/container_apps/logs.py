"""Reads what a revision's containers wrote, from the platform's log stream.

This is what `az containerapp logs show` does (Azure CLI, containerapp/custom.py, stream_containerapp_logs): a token of the
app's own comes from POST …/containerApps/APP/getAuthtoken (ContainerApps_GetAuthToken), each container of a replica tells
its `logStreamEndpoint` (ContainerAppsRevisionReplicas_ListReplicas), and a GET there with ?follow=false&output=json and
that token gives one {"TimeStamp", "Log"} for each line, at most 300 of the last ones.
"""

import json
import re
from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

import httpx

from ...errors import ProdgyError
from .client import Client
from .view import Json

TAIL = 300
"""The most that the platform gives."""
SECONDS = 10.0

_ITS_OWN = re.compile(r"Connecting to the container '|Successfully [Cc]onnected to container: '")
"""What the platform says before the container's lines."""


async def lines(client: Client, app: str, revisions: Sequence[str]) -> AsyncIterator[str]:
    """The last lines of each container of the revisions, each with its line end; raises ProdgyError."""
    replicas = [replica for name in revisions for replica in await client.replicas(app, name)]
    places = [place for replica in replicas for place in _endpoints(replica)]
    if not places:
        return
    token = await client.log_token(app)
    patience = httpx.Timeout(SECONDS, read=None)  # a log may be quiet; who reads says for how long
    async with httpx.AsyncClient(timeout=patience, trust_env=not client.is_local(places[0])) as http:
        for place in places:
            parts = urlsplit(place)
            if parts.scheme != "https" and not client.is_local(place):
                raise ProdgyError(
                    f"{app}: its log stream is at {parts.scheme}://{parts.netloc}: no token is sent there"
                )
            async for line in _read(http, app, place, token):
                yield line


def _endpoints(replica: Json) -> list[str]:
    containers = (replica.get("properties") or {}).get("containers") or []
    return [str(one["logStreamEndpoint"]) for one in containers if one.get("logStreamEndpoint")]


async def _read(http: httpx.AsyncClient, app: str, place: str, token: str) -> AsyncIterator[str]:
    asked = {"follow": "false", "output": "json", "tailLines": str(TAIL)}
    url = httpx.URL(place).copy_merge_params(asked)
    try:
        async with http.stream("GET", url, headers={"Authorization": f"Bearer {token}"}) as answer:
            if answer.status_code != 200:
                raise ProdgyError(f"{app}: its log stream answered {answer.status_code}")
            async for line in answer.aiter_lines():
                said = text(line)
                if not _ITS_OWN.match(said):
                    yield f"{said}\n"
    except httpx.HTTPError as error:
        raise ProdgyError(
            f"{app}: its log stream at {urlsplit(place).netloc}: {error or type(error).__name__}"
        ) from None


def text(line: str) -> str:
    """What a container wrote, of a line of the stream; a line that is no such JSON is taken as it is."""
    try:
        found = json.loads(line)
    except ValueError:
        return line
    return str(found["Log"]) if isinstance(found, dict) and "Log" in found else line
