"""The HTTP side: `resource_manager(apps=["engine", App("worker", ingress=False)])`."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import ThreadingHTTPServer
from typing import Any

from fakes.stack import Stack

from .apps import App
from .faults import Fault, Faults
from .routes import Handler

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = "prodgy-dev"


class Manager:
    """A running one. Its fields are read when requests come: tests change them at any time."""

    def __init__(self, apps: Sequence[App | str], subscription: str, group: str, host: str, port: int) -> None:
        self.subscription, self.group = subscription, group
        self.groups = {subscription: [group]}
        """The resource groups of each visible subscription."""
        self.broken_digests: set[str] = set()
        """Images that never become healthy."""
        self.missing_digests: set[str] = set()
        """Images that the registry does not have: their revisions are never made."""
        self.stack = Stack()
        """What the sample's services answer beside their revision, and what of them is broken."""
        self.page_size = 20
        self.synchronous = False
        """Whether a PATCH answers 200 with the app, and not 202."""
        self.token = token(3600)
        self.expired_tokens: set[str] = set()
        self.requests: list[str] = []
        self.bodies: list[Any] = []
        """The PATCH requests' bodies."""
        self.faults = Faults()
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.apps: dict[str, App] = {}
        for app in apps:
            self.add(App(app) if isinstance(app, str) else app)
        self._server = _Server((host, port), type("BoundHandler", (Handler,), {"manager": self}))
        self.url = f"http://{host}:{self._server.server_port}"
        self.stack.origins.add(self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def add(self, app: App) -> App:
        app.id = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        app.id += f"/providers/Microsoft.App/containerApps/{app.name}"
        app.broken, app.missing = self.broken_digests, self.missing_digests
        self.apps[app.name] = app
        return app

    @property
    def public(self) -> str:
        """The address of the public side, with {fqdn} in it."""
        return self.url + "/fqdn/{fqdn}"

    def public_url(self, fqdn: str) -> str:
        """Where the app, revision or label of that name is served."""
        return self.public.format(fqdn=fqdn)

    def writes(self) -> list[str]:
        """What was asked to change an app; visitors of the apps change none."""
        asked = [request for request in self.requests if "/fqdn/" not in request]
        return [request for request in asked if not request.startswith(("GET", "HEAD"))]

    def expire_token(self) -> None:
        """The present token is answered with 401 from now on."""
        self.expired_tokens.add(self.token)

    def fault(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    def fail(self, **wanted: Any) -> Fault:
        """Answers with status and code, and does nothing."""
        return self.fault(Fault("fail", **wanted))

    def cut(self, **wanted: Any) -> Fault:
        """Ends the connection, and does nothing."""
        return self.fault(Fault("cut", **wanted))

    def lose_answer(self, **wanted: Any) -> Fault:
        """Does what is asked, then ends the connection."""
        return self.fault(Fault("lose", **wanted))

    def hang(self, **wanted: Any) -> Fault:
        """Answers nothing for `seconds`, then ends the connection; with done=True it did what was asked."""
        return self.fault(Fault("hang", **wanted))

    def lie(self, answer: Any, status: int = 200, **wanted: Any) -> Fault:
        """Gives this answer (an object, or text as it is), and does nothing."""
        return self.fault(Fault("lie", answer=answer, status=status, **wanted))

    def fail_operation(self, app: str, message: str, code: str = "ContainerAppOperationError") -> None:
        """The next PATCH of the app is accepted, and its operation fails."""
        self.apps[app].operation_error = (code, message)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are part of the tests."""


def token(lifetime: float) -> str:
    """A bearer token in the form of the real ones: a JWT that names when it ends."""
    claims = {"aud": "https://management.azure.com/", "exp": int(time.time() + lifetime), "tid": "tenant"}
    parts = [{"alg": "none"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "canary-arm-token"])


@contextlib.contextmanager
def resource_manager(
    apps: Sequence[App | str] = (),
    *,
    subscription: str = SUBSCRIPTION,
    group: str = GROUP,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Manager]:
    """Starts one; it ends with the block."""
    manager = Manager(apps, subscription, group, host, port)
    manager.start()
    try:
        yield manager
    finally:
        manager.stop()
