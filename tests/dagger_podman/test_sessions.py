"""A session is safe, and leaves nothing behind however it ends."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dagger_podman import host, store
from dagger_podman.podman import Podman
from dagger_podman.prune import prune_steps
from dagger_podman.session import runtime_folder

PROGRAM = str(Path(sys.executable).with_name("dagger-podman"))
KILLED = int(os.environ.get("KILLED_SESSIONS", "3"))
"""How many sessions are killed; a hundred take three minutes."""
BASE = 'container { from(address: "python:3.13-slim")'


class Client:
    """A `dagger-podman session` and the queries sent to it."""

    def __init__(self, state: Path, environment: dict[str, str]) -> None:
        before = set(state.rglob("sessions/*"))
        self.process = subprocess.Popen(
            [PROGRAM, "session"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "XDG_STATE_HOME": str(state), **environment},
        )
        assert self.process.stdout
        self.address = json.loads(self.process.stdout.readline() or "{}")
        (self.lock,) = set(state.rglob("sessions/*")) - before

    def post(self, query: str, token: str | None = None) -> dict[str, Any]:
        user = self.address["session_token"] if token is None else token
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.address['port']}/query",
            json.dumps({"query": query}).encode(),
            {"Authorization": "Basic " + base64.b64encode(f"{user}:".encode()).decode()},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def run(self, script: str, before: str = "") -> str:
        """The standard output of a shell script in a container."""
        opened = f"{{ {BASE} {{ {before} withExec(args: {json.dumps(['sh', '-c', script])}) {{ stdout"
        answer = self.post(opened + " }" * opened.count("{"))
        while "stdout" not in answer.get("data", {}) and "errors" not in answer:
            (answer,) = ({"data": v} for v in answer["data"].values())
        assert "errors" not in answer, answer
        return str(answer["data"]["stdout"])

    def end(self, number: int = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[1].decode()


Start = Callable[..., Client]


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    clients: list[Client] = []
    state = tmp_path_factory.mktemp("state")  # of these sessions alone: others may be at work on this machine

    def make(**environment: str) -> Client:
        clients.append(Client(state, environment))
        return clients[-1]

    yield make
    for client in clients:
        if client.process.returncode is None:
            client.end(signal.SIGKILL)
    Client(state, {}).end()  # the next session removes what the killed ones left


def podman(*arguments: str) -> list[str]:
    environment = {**os.environ, **host.podman_environment(store.default_folder())}
    done = subprocess.run(["podman", *arguments], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.split()


def processes() -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found.append((folder / "cmdline").read_text(errors="replace"))
    return found


def left_behind(*clients: Client) -> list[str]:
    """Containers, networks, secrets, processes, temporary files and files in memory of sessions."""
    names = [
        *podman("ps", "-a", "--format", "{{.Names}}"),
        *podman("network", "ls", "--format", "{{.Name}}"),
        *podman("secret", "ls", "--format", "{{.Name}}"),
        *os.listdir(runtime_folder()),
        *os.listdir(store.default_folder() / "tmp"),
        *(str(client.lock) for client in clients if client.lock.exists()),
        *processes(),
    ]
    return [name for name in names if any(client.lock.name in name for client in clients)]


SERVICE = f"""{{ {BASE} {{ withExposedPort(port: 8000) {{
    asService(args: ["python", "-m", "http.server", "8000"]) {{ start }} }} }} }} }}"""


def test_only_loopback_is_listened_on(start: Start) -> None:
    port = f"{start().address['port']:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [row[1] for row in rows if row[1].endswith(f":{port}") and row[3] == "0A"] == [f"0100007F:{port}"]


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000])
def test_nothing_is_answered_without_the_token(start: Start, token: str) -> None:
    client = start()
    with pytest.raises(urllib.error.HTTPError) as error:
        client.post("{ version }", token)
    assert error.value.code in (400, 401, 431)
    error.value.close()


def test_a_session_ends_when_its_input_is_closed(start: Start) -> None:
    client = start()
    client.post(SERVICE)
    client.process.communicate(timeout=30)
    assert client.process.returncode == 0
    assert left_behind(client) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order(start: Start, number: int) -> None:
    client = start()
    client.post(SERVICE)
    assert left_behind(client)
    client.end(number)
    assert client.process.returncode == 128 + number
    assert left_behind(client) == []


DEAF = "trap '' INT TERM; sleep"
"""A command that does not listen to signals."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize(
    "work",
    [
        f'{BASE} {{ withExec(args: ["sh", "-c", "{DEAF} MARK"]) {{ stdout }} }} }}',
        f'directory {{ withNewFile(path: "Dockerfile", contents: "FROM python:3.13-slim\\nRUN {DEAF} MARK")'
        " { dockerBuild { stdout } } }",
    ],
    ids=["exec", "build"],
)
def test_a_command_that_does_not_listen_ends_with_its_session(start: Start, work: str, number: int) -> None:
    client, mark = start(), f"300.{time.time_ns()}"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, "{ " + work.replace("MARK", mark) + " }")
        while not any(process.startswith("sleep") and mark in process for process in processes()):
            assert not answer.done(), answer.result()
            time.sleep(0.1)
        client.end(number)
        assert answer.exception()
    if number == signal.SIGKILL:
        start().post("{ version }")
    until = time.monotonic() + 20
    while time.monotonic() < until and any(mark in process for process in processes()):
        time.sleep(0.1)
    assert [process for process in processes() if mark in process] == []
    assert left_behind(client) == []


