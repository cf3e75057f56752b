"""Whatever fails on the way, at the end the new release serves whole, or the former one does; and a rerun succeeds."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import anyio
import pytest
from fakes.winrm import Machine, windows_machine
from pydantic import SecretStr

from prodgy_ci.deploy import rollout
from prodgy_ci.deploy.record import Deployments
from prodgy_ci.deploy.target import Release
from prodgy_ci.deploy.windows_vm.settings import Settings
from prodgy_ci.deploy.windows_vm.target import WindowsService
from prodgy_ci.errors import InputError, ProdgyError

pytestmark = pytest.mark.anyio

SERVICE = "assistant"
OLD, NEW = "1" * 40, "2" * 40
OWN_SETTINGS = "appsettings.Production.json"
HTTP_FAULTS = ("cut", "lost", "hang", "error", "wrong", "fault-2150858793", "busy-170", "max-operations", "no-shell")
STEP_FAULTS = ("cut", "lost", "hang", "kill", "error")
STAGING = ("preflight", "lock", "verify", "extract", "preserve", "answer")
SWITCHING = (
    "preflight",
    "lock",
    "stop",
    "swap",
    "swap.half",
    "swap.done",
    "start",
    "stable",
    "health",
    "prune",
    "answer",
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def running(folder: Path, tls: bool = True) -> Iterator[Machine]:
    with windows_machine(folder / "machine", tls=tls) as made:
        made.patience = 0.05
        made.install()
        yield made
    assert made.errors == []


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with running(tmp_path) as made:
        yield made


BREAKING = ("cut", "lost", "hang")
"""What TLS sees too; the other faults lie above it, and are met over HTTP, which is quicker."""
SHORT = {"read_timeout": 0.25, "status_timeout": 0.4, "staging_timeout": 0.4, "switching_timeout": 0.4}
"""Where something hangs."""


def target(machine: Machine, **changed: object) -> WindowsService:
    """A new one, as each run has."""
    root = "C:\\prodgy\\assistant"
    values: dict[str, object] = {
        "host": machine.host,
        "port": machine.port,
        "user": machine.user,
        "password": SecretStr(machine.password),
        "ca": machine.ca,
        "scheme": "https" if machine.ca else "http",
        "service": machine.service.name,
        "folder": f"{root}\\current",
        "releases": f"{root}\\releases",
        "nssm": "C:\\nssm\\nssm.exe",
        "health": "http://127.0.0.1:5000/health",
        "keep": 2,
        "stop_seconds": 30,
        "health_seconds": 2,
        "retry_interval": 0.01,
        "settle_timeout": 4.0,
    }
    return WindowsService(SERVICE, Settings(**{**values, **changed}).validated())  # type: ignore[arg-type]


def release(folder: Path, commit: str = NEW, *files: str) -> Release:
    """A published one; `files` say what is wrong with its program."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in ("Prodgy.Assistant.exe", *files):
            archive.writestr(zipfile.ZipInfo(name), f"{name} of {commit}")
        archive.writestr(zipfile.ZipInfo("release.json"), json.dumps({"commit": commit}))
    folder = folder / commit[0]
    folder.mkdir(exist_ok=True)
    (folder / f"{SERVICE}.zip").write_bytes(held.getvalue())
    digest = f"sha256:{hashlib.sha256(held.getvalue()).hexdigest()}"
    return Release(SERVICE, commit, digest, f"registry.example/prodgy-{SERVICE}:{commit}@{digest}", folder)


async def deploy(machine: Machine, new: Release, **changed: object) -> Deployments:
    return await rollout.deploy("development", new.commit, {SERVICE: new}, [target(machine, **changed)])


async def rollback(machine: Machine, to: str | None = None) -> Deployments:
    return await rollout.rollback("development", [target(machine)], to)


