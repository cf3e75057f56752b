"""`python -m fakes.resource_manager --apps engine,gateway` prints its address and token as one line of JSON."""

import argparse
import json
import signal
import threading

from .apps import App
from .server import GROUP, SUBSCRIPTION, resource_manager


def main() -> None:
    parser = argparse.ArgumentParser(prog="fakes.resource_manager")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--apps", required=True, help="NAME, or NAME=SERVICE, separated by commas")
    parser.add_argument("--group", default=GROUP)
    parser.add_argument("--registry", default="registry.test")
    parser.add_argument("--broken", default="", help="digests that never become healthy, separated by commas")
    parser.add_argument("--seconds", type=float, default=0.0, help="how long a new revision takes to become healthy")
    options = parser.parse_args()
    apps = []
    for text in options.apps.split(","):
        name, _, service = text.partition("=")
        apps.append(App(name, service=service, registry=options.registry, seconds=options.seconds))
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    with resource_manager(apps, group=options.group, host=options.host, port=options.port) as manager:
        manager.broken_digests.update(filter(None, options.broken.split(",")))
        told = {"url": manager.url, "token": manager.token, "public": manager.public}
        print(json.dumps({**told, "subscription": SUBSCRIPTION, "group": manager.group}), flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