def test_what_a_killed_session_left_is_removed_by_the_next(start: Start) -> None:
    client = start()
    client.post(SERVICE)
    client.end(signal.SIGKILL)
    assert left_behind(client)
    start().post("{ version }")
    assert left_behind(client) == []


def test_many_killed_sessions_leave_the_machine_as_it_was(start: Start) -> None:
    clients = []
    for _ in range(KILLED):
        clients.append(start())
        clients[-1].post(SERVICE)
        clients[-1].end(signal.SIGKILL)
    assert len(left_behind(clients[-1])) > 5
    start().post("{ version }")
    assert left_behind(*clients) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_another_command_is_stopping_is_stopped_too(start: Start, number: int) -> None:
    client = start()
    client.post(SERVICE)
    (name,) = [n for n in podman("ps", "--format", "{{.Names}}") if client.lock.name in n]
    environment = {**os.environ, **host.podman_environment(store.default_folder())}
    with subprocess.Popen(["podman", "stop", "-t", "30", name], env=environment, stderr=subprocess.DEVNULL) as stopping:
        while podman("inspect", "--format", "{{.State.Status}}", name) != ["stopping"]:
            time.sleep(0.1)
        client.end(number)
        start().post("{ version }")
        stopping.wait(20)
    assert left_behind(client) == []


def test_a_killed_podman_is_said_and_the_next_try_works(start: Start) -> None:
    client = start()
    script = f"sleep 3; echo done {time.time_ns()}"

    def kill() -> None:
        while not any(process.startswith("sh\0") and script in process for process in processes()):
            time.sleep(0.1)
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().split(b"\0")
                if command[0].endswith(b"podman") and script.encode() in command:
                    os.kill(int(folder.name), signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    answer = client.post(f"{{ {BASE} {{ withExec(args: {json.dumps(['sh', '-c', script])}) {{ stdout }} }} }} }}")
    thread.join()
    assert "errors" in answer
    assert client.run(script).startswith("done")


def test_two_sessions_share_one_cache(start: Start) -> None:
    script = f"echo {time.time_ns()}; cat /proc/sys/kernel/random/uuid"
    clients = [start(), start()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda c: c.run(script), clients))
    assert start().run(script) in {c.run(script) for c in clients}


def test_images_made_at_once_each_get_their_own(start: Start) -> None:
    client, marks = start(), [f"{time.time_ns()}-{number}" for number in range(8)]

    def label_of(mark: str) -> str:
        name = f"localhost/dagger-podman/test:{mark}"
        client.post(f'{{ {BASE} {{ withLabel(name: "mark", value: "{mark}") {{ exportImage(name: "{name}") }} }} }} }}')
        (label,) = podman("image", "inspect", "--format", "{{.Labels.mark}}", name)
        podman("rmi", name)
        return label

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(label_of, marks)) == marks