def serving(machine: Machine, commit: str) -> None:
    """A release serves that an earlier deployment left there, and more former ones than are kept."""

    def record(commit: str) -> bytes:
        told = {"release": f"{commit[:10]}-12345678", "commit": commit, "digest": f"sha256:{commit[0] * 64}"}
        return json.dumps({**told, "since": f"2026-01-0{commit[0]}T00:00:00Z"}).encode()

    machine.service.nssm("stop")
    machine.clock.sleep(60)
    for former in ("7" * 40, "8" * 40, "9" * 40):
        machine.disk[f"C:\\prodgy\\assistant\\releases\\{former[:10]}-12345678\\deployment.json"] = record(former)
    own_settings = machine.disk[f"{machine.service.folder}\\{OWN_SETTINGS}"]
    files = {OWN_SETTINGS: own_settings, "release.json": json.dumps({"commit": commit}).encode()}
    machine.install({"Prodgy.Assistant.exe": b"MZ", "deployment.json": record(commit), **files})


def whole(machine: Machine, commit: str | None) -> None:
    """The release of the commit serves, nothing half done is left, and the machine's own file is as it was."""
    assert machine.service.serves == commit
    assert machine.service.unhealthy(commit) is None
    tree = machine.disk.tree(machine.service.folder)
    assert json.loads(tree.get("release.json", b'{"commit": null}'))["commit"] == commit
    assert tree[OWN_SETTINGS] == b'{"secret": "of the machine"}'
    left = {path.rpartition("\\")[2] for path in machine.disk.folders("C:\\prodgy\\assistant\\releases")}
    assert not any(name.endswith(".new") for name in left)
    assert "C:\\prodgy\\assistant\\releases\\.prodgy\\deploy.state.json" not in machine.disk


async def test_a_release_and_the_way_back_and_forth(machine: Machine, tmp_path: Path) -> None:
    machine.service.stop_seconds = 20  # nssm stop exits with 1
    assert await target(machine).serving() is None  # put there by hand
    for commit in (OLD, NEW):
        record = await deploy(machine, release(tmp_path, commit))
        assert record.result == "deployed"
        whole(machine, commit)
    after = record.services[SERVICE].after
    assert after is not None and (after.commit, after.digest) == (NEW, release(tmp_path).digest) and after.since
    assert (await rollback(machine)).result == "deployed"
    whole(machine, OLD)
    assert (await rollback(machine, NEW[:7])).result == "deployed"
    whole(machine, NEW)


async def test_what_serves_already_is_left_alone(machine: Machine, tmp_path: Path) -> None:
    await deploy(machine, release(tmp_path))
    starts = machine.service.starts
    assert (await deploy(machine, release(tmp_path))).result == "unchanged"
    assert machine.service.starts == starts


async def test_what_serves_unhealthily_is_deployed_again(machine: Machine, tmp_path: Path) -> None:
    await deploy(machine, release(tmp_path))
    machine.service.nssm("stop")
    machine.clock.sleep(60)
    assert (await deploy(machine, release(tmp_path))).result == "deployed"
    whole(machine, NEW)


async def test_only_so_many_former_releases_are_kept(machine: Machine, tmp_path: Path) -> None:
    for digit in "1234":
        machine.clock.sleep(60)
        await deploy(machine, release(tmp_path, digit * 40))
    assert [one.commit[0] for one in await target(machine).history()] == ["3", "2"]


@pytest.mark.parametrize("file", ["BROKEN", "CRASH", "CRASH-LATER"])
async def test_a_release_that_does_not_run_is_undone_and_nothing_to_go_back_to(
    machine: Machine, tmp_path: Path, file: str
) -> None:
    await deploy(machine, release(tmp_path, OLD))
    record = await deploy(machine, release(tmp_path, NEW, file))
    assert record.result == "rolled back"
    assert "exit 30" in str(record.services[SERVICE].error)
    whole(machine, OLD)
    assert NEW not in [one.commit for one in await target(machine).history()]


