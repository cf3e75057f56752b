"""Whatever happens to an upload: afterwards the site serves the former build or the new one, whole, and says so."""

import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from fakes.site import SECRET, Files, Mode, Site, read, site, swa
from pydantic import SecretStr

from prodgy_ci.deploy import rollout
from prodgy_ci.deploy.record import Deployments
from prodgy_ci.deploy.static_web_app import Said, StaticWebApp
from prodgy_ci.deploy.target import Release, Serving
from prodgy_ci.deploy.waiting import until
from prodgy_ci.errors import InputError, ProdgyError

pytestmark = pytest.mark.anyio
OLD, NEW, THIRD = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def digest(commit: str) -> str:
    return "sha256:" + commit[0] * 64


def build(commit: str) -> Files:
    version = json.dumps({"service": "docs", "revision": commit})
    return {"index.html": f"<h1>{commit}</h1>".encode(), "version.json": version.encode()}


@dataclass
class World:
    """A site, a folder for builds, and the images that the registry has."""

    site: Site
    folder: Path
    images: set[str] = field(default_factory=lambda: {digest(OLD), digest(NEW), digest(THIRD)})
    made: int = 0

    def files(self, commit: str) -> Path:
        self.made += 1
        folder = self.folder / str(self.made)
        folder.mkdir()
        for name, content in build(commit).items():
            (folder / name).write_bytes(content)
        return folder

    async def files_of(self, serving: Serving) -> Path:
        if serving.digest not in self.images:
            raise ProdgyError(f"the registry has no {serving.digest}")
        return self.files(serving.commit)

    def release(self, commit: str = NEW) -> Release:
        reference = f"registry.test/prodgy-docs:{commit}@{digest(commit)}"
        return Release("docs", commit, digest(commit), reference, self.files(commit))

    def target(self) -> StaticWebApp:
        async def deploy(folder: Path) -> Said:
            return Said(*await swa(self.site, folder))

        hidden = [SecretStr(self.site.token)]
        return StaticWebApp(
            "docs",
            self.site.url,
            deploy,
            self.files_of,
            hidden=hidden,
            interval=0.01,
            uploading=0.1,
            settling=2.0,
        )

    async def deploy(self, commit: str = NEW) -> Deployments:
        return await rollout.deploy("dev", commit, {"docs": self.release(commit)}, [self.target()])

    async def uploaded(self) -> list[str] | None:
        return self.site.uploads or None

    def serves(self) -> str:
        """The commit of the one build that all of the site's files come from."""
        commit = str(json.loads(self.site.files["version.json"])["revision"])
        release = json.loads(self.site.files["release.json"])
        whole = {name: text for name, text in self.site.files.items() if name != "release.json"}
        assert whole == build(commit) and (release["commit"], release["digest"]) == (commit, digest(commit))
        return commit


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    release = {"commit": OLD, "digest": digest(OLD), "since": "2026-01-01T00:00:00Z", "previous": None}
    with site({**build(OLD), "release.json": json.dumps(release).encode()}) as running:
        yield World(running, tmp_path)


async def test_a_deployment_waits_out_the_old_build_and_can_go_back_and_forth(world: World) -> None:
    world.site.stale_requests = 6
    record = await world.deploy()
    assert (record.result, world.serves()) == ("deployed", NEW)
    assert (await world.deploy()).result == "unchanged" and len(world.site.uploads) == 1
    (former,) = await world.target().history()
    assert (former.commit, former.digest, former.since) == (OLD, digest(OLD), "2026-01-01T00:00:00Z")
    for commit in (OLD, NEW):
        assert (await rollout.rollback("dev", [world.target()], None)).result == "deployed"
        assert world.serves() == commit