def test_a_corrupted_cache_entry_counts_as_absent(start: Start, tmp_path: Path) -> None:
    client = start(DAGGER_PODMAN_CACHE=str(tmp_path))
    first = client.run("echo right")
    client.end()
    for path in tmp_path.glob("exec/**/*.json"):
        path.write_bytes(path.read_bytes()[:-5] + b"wrong")
    for path in tmp_path.glob("blobs/**/*"):
        if path.is_file():
            path.chmod(0o600)
            path.write_bytes(b"")
    assert start(DAGGER_PODMAN_CACHE=str(tmp_path)).run("echo right") == first == "right\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_said_and_leaves_no_wrong_entry(start: Start, tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "small", str(tmp_path)], check=True)
    try:
        client = start(DAGGER_PODMAN_CACHE=str(tmp_path))
        content = "x" * 4_000_000
        answer = client.post(f'{{ directory {{ withNewFile(path: "a", contents: "{content}") {{ entries }} }} }}')
        assert f"{tmp_path}: No space left on device; name another" in answer["errors"][0]["message"]
        assert client.post("{ version }")["data"]
        client.end()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_registry_that_accepts_and_never_answers_is_given_up(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}/none:1"
        began = time.monotonic()
        answer = start().post(f'{{ container {{ from(address: "{address}") {{ rootfs {{ entries }} }} }} }}')
    assert address in answer["errors"][0]["message"]
    assert time.monotonic() - began < 30


def test_a_killed_module_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[1] / "golden/probe", tmp_path / "probe")
    command = [PROGRAM, "call", "-m", str(tmp_path / "probe"), "--greeting", str(time.time_ns()), "semantics"]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment) as process:
        assert process.stderr
        said = b""
        for line in process.stderr:
            said += line
            if line.endswith(b": Probe.semantics\n"):
                (session,) = tmp_path.rglob("sessions/*")
                podman("kill", f"dagger-podman-{session.name}-module")
    assert process.returncode == 1
    assert b"Error: the module's container ended unexpectedly" in said
    assert [name for name in podman("ps", "-a", "--format", "{{.Names}}") if session.name in name] == []


def test_secrets_are_found_nowhere(start: Start, tmp_path: Path) -> None:
    first, second = (f"canary-{os.urandom(8).hex()}" for _ in range(2))
    client = start(DAGGER_PODMAN_CACHE=str(tmp_path / "cache"))
    made = client.post(f'{{ setSecret(name: "token", plaintext: "{first}\\n{second}\\n") {{ id }} }}')
    secret = made["data"]["setSecret"]["id"]
    said = [json.dumps(made)]
    seen: list[str] = []

    def look() -> None:
        for _ in range(40):
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    command = (folder / "cmdline").read_text(errors="replace")
                    seen.extend(c for c in (first, second) if c in command)
            time.sleep(0.05)

    thread = threading.Thread(target=look)
    thread.start()
    split = "printf %s $(echo $TOKEN | cut -c 1-9); sleep 1; echo $TOKEN | cut -c 10-"
    printed = client.run(
        f"{split}; cat /run/secret; tail -n 1 /run/secret; echo $TOKEN > /copy; rm /copy",
        f'withSecretVariable(name: "TOKEN", secret: "{secret}") {{ withMountedSecret(path: "/run/secret", source: "{secret}") {{',
    )
    thread.join()
    assert printed.count("***") >= 4
    build = 'directory { withNewFile(path: "Dockerfile", contents: "FROM python:3.13-slim\\nRUN --mount=type=secret,id=token '
    for end, then in (
        ("cat /run/secrets/token; exit 5", "stdout"),
        ("wc -c /run/secrets/token", f'export(path: "{tmp_path}/x")'),
    ):
        answer = client.post(f'{{ {build}{end}\\n") {{ dockerBuild(secrets: ["{secret}"]) {{ {then} }} }} }} }}')
        assert ("errors" in answer) == (then == "stdout"), answer
        said.append(json.dumps(answer))
    shown = "\n".join([*said, printed, client.end()])
    assert [c for c in (first, second) if c in shown] == seen == []
    for folder in (tmp_path, Path("/dev/shm"), Path(runtime_folder())):  # the image of the build lies there, too
        for canary in (first, second):
            found = subprocess.run(["grep", "-rlF", canary, str(folder)], capture_output=True, text=True, check=False)
            assert found.stdout == ""


def test_a_module_whose_image_was_removed_gets_it_again(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[1] / "golden/probe", tmp_path / "probe")
    cache = store.Store(store.default_folder())

    def call() -> set[str]:
        command = [PROGRAM, "call", "-m", str(tmp_path / "probe"), "--greeting", str(time.time_ns()), "semantics"]
        subprocess.run(command, check=True, capture_output=True)
        return {path.stem for path in (cache.folder / "runtimes").rglob("*.json")}

    for digest in call():
        remembered = cache.read("runtimes", digest)
        assert remembered
        cache.write("runtimes", digest, {**remembered, "image": "0" * 64})
    call()