async def test_what_another_service_fails_goes_back_too_and_is_no_former_release(
    machine: Machine, tmp_path: Path
) -> None:
    await deploy(machine, release(tmp_path, OLD))

    async def check() -> None:
        raise ProdgyError("another service is broken")

    new = release(tmp_path)
    record = await rollout.deploy("development", NEW, {SERVICE: new}, [target(machine)], check)
    assert record.result == "rolled back"
    whole(machine, OLD)
    assert NEW not in [one.commit for one in await target(machine).history()]


async def test_a_failed_first_release_leaves_the_service_stopped_as_it_was(machine: Machine, tmp_path: Path) -> None:
    machine.service.nssm("stop")
    machine.clock.sleep(60)
    for file in ("CRASH", "CRASH-LATER"):
        assert (await deploy(machine, release(tmp_path, NEW, file))).result == "rolled back"
        assert machine.service.state == "Stopped"
    assert (await deploy(machine, release(tmp_path))).result == "deployed"
    whole(machine, NEW)


async def test_somebody_elses_release_in_between_is_not_overwritten(machine: Machine, tmp_path: Path) -> None:
    ours, theirs = target(machine), target(machine)
    await ours.prepare(release(tmp_path, NEW))
    await theirs.prepare(release(tmp_path, OLD))
    await theirs.switch()
    await ours.prepare(release(tmp_path, NEW))
    await theirs.prepare(release(tmp_path, "3" * 40))
    await theirs.switch()
    with pytest.raises(ProdgyError, match=r"not staged|somebody else deployed meanwhile"):
        await ours.switch()
    await ours.restore()
    whole(machine, "3" * 40)


async def test_what_will_be_done_is_described_without_doing_it(machine: Machine, tmp_path: Path) -> None:
    before = set(machine.disk)
    text = await target(machine).describe(release(tmp_path))
    assert "-Mode Stage" in text and "-Mode Switch" in text and "current" in text
    assert set(machine.disk) == before and machine.requests == []


async def test_an_image_without_the_archive_is_refused(machine: Machine, tmp_path: Path) -> None:
    new = release(tmp_path)
    assert new.files
    (new.files / f"{SERVICE}.zip").unlink()
    with pytest.raises(InputError, match=r"holds no assistant\.zip"):
        await target(machine).prepare(new)


async def test_the_machine_is_told_for_the_checklist(machine: Machine) -> None:
    machine.administrator = False
    found = await target(machine).machine()
    assert (found.computer, found.administrator, found.service, found.nssm) == ("VM-1", False, "Running", True)
    assert found.free_bytes > 0


