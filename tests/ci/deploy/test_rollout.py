"""All services serve the new release at the end, or each what it served before: whatever fails, at whatever step."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import anyio
import pytest

from prodgy_ci.deploy import rollout
from prodgy_ci.deploy.record import Deployments
from prodgy_ci.deploy.target import Release, Serving
from prodgy_ci.errors import InputError, ProdgyError

pytestmark = pytest.mark.anyio

OLD, NEW = "1" * 40, "2" * 40
SERVICES = ("api", "docs", "assistant")
STEPS = ("prepare", "switch", "verify")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def digest(commit: str) -> str:
    return f"sha256:{commit[0] * 64}"


def serving(commit: str) -> Serving:
    return Serving(commit, digest(commit), f"r{commit[:10]}", None)


def releases() -> dict[str, Release]:
    return {name: Release(name, NEW, digest(NEW), f"registry.example/{name}@{digest(NEW)}") for name in SERVICES}


@dataclass
class Place:
    """A target in memory. `faults` says what happens at a step."""

    service: str
    now: Serving | None = field(default_factory=lambda: serving(OLD))
    former: list[Serving] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    staged: Serving | None = None
    before: Serving | None = None

    async def _do(self, step: str) -> None:
        self.calls.append(step)
        await anyio.lowlevel.checkpoint()
        match self.faults.get(step):
            case "error":
                raise ProdgyError(f"{step} of {self.service} broke")
            case "bug":
                raise KeyError(step)
            case "hang":
                await anyio.sleep_forever()

    async def serving(self) -> Serving | None:
        await self._do("serving")
        return self.now

    async def state(self) -> str:
        return "serves"

    async def problem(self) -> str | None:
        return None

    async def url(self) -> str | None:
        return None

    async def history(self) -> list[Serving]:
        return self.former

    async def describe(self, release: Release) -> str:
        return f"{self.service} would serve {release.digest}"

    async def prepare(self, release: Release) -> None:
        self.before, self.staged = self.now, Serving(release.commit, release.digest, "new", None)
        await self._do("prepare")

    async def prepare_former(self, former: Serving) -> None:
        self.before, self.staged = self.now, former
        await self._do("prepare")

    async def switch(self) -> Serving:
        assert self.staged
        if self.faults.get("switch") != "error":
            self.now = self.staged
        await self._do("switch")
        return self.staged

    async def verify(self) -> None:
        await self._do("verify")

    async def restore(self) -> None:
        await self._do("restore")
        self.now = self.before

    async def retire(self) -> None:
        await self._do("retire")


def places(**faults: dict[str, str]) -> list[Place]:
    return [Place(name, faults=faults.get(name, {})) for name in SERVICES]


def commits(targets: Sequence[Place]) -> set[str | None]:
    return {target.now.commit if target.now else None for target in targets}


async def deploy(targets: Sequence[Place]) -> Deployments:
    return await rollout.deploy("development", NEW, releases(), targets)


async def test_all_are_prepared_before_one_is_switched_and_switched_before_one_is_verified() -> None:
    targets = places()
    order: list[str] = []
    for target in targets:
        target.calls = order
    record = await deploy(targets)
    assert record.result == "deployed"
    assert commits(targets) == {NEW}
    assert [step for step in order if step != "serving"] == [s for s in (*STEPS, "retire") for _ in SERVICES]


@pytest.mark.parametrize("kind", ["error", "bug"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("service", SERVICES)
async def test_whatever_fails_every_service_is_as_before(service: str, step: str, kind: str) -> None:
    targets = places(**{service: {step: kind}})
    record = await deploy(targets)
    assert commits(targets) == {OLD}
    assert record.result == "rolled back"
    assert {one.result for one in record.services.values()} == {"rolled back"}
    assert step in str(record.services[service].error)
    assert all(one.after == one.before for one in record.services.values())
    later = STEPS[STEPS.index(step) + 1 :]
    assert not [call for target in targets for call in target.calls if call in later]


@pytest.mark.parametrize("step", STEPS)
async def test_a_run_that_is_stopped_puts_back_what_was_there(step: str) -> None:
    targets = places(docs={step: "hang"})
    with anyio.move_on_after(0.02):
        await deploy(targets)
    assert commits(targets) == {OLD}


async def test_a_check_of_the_whole_that_fails_rolls_back_all() -> None:
    targets = places()

    async def check() -> None:
        assert commits(targets) == {NEW}
        raise ProdgyError("login is broken")

    record = await rollout.deploy("development", NEW, releases(), targets, check)
    assert (record.result, record.error) == ("rolled back", "login is broken")
    assert commits(targets) == {OLD}


async def test_what_could_not_be_put_back_is_told_and_the_others_are_put_back() -> None:
    targets = places(api={"verify": "error"}, docs={"restore": "error"})
    record = await deploy(targets)
    assert record.result == "restore failed"
    assert {name: one.result for name, one in record.services.items()} == {
        "api": "rolled back",
        "docs": "restore failed",
        "assistant": "rolled back",
    }
    assert record.services["docs"].after is not None
    assert record.services["docs"].after.commit == NEW


async def test_the_same_deployment_again_does_nothing_and_says_so() -> None:
    targets = places()
    await deploy(targets)
    for target in targets:
        target.calls.clear()
    record = await deploy(targets)
    assert record.result == "unchanged"
    assert [target.calls for target in targets] == [["serving"]] * 3


async def test_what_serves_now_must_be_known_before_anything_is_done() -> None:
    targets = places(docs={"serving": "error"})
    with pytest.raises(ProdgyError, match=r"could not tell what is deployed:\ndocs: serving of docs broke"):
        await deploy(targets)
    assert commits(targets) == {OLD}
    assert not [target for target in targets if set(target.calls) - {"serving"}]


async def test_retiring_that_fails_is_told_and_fails_nothing() -> None:
    record = await deploy(places(api={"retire": "error"}))
    assert record.result == "deployed"
    assert any("retire failed" in step for step in record.services["api"].steps)


async def test_rollback_goes_to_the_former_release_or_to_the_commit_named() -> None:
    older = "3" * 40
    for to, expected in ((None, OLD), (older[:10], older)):
        targets = [Place(name, now=serving(NEW), former=[serving(OLD), serving(older)]) for name in SERVICES]
        record = await rollout.rollback("development", targets, to)
        assert (record.result, record.action) == ("deployed", "rollback")
        assert commits(targets) == {expected}


async def test_rollback_to_what_serves_beside_another_makes_it_serve_alone() -> None:
    beside = Serving(OLD, None, "r1", None)
    targets = [Place("api", now=beside), Place("docs", now=serving(OLD))]
    record = await rollout.rollback("development", targets, OLD[:10])
    assert record.result == "deployed" and record.services["docs"].result == "unchanged"
    assert "switch" in targets[0].calls and "switch" not in targets[1].calls


async def test_a_last_look_that_fails_is_told_and_does_not_make_the_release_one_that_failed() -> None:
    class Silent(Place):
        async def serving(self) -> Serving | None:
            if "retire" in self.calls:
                raise ProdgyError("503")
            return await super().serving()

    record = await rollout.deploy("development", NEW, {"api": releases()["api"]}, [Silent("api")])
    assert (record.result, record.services["api"].result) == ("deployed", "deployed")
    assert "what serves now could not be told: 503" in str(record.services["api"].error)


async def test_rollback_of_one_that_has_no_former_release_changes_nothing() -> None:
    targets = [Place(name, now=serving(NEW), former=[serving(OLD)] if name != "docs" else []) for name in SERVICES]
    with pytest.raises(InputError, match="docs: no former release is kept; kept: nothing"):
        await rollout.rollback("development", targets, None)
    assert commits(targets) == {NEW}


async def test_rollback_that_fails_goes_forward_again() -> None:
    targets = [Place(name, now=serving(NEW), former=[serving(OLD)]) for name in SERVICES]
    targets[1].faults["verify"] = "error"
    record = await rollout.rollback("development", targets, None)
    assert record.result == "rolled back"
    assert commits(targets) == {NEW}


async def test_a_dry_run_describes_and_does_nothing() -> None:
    targets = places()
    record, text = await rollout.describe("development", NEW, releases(), targets)
    assert record.result == "would deploy"
    assert text.splitlines() == [f"{name} would serve {digest(NEW)}" for name in SERVICES]
    assert [target.calls for target in targets] == [["serving"]] * 3
