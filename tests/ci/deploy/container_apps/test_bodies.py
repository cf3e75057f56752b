"""A PATCH changes the image and the revision of one container, and takes nothing else away."""

import copy
from typing import Any

import pytest

from prodgy_ci.deploy.container_apps import bodies, view
from prodgy_ci.deploy.target import Release
from prodgy_ci.errors import ProdgyError

OLD, NEW = "a" * 40, "b" * 40
DIGEST = "sha256:" + "b" * 64
RELEASE = Release("api", NEW, DIGEST, f"reg.example:5000/prodgy-api:{NEW}@{DIGEST}")
PROXY = {"name": "proxy", "image": "reg.example/proxy:1", "env": [{"name": "BLANK"}], "probes": []}
API: dict[str, Any] = {
    "name": "main",
    "image": "reg.example:5000/prodgy-api:old",
    "env": [{"name": "EMPTY"}, {"name": "KEY", "secretRef": "key"}, {"name": "PRODGY_REVISION", "value": OLD}],
    "probes": [{"type": "Liveness"}],
    "volumeMounts": [{"volumeName": "v", "mountPath": "/v"}],
}


def app(*containers: dict[str, Any], traffic: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    ingress = {"fqdn": "api.example", "external": True, "traffic": traffic}
    return {
        "name": "api",
        "properties": {
            "latestReadyRevisionName": "api--old",
            "configuration": {"ingress": ingress},
            "template": {"revisionSuffix": "old", "containers": list(containers), "scale": {"minReplicas": 2}},
        },
    }


def test_one_container_gets_the_image_and_the_revision_and_all_else_is_sent_as_it_was() -> None:
    before = app(PROXY, API)
    untouched = copy.deepcopy(before)
    proxy, own = bodies.wanted_containers(before, RELEASE)
    assert before == untouched
    assert proxy == {**PROXY, "env": [{"name": "BLANK", "value": ""}]}
    assert own == {
        **API,
        "image": f"reg.example:5000/prodgy-api@{DIGEST}",
        "env": [
            {"name": "EMPTY", "value": ""},
            {"name": "KEY", "secretRef": "key"},
            {"name": "PRODGY_REVISION", "value": NEW},
        ],
    }


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([PROXY, {**PROXY, "name": "x", "image": "other.example/prodgy-api:1"}], "x"),
        ([PROXY, {**PROXY, "name": "api"}], "api"),
        ([{"name": "anything", "image": "mcr.example/hello"}], "anything"),
    ],
    ids=["by its image", "by its name", "the only one"],
)
def test_the_services_container_is_known(containers: list[dict[str, Any]], expected: str) -> None:
    made = bodies.wanted_containers(app(*containers), RELEASE)
    assert [one["name"] for one in made if DIGEST in one["image"]] == [expected]
    own = next(one for one in made if one["name"] == expected)
    assert own["env"][-1] == {"name": "PRODGY_REVISION", "value": NEW}


def test_where_it_is_not_known_which_container_nothing_is_guessed() -> None:
    with pytest.raises(ProdgyError, match="among: proxy, other"):
        bodies.wanted_containers(app(PROXY, {**PROXY, "name": "other"}), RELEASE)
    with pytest.raises(ProdgyError, match="no container web among: main"):
        bodies.wanted_containers(app(API), RELEASE, "web")


def test_a_variable_that_is_there_twice_is_named() -> None:
    twice = {**API, "env": [{"name": "PORT", "value": "1"}, {"name": "PORT", "value": "2"}]}
    with pytest.raises(ProdgyError, match="main has PORT twice"):
        bodies.wanted_containers(app(twice), RELEASE)


def test_a_new_revision_pins_the_traffic_by_name_in_the_same_request() -> None:
    found = app(API, traffic=[{"latestRevision": True, "weight": 100, "label": "stable"}])
    body = bodies.new_revision(found, "rb-1", [API])["properties"]
    pinned = [{"revisionName": "api--old", "weight": 100, "label": "stable"}]
    assert body["configuration"] == {"ingress": {"traffic": pinned}}
    assert body["template"] == {"revisionSuffix": "rb-1", "containers": [API]}


def test_traffic_that_no_new_revision_takes_is_left_as_it_is_at_the_moment() -> None:
    found = app(API, traffic=[{"revisionName": "api--old", "weight": 100}])
    assert bodies.new_revision(found, "rb-1", [API])["properties"].keys() == {"template"}


def test_where_none_was_ever_ready_the_newest_is_pinned() -> None:
    found = app(API, traffic=[{"latestRevision": True, "weight": 100}])
    found["properties"] |= {"latestReadyRevisionName": "", "latestRevisionName": "api--new"}
    assert view.table(found) == [{"revisionName": "api--new", "weight": 100}]


def test_an_app_without_ingress_has_no_traffic_to_pin() -> None:
    found = app(API)
    found["properties"]["configuration"]["ingress"] = None
    assert bodies.new_revision(found, "rb-1", [API])["properties"].keys() == {"template"}


def test_the_same_revision_by_name_and_as_the_latest_is_one_entry() -> None:
    traffic: list[dict[str, Any]] = [
        {"latestRevision": True, "weight": 30},
        {"revisionName": "api--old", "weight": 70, "label": "l"},
    ]
    assert view.table(app(API, traffic=traffic)) == [{"revisionName": "api--old", "weight": 100, "label": "l"}]


def test_the_switch_gives_all_to_one_and_remembers_who_served_the_last_first() -> None:
    entries = [
        {"revisionName": "gone", "weight": 0},
        {"revisionName": "older", "weight": 0},
        {"revisionName": "now", "weight": 100},
        {"revisionName": "test", "weight": 0, "label": "candidate"},
    ]
    assert bodies.switched(entries, "new", {"older", "now", "test", "new"}, keep=1) == [
        {"revisionName": "new", "weight": 100},
        {"revisionName": "test", "weight": 0, "label": "candidate"},
        {"revisionName": "now", "weight": 0},
    ]


def test_people_are_not_shown_the_values_of_variables() -> None:
    found = app({**API, "env": [*API["env"], {"name": "PASSWORD", "value": "canary"}]})
    shown = bodies.without_values(bodies.new_revision(found, "rb-1", bodies.wanted_containers(found, RELEASE)))
    assert "canary" not in str(shown)
    assert NEW in str(shown)
