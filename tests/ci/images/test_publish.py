"""What a publisher makes of the registry's answers. The rest runs against a registry, in the end-to-end tests."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import MagicMock

import anyio
import pytest

from prodgy_ci.catalog import load
from prodgy_ci.changes.plan import Base, Plan, Reason, ServicePlan
from prodgy_ci.errors import InputError
from prodgy_ci.images import publish
from prodgy_ci.images.address import Address
from prodgy_ci.images.answers import Held, RegistryError
from prodgy_ci.images.labels import REVISION
from prodgy_ci.images.publish import Job, _Pushed, _read_back, chosen
from prodgy_ci.images.record import Image
from prodgy_ci.images.registry import Reference, Registry

COMMIT = "c" * 40
CATALOG = load("")
LABELS = {REVISION: COMMIT}
MINE, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def plan(**changed: Any) -> Plan:
    built = ServicePlan(action="build", base=Base(chosen="never-deployed"), reasons=(Reason(code="never-deployed"),))
    values: dict[str, Any] = {
        **{"schema_version": 1, "ref": "refs/heads/main", "event": "push", "environment": "development"},
        **{"head": COMMIT, "working_tree": False, "notes": (), "services": {"api": built}, "changed": {}},
    }
    return Plan(**(values | changed))


def held(digest: str = MINE, labels: dict[str, str] = LABELS, platform: str = "linux/amd64") -> Held:
    return Held(digest, 1, labels, None, platform)


def read_back(monkeypatch: pytest.MonkeyPatch, by_digest: Held | None, by_tag: Held | None) -> Image:
    """What becomes of a push of MINE where the registry then answers so."""

    async def ask(_: Registry, references: Sequence[Reference]) -> list[Held | None]:
        return [by_digest if rest.startswith("@") else by_tag for _, rest in references]

    monkeypatch.setattr(publish, "ask", ask)
    job = Job(MagicMock(), MagicMock(), CATALOG, plan(), Registry(Address("registry.example")))
    image, api = Image(service="api", form="image", result="found"), CATALOG.service("api")
    return anyio.run(_read_back, job, image, api, _Pushed(MINE, LABELS, "linux/amd64"))


def test_what_is_read_back_as_it_was_pushed_is_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    image = read_back(monkeypatch, held(), held())
    assert (image.result, image.note) == ("pushed", None)
    assert image.reference == f"registry.example/prodgy-api:{COMMIT}@{MINE}"


def test_another_digest_of_the_same_commit_is_adopted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    image = read_back(monkeypatch, held(), held(OTHER))
    assert image.digest == OTHER
    assert f"another publisher of this commit won: its {OTHER} is taken instead of {MINE}" == image.note


@pytest.mark.parametrize(
    ("by_digest", "by_tag", "message"),
    [
        (None, held(), "not what was pushed"),
        (held(labels={}), held(), "not what was pushed"),
        (held(platform="linux/arm64"), held(), "holds linux/arm64, built was linux/amd64"),
        (held(), None, "the tag is not there"),
        (held(), held(OTHER, {REVISION: "d" * 40}), f"is {OTHER} .of {'d' * 40}., not {MINE}"),
    ],
)
def test_any_other_answer_is_a_failure(
    by_digest: Held | None, by_tag: Held | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RegistryError, match=message):
        read_back(monkeypatch, by_digest, by_tag)


@pytest.mark.parametrize(
    ("changed", "names", "message"),
    [
        ({"working_tree": True}, None, "counts uncommitted files in"),
        ({}, ["web"], "the plan does not build web; it builds: api"),
        ({"services": {}}, ["web"], "it builds: nothing"),
    ],
)
def test_what_cannot_be_published_is_refused(changed: dict[str, Any], names: list[str] | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        chosen(CATALOG, plan(**changed), names)