@pytest.mark.parametrize("mode", ["nothing", "broken", "lost", "hang", "late"])
async def test_a_failed_upload_is_put_back_exactly_and_the_rerun_succeeds(
    world: World, mode: Mode, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(world.site.files["release.json"])
    world.site.modes = [mode]
    record = await world.deploy()
    assert (record.result, record.services["docs"].result) == ("rolled back", "rolled back")
    assert record.services["docs"].after == record.services["docs"].before
    assert world.serves() == OLD and json.loads(world.site.files["release.json"]) == before
    assert SECRET not in record.model_dump_json() + "".join(capsys.readouterr())
    assert (await world.deploy()).result == "deployed" and world.serves() == NEW


async def test_what_azure_refused_needs_no_second_upload(world: World) -> None:
    world.site.modes = ["rejected", "rejected"]
    record = await world.deploy()
    assert record.result == "rolled back" and len(world.site.uploads) == 1
    assert "api key was invalid" in (record.services["docs"].error or "") and world.serves() == OLD


async def test_a_site_that_stays_old_is_put_back(world: World) -> None:
    world.site.stale_seconds = 2.5
    record = await world.deploy()
    assert record.result == "rolled back" and f"it serves {OLD}" in (record.services["docs"].error or "")
    assert world.serves() == OLD and world.site.uploads == ["production"] * 2


async def test_a_way_back_that_fails_is_told(world: World) -> None:
    world.site.modes = ["lost", "rejected"]
    record = await world.deploy()
    after = record.services["docs"].after
    assert record.result == "restore failed" and after and after.commit == NEW == world.serves()


UPLOADS: dict[str, Mode] = {
    "error": "broken",
    "hang": "hang",
    "lost answer": "lost",
    "wrong answer": "nothing",
    "killed client": "hang",
    "killed client after the upload": "late",
}
"""What a fault is at the step that uploads; at the others the site itself has it."""


async def break_down(world: World, target: StaticWebApp, broken: str, fault: str) -> None:
    """Runs the steps to the one that meets the fault; afterwards the fault is gone."""
    steps = {"prepare": lambda: target.prepare(world.release()), "switch": target.switch, "verify": target.verify}
    for step, run in steps.items():
        killed = step == broken and fault.startswith("killed")
        if step == broken and step == "switch":
            world.site.modes = [UPLOADS[fault]]
        elif step == broken:
            world.site.fault = "hang" if killed else fault  # type: ignore[assignment]
        with anyio.move_on_after(0.05 if killed else 60), contextlib.suppress(ProdgyError):
            await run()
        world.site.fault, world.site.modes = "", []
        if step == broken:
            return


@pytest.mark.fault_matrix
@pytest.mark.parametrize("fault", UPLOADS)
@pytest.mark.parametrize("step", ["prepare", "switch", "verify"])
async def test_whatever_fails_one_whole_build_is_served_and_the_rerun_succeeds(
    world: World, step: str, fault: str
) -> None:
    target = world.target()
    await break_down(world, target, step, fault)
    if fault.startswith("killed"):
        assert world.serves() in (OLD, NEW)
    else:
        await target.restore()
        assert world.serves() == OLD
    assert (await world.deploy()).result in ("deployed", "unchanged") and world.serves() == NEW


@pytest.mark.parametrize("mode", ["hang", "late"])
async def test_a_run_that_is_stopped_leaves_the_former_build(world: World, mode: Mode) -> None:
    world.site.modes = [mode]
    async with anyio.create_task_group() as group:
        group.start_soon(world.deploy)
        await until("an upload", world.uploaded, 5, 0.01)
        group.cancel_scope.cancel()
    assert world.serves() == OLD and len(world.site.uploads) == 2
    assert (await world.deploy()).result == "deployed"


async def test_another_deployment_meanwhile_is_left_alone(world: World) -> None:
    target = world.target()
    await target.prepare(world.release())
    assert (await world.deploy(THIRD)).result == "deployed"
    with pytest.raises(ProdgyError, match=f"somebody else deployed meanwhile; the site serves {THIRD}"):
        await target.switch()
    await target.restore()
    assert world.serves() == THIRD


async def test_the_first_deployment_and_that_it_cannot_be_put_back(world: World) -> None:
    world.site.environments["production"] = {"index.html": b"<h1>Welcome</h1>"}
    world.site.fallback = True
    assert await world.target().serving() is None and await world.target().history() == []
    world.site.modes = ["broken"]
    assert "cannot be put back" in ((await world.deploy()).services["docs"].error or "")
    assert (await world.deploy()).result == "deployed" and world.serves() == NEW
    with pytest.raises(InputError, match="no former release"):
        await rollout.rollback("dev", [world.target()], None)


async def test_a_build_that_came_another_way_is_taken_for_what_it_is(world: World) -> None:
    world.site.environments["production"] = build(OLD)
    serving = await world.target().serving()
    assert serving and (serving.commit, serving.digest) == (OLD, None)
    assert (await world.deploy()).result == "deployed" and await world.target().history() == []


async def test_no_way_back_means_no_deployment(world: World) -> None:
    world.images.remove(digest(OLD))
    record = await world.deploy()
    assert record.result == "rolled back" and "the registry has no" in (record.services["docs"].error or "")
    assert world.site.uploads == [] and world.serves() == OLD


def _missing(release: Release) -> None:
    assert release.files
    (release.files / "index.html").unlink()


def _other(release: Release) -> None:
    assert release.files
    (release.files / "version.json").write_text('{"revision": "x"}')


@pytest.mark.parametrize(
    ("damage", "message"),
    [(_missing, "no index.html"), (_other, "names x, not")],
    ids=["no start page", "another revision"],
)
async def test_a_wrong_folder_is_refused(world: World, damage: Callable[[Release], None], message: str) -> None:
    release = world.release()
    damage(release)
    with pytest.raises(ProdgyError, match=message):
        await world.target().prepare(release)


async def test_an_unreachable_site_is_not_an_empty_one(world: World) -> None:
    world.site.down = True
    reads: list[Callable[[], Awaitable[object]]] = [world.target().serving, world.target().history]
    for look in reads:
        with pytest.raises(ProdgyError, match="answered 503"):
            await look()


async def test_describe_sends_nothing(world: World) -> None:
    text = await world.target().describe(world.release())
    assert digest(NEW) in text and OLD in text and SECRET not in text and world.site.uploads == []


def test_an_environment_that_azure_does_not_take_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="pr-12"):
        StaticWebApp("docs", world.site.url, None, world.files_of, environment="pr-12")  # type: ignore[arg-type]


def test_the_fake_does_what_azure_does_to_such_a_name(world: World) -> None:
    world.site.take("success", "pr-12", read(world.files(NEW)))
    assert world.site.uploads == ["production"]