async def test_nothing_secret_in_what_is_told(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = await deploy(machine, release(tmp_path, NEW, "CRASH"))
    told = capsys.readouterr()
    everything = [record.model_dump_json(), told.out, told.err, *machine.requests]
    assert not any(machine.password in text for text in everything)
    machine.password, held = "another", machine.password
    with pytest.raises(ProdgyError, match="VM_PASSWORD") as caught:
        await target(machine).serving()
    assert held not in str(caught.value) and "another" not in str(caught.value)


def _cases() -> list[tuple[str, str, str]]:
    requests = [
        (at, kind, mode)
        for at in ("create", "command", "receive")
        for kind in HTTP_FAULTS
        for mode in ("Stage", "Switch")
    ]
    sends = [("send", kind, "") for kind in (*HTTP_FAULTS, "wrong-hash")]
    ends = [(at, kind, "") for at in ("delete", "signal") for kind in ("cut", "lost", "error")]
    steps = [
        (f"step:{step}", kind, mode)
        for mode, its in (("Stage", STAGING), ("Switch", SWITCHING))
        for step in its
        for kind in (*STEP_FAULTS, *(["wrong"] if step == "answer" else []))
    ]
    return [*requests, *sends, *ends, *steps]


@pytest.mark.fault_matrix
@pytest.mark.parametrize(("at", "kind", "mode"), _cases())
async def test_every_fault_at_every_place_ends_whole(tmp_path: Path, at: str, kind: str, mode: str) -> None:
    with running(tmp_path, tls=kind in BREAKING) as machine:
        serving(machine, OLD)
        matching = f"-Mode {mode} " if mode and at != "create" else ""
        after = {"create": 2 if mode == "Stage" else 3, "send": 3}.get(at, 0)
        machine.fault(at, kind, after=after, matching=matching)  # type: ignore[arg-type]
        if at == "signal":  # it is sent to end what takes too long
            machine.fault("step:extract", "hang", matching="-Mode Stage ")
        record = await deploy(machine, release(tmp_path, NEW), **SHORT)
        assert machine.faults[0].seen > after
        expected = {"deployed": NEW, "rolled back": OLD}[record.result]
        whole(machine, expected)
        its = record.services[SERVICE]
        assert its.after is not None and its.after.commit == expected
        assert (its.error is None) == (record.result == "deployed")
        machine.faults.clear()
        assert (await deploy(machine, release(tmp_path, NEW))).result in ("deployed", "unchanged")
        whole(machine, NEW)


@pytest.mark.fault_matrix
@pytest.mark.parametrize("at", [f"step:{step}" for step in SWITCHING])
async def test_a_run_that_is_stopped_leaves_what_served(machine: Machine, tmp_path: Path, at: str) -> None:
    serving(machine, OLD)
    machine.fault(at, "hang", seconds=0.2, matching="-Mode Switch ")
    with anyio.move_on_after(30) as scope:
        async with anyio.create_task_group() as group:

            async def stop() -> None:
                while not any("-Mode Switch" in line for line in machine.requests[started:]):  # noqa: ASYNC110
                    await anyio.sleep(0.01)
                scope.cancel()

            started = len(machine.requests)
            group.start_soon(stop)
            await deploy(machine, release(tmp_path, NEW))
    assert scope.cancelled_caught
    whole(machine, OLD)


@pytest.mark.fault_matrix
@pytest.mark.parametrize("at", [f"step:{step}" for step in SWITCHING])
async def test_what_a_run_that_was_killed_left_the_next_one_puts_right(
    machine: Machine, tmp_path: Path, at: str
) -> None:
    serving(machine, OLD)
    dead = target(machine)
    await dead.prepare(release(tmp_path, NEW))
    machine.fault(at, "kill", matching="-Mode Switch ")
    serves = at in ("step:prune", "step:answer")  # all is done by then
    with nullcontext() if serves else pytest.raises(ProdgyError, match="asked on a new connection"):
        await dead.switch()
    record = await deploy(machine, release(tmp_path, "3" * 40))
    assert record.result == "deployed"
    whole(machine, "3" * 40)


async def test_a_run_whose_client_is_gone_is_waited_for(machine: Machine, tmp_path: Path) -> None:
    machine.fault("step:health", "lost", matching="-Mode Switch ")
    machine.fault("step:health", "hang", seconds=0.2, after=1, matching="-Mode Switch ")
    record = await deploy(machine, release(tmp_path))
    assert record.result == "deployed"
    whole(machine, NEW)


async def test_a_machine_that_stays_away_is_not_guessed_about(machine: Machine, tmp_path: Path) -> None:
    machine.fault("step:swap", "cut", matching="-Mode Switch ")
    machine.fault("create", "cut", after=2, times=10_000)
    record = await deploy(machine, release(tmp_path), **SHORT, settle_timeout=0.1)
    assert record.result == "restore failed"
    assert record.services[SERVICE].after is None
    assert "could not be told" in str(record.services[SERVICE].error)
    machine.faults.clear()
    assert (await deploy(machine, release(tmp_path))).result == "deployed"
    whole(machine, NEW)


async def test_it_all_goes_over_http_too_where_asked_for(tmp_path: Path) -> None:
    with windows_machine(tmp_path / "machine", tls=False) as machine:
        machine.install()
        machine.fault("send", "lost", after=1)
        assert (await deploy(machine, release(tmp_path))).result == "deployed"
        whole(machine, NEW)
