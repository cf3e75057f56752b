"""The former revision serves, or the new one does, whatever happens on the way; and the next run always succeeds."""

from collections.abc import AsyncIterator, Iterator

import anyio
import pytest
from fakes.resource_manager import SCALED_TO_ZERO, App, Manager, resource_manager
from pydantic import SecretStr

from prodgy_ci.deploy.container_apps.client import Client, Pace, connect
from prodgy_ci.deploy.container_apps.target import ContainerApp
from prodgy_ci.deploy.container_apps.watch import Patience
from prodgy_ci.deploy.target import Release, Target
from prodgy_ci.errors import ProdgyError

pytestmark = pytest.mark.anyio

OLD, NEW, NEXT = "a" * 40, "b" * 40, "c" * 40
FIRST, SECOND = "api--first", f"api--r{NEW[:10]}-1"
FAST = Pace(request=1, retries=1, busy=1, operation=2, poll=0.002, pause=0.002, longest_pause=0.02)
PATIENCE = Patience(appear=1, healthy=2, visited=1, interval=0.01, failing=0.02)
FAULTS = (
    "error",
    "wrong answer",
    "lost answer",
    "hang",
    "hang after the change",
    "cancelled",
    "cancelled after the change",
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def azure() -> Iterator[Manager]:
    with resource_manager([App("api", sidecar=True)]) as manager:
        yield manager


@pytest.fixture
def app(azure: Manager) -> App:
    return azure.apps["api"]


@pytest.fixture
async def client(azure: Manager) -> AsyncIterator[Client]:
    async with connect(SecretStr(azure.token), azure.group, azure.subscription, azure.url, FAST) as client:
        yield client


def digest(commit: str) -> str:
    return "sha256:" + commit[0] * 64


def release(commit: str = NEW) -> Release:
    return Release("api", commit, digest(commit), f"registry.test/prodgy-api:{commit}@{digest(commit)}")


def target(azure: Manager, client: Client, keep: int = 3) -> ContainerApp:
    return ContainerApp("api", "api", client, public_url=azure.public_url, patience=PATIENCE, keep=keep)


async def deploy(azure: Manager, client: Client, commit: str = NEW, keep: int = 3) -> None:
    one = target(azure, client, keep)
    await one.prepare(release(commit))
    await one.switch()
    await one.verify()
    await one.retire()


async def served(azure: Manager, client: Client) -> str | None:
    """The commit that Azure says serves, once users are seen to get the same."""
    now = await target(azure, client).serving()
    chosen = azure.apps["api"].pick()
    told = chosen.environment().get("PRODGY_REVISION") if chosen and chosen.active else None
    assert now is None or now.commit == told
    return told


async def test_a_deployment_switches_to_a_revision_that_differs_in_nothing_but_the_release(
    azure: Manager, client: Client, app: App
) -> None:
    one: Target = target(azure, client)
    await one.prepare(release())
    assert app.traffic() == {FIRST: 100}
    serving = await one.switch()
    await one.verify()
    await one.retire()
    assert (serving.commit, serving.digest, serving.revision) == (NEW, digest(NEW), SECOND)
    assert app.traffic() == {SECOND: 100}
    before, after = app.revisions[FIRST], app.revisions[SECOND]
    assert after.image == f"registry.test/prodgy-api@{digest(NEW)}"
    assert after.template["containers"][1] == before.template["containers"][1]
    assert after.environment() == {**before.environment(), "PRODGY_REVISION": NEW}


async def test_what_serves_is_read_from_the_revision_with_the_traffic(azure: Manager, client: Client, app: App) -> None:
    await target(azure, client).prepare(release())
    now = await target(azure, client).serving()
    assert now and (now.commit, now.digest, now.revision) == (OLD, app.digest, FIRST)
    assert now.since == app.revisions[FIRST].created


async def test_where_nothing_of_ours_serves_there_is_nothing(azure: Manager, client: Client) -> None:
    azure.add(App("api", commit=""))
    assert await target(azure, client).serving() is None
    await deploy(azure, client)
    assert await served(azure, client) == NEW
    assert await target(azure, client).history() == []


async def test_a_split_counts_as_no_release(azure: Manager, client: Client, app: App) -> None:
    await deploy(azure, client)
    app.configuration["ingress"]["traffic"] = [
        {"revisionName": SECOND, "weight": 60},
        {"revisionName": FIRST, "weight": 40},
    ]
    now = await target(azure, client).serving()
    assert now and (now.commit, now.digest) == (NEW, None)
    await deploy(azure, client)
    assert app.traffic() == {SECOND: 100}
    assert len(app.revisions) == 2


async def test_an_app_that_is_not_there_is_named(azure: Manager, client: Client) -> None:
    azure.apps.clear()
    with pytest.raises(ProdgyError, match="prodgy-dev has no container app api"):
        await target(azure, client).serving()


async def test_single_revision_mode_is_refused_with_what_mends_it(azure: Manager, client: Client) -> None:
    azure.add(App("api", mode="single"))
    with pytest.raises(ProdgyError, match=r"az containerapp revision set-mode --name api .* --mode multiple"):
        await target(azure, client).prepare(release())
    assert azure.writes() == []


async def test_what_would_be_sent_is_told_without_sending_it(azure: Manager, client: Client) -> None:
    told = await target(azure, client).describe(release())
    assert azure.writes() == []
    assert f"prodgy-api@{digest(NEW)}" in told
    assert f'"revisionName": "{SECOND}"' in told
    assert "canary" not in told


@pytest.mark.parametrize(
    "broken",
    ["never healthy", "image is missing", "tells another revision"],
)
async def test_a_release_that_is_not_healthy_meets_no_user(
    azure: Manager, client: Client, app: App, broken: str
) -> None:
    told = {"never healthy": "CrashLoopBackOff", "image is missing": "MANIFEST", "tells another revision": OLD}[broken]
    if broken == "never healthy":
        azure.broken_digests.add(digest(NEW))
    elif broken == "image is missing":
        azure.missing_digests.add(digest(NEW))
    else:
        azure.lie({"revision": OLD}, path="/fqdn/", times=1000)
    one = target(azure, client)
    with pytest.raises(ProdgyError, match=told):
        await one.prepare(release())
    await one.restore()
    azure.faults.clear()
    assert await served(azure, client) == OLD
    assert app.active() == [FIRST]


async def test_a_revision_that_is_scaled_to_zero_is_woken_before_it_counts(
    azure: Manager, client: Client, app: App
) -> None:
    app.timeline = SCALED_TO_ZERO
    await target(azure, client).prepare(release())
    assert app.revisions[SECOND].woken


@pytest.mark.parametrize("kind", [{"external": False}, {"ingress": False}], ids=str)
async def test_an_app_without_public_address_is_judged_by_its_state(
    azure: Manager, client: Client, kind: dict[str, bool]
) -> None:
    app = azure.add(App("api", **kind))  # type: ignore[arg-type]
    one = target(azure, client)
    await one.prepare(release())
    await one.switch()
    await one.verify()
    now = await one.serving()
    assert now and now.revision == SECOND
    await one.restore()
    now = await one.serving()
    assert now and (now.revision, app.active()) == (FIRST, [FIRST])
    assert not any("/fqdn/" in request for request in azure.requests)


async def test_users_who_are_served_by_the_former_revision_for_a_while_are_waited_for(
    azure: Manager, client: Client, app: App
) -> None:
    one = target(azure, client)
    await one.prepare(release())
    app.stale_requests = 7
    await one.switch()
    asked = len(azure.requests)
    await one.verify()
    assert sum("/fqdn/api." in request for request in azure.requests[asked:]) == 7 + 5


async def test_what_somebody_else_switched_to_is_named_and_left_alone(azure: Manager, client: Client, app: App) -> None:
    one = target(azure, client)
    await one.prepare(release())
    theirs = app.add_revision("theirs", app.template)
    app.configuration["ingress"]["traffic"] = [{"revisionName": theirs.name, "weight": 100}]
    with pytest.raises(ProdgyError, match=f"now {theirs.name}, before {FIRST}"):
        await one.switch()
    await one.restore()
    assert app.traffic() == {theirs.name: 100}
    assert SECOND not in app.active()


async def test_a_revision_that_somebody_deactivated_gets_no_traffic(azure: Manager, client: Client, app: App) -> None:
    one = target(azure, client)
    await one.prepare(release())
    app.revisions[SECOND].active = False
    with pytest.raises(ProdgyError, match="somebody deactivated"):
        await one.switch()
    assert app.traffic() == {FIRST: 100}


async def test_labels_and_shares_of_before_are_restored(azure: Manager, client: Client, app: App) -> None:
    app.add_revision("other", app.template).ready_once = True
    before = [
        {"revisionName": FIRST, "weight": 80, "label": "stable"},
        {"revisionName": "api--other", "weight": 20},
    ]
    app.configuration["ingress"]["traffic"] = before
    one = target(azure, client)
    await one.prepare(release())
    await one.switch()
    assert app.traffic() == {SECOND: 100}
    await one.restore()
    assert app.configuration["ingress"]["traffic"] == before
    assert SECOND not in app.active()


async def test_a_healthy_revision_of_the_same_release_is_adopted(azure: Manager, client: Client, app: App) -> None:
    await target(azure, client).prepare(release())
    await deploy(azure, client)
    assert [*app.revisions] == [FIRST, SECOND]


async def test_what_was_adopted_is_put_away_where_the_run_fails(azure: Manager, client: Client, app: App) -> None:
    await target(azure, client).prepare(release())
    one = target(azure, client)
    await one.prepare(release())
    await one.restore()
    assert app.active() == [FIRST]


async def test_a_leftover_is_not_adopted_once_the_apps_settings_changed(
    azure: Manager, client: Client, app: App
) -> None:
    await target(azure, client).prepare(release())
    app.template["containers"][0]["env"].append({"name": "ADDED", "value": "1"})
    await deploy(azure, client)
    assert app.traffic() == {f"api--r{NEW[:10]}-2": 100}
    assert SECOND not in app.active()


async def test_what_a_killed_run_left_is_cleaned_up_and_others_revisions_are_not(
    azure: Manager, client: Client, app: App
) -> None:
    app.add_revision("theirs", app.template).ready_once = True
    app.configuration["ingress"]["traffic"] = [{"revisionName": FIRST, "weight": 100}]
    await target(azure, client).prepare(release())
    await deploy(azure, client, NEXT)
    assert app.active() == [FIRST, "api--theirs", f"api--r{NEXT[:10]}-1"]


@pytest.mark.parametrize("looks", [0, 3], ids=["made and not yet listed", "its operation still runs"])
async def test_what_a_killed_run_left_is_cleaned_up_although_it_is_not_listed_yet(
    azure: Manager, client: Client, app: App, looks: int
) -> None:
    app.configuration["ingress"]["traffic"] = [{"revisionName": FIRST, "weight": 100}]
    app.operation_looks, app.hidden = looks, 3
    app.patch({"properties": {"template": {"revisionSuffix": SECOND.removeprefix("api--")}}})
    assert SECOND in app.active()
    await deploy(azure, client, NEW[:10] + "d" * 30)
    third = f"api--r{NEW[:10]}-2"
    assert app.active() == [FIRST, third] and app.traffic() == {third: 100}


async def test_an_operation_that_failed_made_no_revision_that_is_waited_for(
    azure: Manager, client: Client, app: App
) -> None:
    azure.missing_digests.add(digest(NEW))
    with pytest.raises(ProdgyError):
        await target(azure, client).prepare(release())
    app.template["revisionSuffix"] = SECOND.removeprefix("api--")
    await deploy(azure, client, NEXT)
    assert app.traffic() == {f"api--r{NEXT[:10]}-1": 100}
    assert not any(SECOND in request for request in azure.requests)


async def test_history_goes_back_through_what_served_and_not_to_a_candidate_that_failed(
    azure: Manager, client: Client, app: App
) -> None:
    await deploy(azure, client)
    azure.broken_digests.add(digest(NEXT))
    failed = target(azure, client)
    with pytest.raises(ProdgyError):
        await failed.prepare(release(NEXT))
    await failed.restore()
    await deploy(azure, client, "d" * 40)
    history = await target(azure, client).history()
    assert [one.commit for one in history] == [NEW, OLD, NEXT]


@pytest.mark.parametrize("keep", [0, 1])
async def test_going_back_also_to_what_is_no_longer_active(azure: Manager, client: Client, app: App, keep: int) -> None:
    await deploy(azure, client, keep=keep)
    assert (FIRST in app.active()) == bool(keep)
    former = (await target(azure, client).history())[0]
    one = target(azure, client, keep)
    await one.prepare_former(former)
    await one.switch()
    await one.verify()
    assert await served(azure, client) == OLD
    await one.restore()
    assert await served(azure, client) == NEW
    assert (FIRST in app.active()) == bool(keep)


async def test_only_the_last_ones_stay_active(azure: Manager, client: Client, app: App) -> None:
    for commit in "bcde":
        await deploy(azure, client, commit * 40, keep=2)
    assert app.active() == [f"api--r{commit * 10}-1" for commit in "cde"]


async def test_a_request_that_was_done_and_repeated_has_not_failed(azure: Manager, client: Client, app: App) -> None:
    await target(azure, client).prepare(release())
    app.template["revisionSuffix"] = "else"
    azure.lie({"value": []}, path="revisions$")  # what is read has not caught up: the suffix is taken once more
    await target(azure, client).prepare(release())
    assert [*app.revisions] == [FIRST, SECOND]


async def run(one: ContainerApp, step: str) -> None:
    await (one.prepare(release()) if step == "prepare" else getattr(one, step)())


def inject(azure: Manager, step: str, fault: str) -> None:
    """Lets every request fail on which the step depends."""
    path = {"verify": "/fqdn/", "switch": "containerApps", "prepare": "containerApps"}[step]
    method = "GET" if step == "verify" else "PATCH"
    if fault == "error":
        azure.fail(method=method, path=path, times=10**6)
    elif fault == "lost answer":
        azure.lose_answer(method=method, path=path, times=10**6)
    elif fault == "wrong answer":
        azure.lie({"properties": {"provisioningState": "Succeeded"}}, method=method, path=path, times=10**6)
    else:
        azure.hang(method=method, path=path, times=10**6, seconds=1.5, done=fault.endswith("after the change"))


async def break_down(azure: Manager, one: ContainerApp, broken: str, fault: str) -> None:
    """Runs the steps to the one that meets the fault; afterwards the fault is gone."""
    for step in ("prepare", "switch", "verify"):
        if step != broken:
            await run(one, step)
            continue
        inject(azure, step, fault)
        try:
            with anyio.move_on_after(0.05 if fault.startswith("cancelled") else 10):
                await run(one, step)
        except ProdgyError:
            assert fault != "lost answer" or step == "verify", "a lost answer is settled by reading"
        azure.faults.clear()
        return


@pytest.mark.fault_matrix
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", ["prepare", "switch", "verify"])
async def test_whatever_fails_the_former_revision_is_restored_and_the_rerun_succeeds(
    azure: Manager, client: Client, app: App, step: str, fault: str
) -> None:
    one = target(azure, client)
    await break_down(azure, one, step, fault)
    await one.restore()
    assert (await served(azure, client), app.traffic()) == (OLD, {FIRST: 100})
    assert app.active() == [FIRST]
    await deploy(azure, client)
    assert await served(azure, client) == NEW


@pytest.mark.fault_matrix
@pytest.mark.parametrize("step", ["prepare", "switch", "verify"])
async def test_after_a_run_that_was_killed_one_revision_serves_and_the_rerun_succeeds(
    azure: Manager, client: Client, app: App, step: str
) -> None:
    await break_down(azure, target(azure, client), step, "cancelled after the change")
    assert list(app.traffic().values()) == [100]
    assert await served(azure, client) == (OLD if step == "prepare" else NEW)
    await deploy(azure, client, NEXT)
    assert await served(azure, client) == NEXT


@pytest.mark.parametrize("fault", ["fail", "cut", "lose_answer"])
async def test_restoring_outlives_what_passes(azure: Manager, client: Client, app: App, fault: str) -> None:
    one = target(azure, client)
    await one.prepare(release())
    await one.switch()
    for method in ("GET", "PATCH", "POST"):
        getattr(azure, fault)(method=method)
    await one.restore()
    assert (app.traffic(), app.active()) == ({FIRST: 100}, [FIRST])


async def test_restoring_what_was_never_prepared_sends_nothing(azure: Manager, client: Client) -> None:
    await target(azure, client).restore()
    assert azure.requests == []