def test_what_the_modules_process_wrote_is_its_own_and_what_the_caller_has_is_not(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parents[1] / "golden/probe", tmp_path / "probe")
    with (tmp_path / "probe/ci/src/probe/main.py").open("a") as source:
        source.write(
            """
    @function
    async def of_the_caller(self) -> str:
        return await dag.secret("env://HOME").plaintext()

    @function
    async def written(self, path: str, said: str) -> list[dagger.File]:
        found = []
        for text in (said, "later"):
            with open("/written.txt", "w") as file:
                file.write(text)
            found.append(await dag.current_module().workdir_file(path).sync())
        return found
"""
        )
    said = str(time.time_ns())

    def call(path: str) -> subprocess.CompletedProcess[str]:
        function = ["written", "--path", path, "--said", said, "contents"]
        command = [PROGRAM, "call", "-m", str(tmp_path / "probe"), *function]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert call("written.txt").stdout.split() == [said, "later"]
    assert call("written.txt").stdout.split() == [said, "later"], "a kept result, in another container"
    assert "workdir path '../written.txt' escapes workdir" in call("../written.txt").stderr
    assert "workdir path 'tmp' is a directory, not a file" in call("tmp").stderr
    assert "missing" in call("missing").stderr
    command = [PROGRAM, "call", "-m", str(tmp_path / "probe"), "of-the-caller"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "Query.secret inside a module is not available" in refused.stderr


@pytest.mark.parametrize(
    "mount", ["", 'withMountedDirectory(path: "/made", source: "{empty}") {{'], ids=["image", "mount"]
)
def test_content_that_was_pruned_is_made_again(start: Start, mount: str) -> None:
    said = str(time.time_ns())

    def read() -> str:
        client = start()
        empty = client.post("{ directory { id } }")["data"]["directory"]["id"]
        opened = mount.format(empty=empty)
        script = json.dumps(["sh", "-c", f"mkdir -p /made && printf {said} > /made/file"])
        query = f'{{ {BASE} {{ {opened} withExec(args: {script}) {{ directory(path: "/made") {{ file(path: "file") {{ contents'
        answer = client.post(query + " }" * (query.count("{") - query.count("}")))
        found = answer["data"]["container"]["from"]
        found = found["withMountedDirectory"] if mount else found
        return str(found["withExec"]["directory"]["file"]["contents"])

    assert read() == said
    store.Store(store.default_folder()).blob(hashlib.sha256(said.encode()).hexdigest()).unlink()
    assert read() == said


def unnamed() -> set[str]:
    return set(podman("images", "--all", "--quiet", "--no-trunc", "--filter", "dangling=true"))


def test_with_a_builds_image_go_the_steps_that_podman_keeps_unnamed(start: Start, tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"FROM scratch\nLABEL theirs={time.time_ns()}\n")
    (theirs,) = podman("build", "--quiet", str(tmp_path))
    printed = f"RUN printf '\\377\\n--> {theirs[:11]}\\n' && date +%N > "  # no UTF-8, and what looks like a step
    stages = [f"FROM python:3.13-slim AS {one}\n{printed}/{one}\n" for one in ("first", "second")]
    copied = "FROM python:3.13-slim\nCOPY --from=first /first /\nCOPY --from=second /second /\n"
    lines = "".join([*stages, copied])
    build = f'{{ directory {{ withNewFile(path: "Dockerfile", contents: {json.dumps(lines)}) {{ dockerBuild {{ sync'
    before = unnamed()
    client = start(DAGGER_PODMAN_CACHE=str(tmp_path / "cache"))
    assert "errors" not in client.post(build + " }" * build.count("{"))
    client.end()
    cache, program = store.Store(tmp_path / "cache"), Podman(host.podman_environment(tmp_path))
    steps = unnamed() - before
    assert len(steps) == 2, "Podman kept no image of the first stages"
    asyncio.run(prune_steps(program, cache))
    assert steps <= unnamed(), "steps of an image that is kept were removed"
    (entry,) = (path for path in (cache.folder / "images").rglob("*") if path.is_file())
    podman("rmi", f"localhost/dagger-podman/build:{entry.stem[:32]}")
    entry.unlink()
    asyncio.run(prune_steps(program, cache))
    assert not steps & unnamed()
    podman("rmi", theirs)  # it is still there
    assert not [path for path in (cache.folder / "steps").rglob("*") if path.is_file()]
