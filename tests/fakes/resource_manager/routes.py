"""Which request does what."""

import contextlib
import json
import re
import socket
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, NamedTuple

from fakes.stack import NEEDS

from .apps import App, Refused
from .faults import Fault
from .revisions import Json, Revision

if TYPE_CHECKING:
    from .server import Manager

LOG_TOKEN = "canary-log-token"
APPS = r"/subscriptions/(?P<sub>[^/]+)/resourcegroups/(?P<group>[^/]+)/providers/microsoft\.app/containerapps"


class Answer(NamedTuple):
    status: int
    body: Any = None
    headers: dict[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    """A subclass of it is bound to one manager."""

    manager: "Manager"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the requests are kept by the manager."""

    def _serve(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path, _, query = self.path.partition("?")
        manager = self.manager
        with manager.lock:
            manager.requests.append(f"{self.command} {path}")
            fault = manager.faults.take(self.command, path, _app_of(path), text)
        if fault and fault.kind in ("fail", "lie"):
            return self._send(_scripted(fault))
        if fault and (fault.kind == "cut" or (fault.kind == "hang" and not fault.done)):
            return self._cut(fault.seconds if fault.kind == "hang" else 0)
        with manager.lock:
            answer = self._answer(path, dict(urllib.parse.parse_qsl(query)), text)
        if fault:
            return self._cut(fault.seconds if fault.kind == "hang" else 0)
        return self._send(answer)

    def _answer(self, path: str, query: dict[str, str], text: str) -> Answer:
        try:
            if path.startswith("/fqdn/"):
                return public(self.manager, self.command, path, self.headers, text)
            if path.startswith("/logs/"):
                return log(self.manager, path, self.headers.get("Authorization", ""))
            self._authorise()
            if "api-version" not in query:
                raise Refused(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
            body = json.loads(text) if text else None
            origin = f"http://{self.headers['Host']}"
            return route(Request(self.manager, self.command, path, query, body, origin))
        except Refused as error:
            return Answer(error.status, _error(error.code, error.message), error.headers)
        except ValueError as error:
            return Answer(400, _error("InvalidRequestContent", f"The request content was invalid: {error}"))

    def _authorise(self) -> None:
        given = self.headers.get("Authorization", "")
        if given.removeprefix("Bearer ") in self.manager.expired_tokens:
            raise Refused(401, "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than now.")
        if given != f"Bearer {self.manager.token}":
            raise Refused(401, "InvalidAuthenticationToken", "The access token is invalid.")

    def _send(self, answer: Answer) -> None:
        body = answer.body
        data = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else data)

    def _cut(self, seconds: float) -> None:
        if seconds:
            self.manager.stopping.wait(seconds)
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


class Request(NamedTuple):
    manager: "Manager"
    method: str
    path: str
    query: dict[str, str]
    body: Any
    origin: str

    def page(self, rows: list[Json]) -> Answer:
        """Some of the rows, with the address of the rest."""
        start, size = int(self.query.get("$skiptoken", 0)), self.manager.page_size
        answer: Json = {"value": rows[start : start + size]}
        if start + size < len(rows):
            query = urllib.parse.urlencode({**self.query, "$skiptoken": start + size})
            answer["nextLink"] = f"{self.origin}{self.path}?{query}"
        return Answer(200, answer)

    def group(self, subscription: str, group: str) -> None:
        if group.lower() not in (name.lower() for name in self.manager.groups.get(subscription, [])):
            raise Refused(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")

    def app(self, name: str) -> App:
        if name not in self.manager.apps:
            raise Refused(404, "ResourceNotFound", f"The Resource 'Microsoft.App/containerApps/{name}' was not found.")
        self.manager.apps[name].settle()
        return self.manager.apps[name]

    def revision(self, app: App, name: str) -> Revision:
        revision = app.revisions.get(name)
        if revision is None or revision.hidden > 0:
            if revision:
                revision.hidden -= 1
            raise Refused(404, "RevisionNotFound", f"Revision '{name}' was not found.")
        return revision


def route(request: Request) -> Answer:
    for method, pattern, action in ROUTES:
        if found := re.fullmatch(pattern, request.path, re.IGNORECASE):
            if method == request.method:
                groups = found.groupdict()
                if "group" in groups:
                    request.group(groups["sub"], groups.pop("group"))
                    groups.pop("sub")
                return action(request, **groups)
    raise Refused(404, "InvalidResourceType", f"{request.method} {request.path} is not known.")


def subscriptions(request: Request) -> Answer:
    rows = [{"subscriptionId": one, "displayName": one, "state": "Enabled"} for one in request.manager.groups]
    return request.page(rows)


def groups(request: Request, sub: str) -> Answer:
    names = request.manager.groups.get(sub, [])
    return request.page([{"id": f"/subscriptions/{sub}/resourceGroups/{name}", "name": name} for name in names])


def one_group(request: Request, sub: str, name: str) -> Answer:
    request.group(sub, name)
    return Answer(200, {"id": f"/subscriptions/{sub}/resourceGroups/{name}", "name": name})


def list_apps(request: Request) -> Answer:
    return request.page([app.answer() for app in request.manager.apps.values()])


def get_app(request: Request, app: str) -> Answer:
    return Answer(200, request.app(app).answer())


def patch_app(request: Request, app: str) -> Answer:
    request.manager.bodies.append(request.body)
    found = request.app(app)
    operation = found.patch(request.body)
    if request.manager.synchronous and not operation.error:
        operation.looks, operation.ends = 0, 0.0
        return Answer(200, found.answer())
    base = f"{request.origin}/subscriptions/{request.manager.subscription}/providers/Microsoft.App/locations/westeurope"
    api = f"?api-version={request.query['api-version']}"
    headers = {
        "Azure-AsyncOperation": f"{base}/containerappOperationStatuses/{operation.id}{api}",
        "Location": f"{base}/containerappOperationResults/{operation.id}{api}",
        "Retry-After": "0",
    }
    return Answer(202, None, headers)


def operation_status(request: Request, sub: str, id: str) -> Answer:
    for app in request.manager.apps.values():
        if app.operation and app.operation.id == id:
            status = app.operation.look()
            body: Json = {"id": request.path, "name": id, "status": status}
            if status == "Failed" and app.operation.error:
                body |= _error(*app.operation.error)
            return Answer(200, body, {"Retry-After": "0"})
    raise Refused(404, "OperationNotFound", f"Operation '{id}' was not found.")


def operation_result(request: Request, sub: str, id: str) -> Answer:
    for app in request.manager.apps.values():
        if app.operation and app.operation.id == id:
            status = app.operation.look()
            if status == "Failed" and app.operation.error:
                raise Refused(400, *app.operation.error)
            return Answer(202, None, {"Retry-After": "0"}) if status == "InProgress" else Answer(200, app.answer())
    raise Refused(404, "OperationNotFound", f"Operation '{id}' was not found.")


def list_revisions(request: Request, app: str) -> Answer:
    found = request.app(app)
    return request.page([found.revision_answer(one) for one in found.revisions.values() if not one.hidden])


def get_revision(request: Request, app: str, revision: str) -> Answer:
    found = request.app(app)
    return Answer(200, found.revision_answer(request.revision(found, revision)))


def replicas(request: Request, app: str, revision: str) -> Answer:
    found = request.revision(request.app(app), revision)
    return Answer(200, {"value": found.replicas(found.state(), f"{request.origin}/logs/{app}")})


def log_token(request: Request, app: str) -> Answer:
    return Answer(200, {"properties": {"token": f"{request.app(app).name} {LOG_TOKEN}"}})


def log(manager: "Manager", path: str, given: str) -> Answer:
    """The log stream of a container: /logs/APP/revisions/REVISION/containers/CONTAINER/logstream."""
    app = manager.apps[path.split("/")[2]]
    if given != f"Bearer {app.name} {LOG_TOKEN}":
        return Answer(401, "the token is not one of this app", {"Content-Type": "text/plain"})
    name = path.split("/")[6]
    told = [f"Connecting to the container '{name}'...", f"Successfully Connected to container: '{name}'", *app.log]
    text = "".join(json.dumps({"TimeStamp": "2026-01-01T00:00:00", "Log": line}) + "\n" for line in told)
    return Answer(200, text, {"Content-Type": "text/plain"})


def act(request: Request, app: str, revision: str, verb: str) -> Answer:
    found = request.app(app)
    one = request.revision(found, revision)
    if verb == "activate":
        if not one.active:
            found.start(one)
    elif verb == "deactivate":
        one.active = False
    elif not one.active:
        raise Refused(400, "RevisionNotActive", f"Revision '{revision}' is not active.")
    return Answer(200, f"{verb.capitalize()} succeeded" if verb != "activate" else None)


REVISION = rf"{APPS}/(?P<app>[^/]+)/revisions/(?P<revision>[^/]+)"
OPERATIONS = r"/subscriptions/(?P<sub>[^/]+)/providers/microsoft\.app/locations/[^/]+/containerappOperation"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"/subscriptions", subscriptions),
    ("GET", r"/subscriptions/(?P<sub>[^/]+)/resourcegroups", groups),
    ("GET", r"/subscriptions/(?P<sub>[^/]+)/resourcegroups/(?P<name>[^/]+)", one_group),
    ("GET", APPS, list_apps),
    ("GET", rf"{APPS}/(?P<app>[^/]+)", get_app),
    ("PATCH", rf"{APPS}/(?P<app>[^/]+)", patch_app),
    ("GET", rf"{APPS}/(?P<app>[^/]+)/revisions", list_revisions),
    ("GET", REVISION, get_revision),
    ("GET", rf"{REVISION}/replicas", replicas),
    ("POST", rf"{APPS}/(?P<app>[^/]+)/getauthtoken", log_token),
    ("POST", rf"{REVISION}/(?P<verb>activate|deactivate|restart)", act),
    ("GET", rf"{OPERATIONS}Statuses/(?P<id>[^/]+)", operation_status),
    ("GET", rf"{OPERATIONS}Results/(?P<id>[^/]+)", operation_result),
]


def public(manager: "Manager", method: str, path: str, headers: Any, text: str) -> Answer:
    """What the apps' visitors see: /fqdn/APP-OR-REVISION-OR-LABEL.DOMAIN/PATH."""
    fqdn, _, rest = path.removeprefix("/fqdn/").partition("/")
    revision = _served(manager, fqdn)
    if revision is None or not revision[1].active:
        return Answer(
            404, "Error 404 - This Container App is stopped or does not exist.", {"Content-Type": "text/html"}
        )
    app, one = revision
    one.woken = True
    if one.state().health != "Healthy":
        return Answer(503, "upstream connect error", {"Content-Type": "text/plain"})
    tells = {"service": app.service, "revision": one.environment().get("PRODGY_REVISION")}
    if app.service in NEEDS:
        own = manager.stack.headers(headers.get("Origin", ""))
        if method == "OPTIONS":
            return Answer(204, None, own)
        status, told = manager.stack.answer(app.service, method, f"/{rest}", headers, json.loads(text or "{}"))
        return Answer(status, {**told, **tells} if rest == "health" else told, own)
    body = {"status": "ok", **tells}
    return Answer(200, body) if rest == "health" else Answer(404, {"status": "error", "error": "not found"})


def _served(manager: "Manager", fqdn: str) -> tuple[App, Revision] | None:
    app = manager.apps.get(_app_of(f"/fqdn/{fqdn}") or "")
    if app is None or not app.configuration["ingress"] or not fqdn.endswith(f".{app.host}"):
        return None
    first = fqdn.partition(".")[0]
    if first == app.name:
        chosen = app.pick()
    elif "---" in first:
        entries = app.configuration["ingress"]["traffic"]
        label = first.rpartition("---")[2]
        names = [entry.get("revisionName") or app.latest_ready.name for entry in entries if entry.get("label") == label]
        chosen = app.revisions.get(names[0]) if names else None
    else:
        chosen = app.revisions.get(first)
    return (app, chosen) if chosen else None


def _app_of(path: str) -> str | None:
    """The app that a path is about."""
    if path.startswith("/fqdn/"):
        return path.split("/")[2].partition(".")[0].partition("--")[0]
    found = re.search(r"/containerapps/([^/]+)", path, re.IGNORECASE)
    return found[1] if found else None


def _scripted(fault: Fault) -> Answer:
    body = fault.answer if fault.kind == "lie" else _error(fault.code, fault.message)
    return Answer(fault.status, body, fault.headers)


def _error(code: str, message: str) -> Json:
    return {"error": {"code": code, "message": message}}
