"""`python -m fakes.winrm --folder F` prints its address, user and password as one line of JSON."""

import argparse
import json
import signal
import threading
from pathlib import Path

from .machine import ROOT, SERVICE
from .server import windows_machine


def main() -> None:
    parser = argparse.ArgumentParser(prog="fakes.winrm")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds for each request")
    parser.add_argument("--service", default=SERVICE)
    parser.add_argument("--root", default=ROOT, help="the folder of current and releases")
    options = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    named = {"service": options.service, "root": options.root, "port": options.port}
    with windows_machine(options.folder, tls=not options.http, delay=options.delay, **named) as machine:
        machine.install()
        told = {"host": machine.host, "port": machine.port, "user": machine.user, "password": machine.password}
        print(json.dumps({**told, "ca": str(machine.ca) if machine.ca else None}), flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
