"""plan.json and its table."""

import json

from ci.changes.repositories import LOST, SERVICES, Repository

from prodgy_ci.changes.plan import Plan
from prodgy_ci.changes.table import table


def test_equal_input_gives_equal_bytes(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/b": "1", "apps/engine/a": "1"})
    record = repository.record(first)
    assert repository.plan(deployed=record).json_bytes() == repository.plan(deployed=record).json_bytes()


def test_the_plan_holds_what_later_stages_read(repository: Repository, first: str) -> None:
    head = repository.commit({"apps/engine/b": "1", "apps/engine/a": "1", "README.md": "1"})
    deployed = dict.fromkeys(SERVICES, first) | {"api": LOST}
    written = json.loads(repository.plan(deployed=repository.record(deployed)).json_bytes())
    services = written.pop("services")
    assert written == {
        "schema_version": 1,
        "ref": "refs/heads/main",
        "event": "push",
        "environment": "development",
        "head": head,
        "working_tree": False,
        "notes": [],
        "changed": {
            first: {
                "commits": 1,
                "days": 0,
                "ignored": 1,
                "outside": 0,
                "paths": {"README.md": "A", "apps/engine/a": "A", "apps/engine/b": "A"},
            }
        },
    }
    assert list(services) == list(SERVICES)
    assert services["engine"] == {
        "action": "build",
        "base": {"chosen": "deployed", "commit": first, "recorded": None},
        "reasons": [{"code": "rule", "rule": "engine", "path": "apps/engine/a", "count": 2}],
    }
    assert services["api"]["base"] == {"chosen": "base-lost", "commit": None, "recorded": LOST}
    assert services["docs"]["action"] == "skip"


def test_the_table_says_of_each_service_whether_and_why(repository: Repository, first: str) -> None:
    head = repository.commit({"apps/engine/b": "1", "apps/engine/a": "1", "packages/x": "1", "README.md": "1"})
    deployed = {name: first for name in SERVICES if name != "studio"} | {"docs": LOST, "old": first}
    text = table(repository.plan(deployed=repository.record(deployed)))
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert text.startswith(
        f"push refs/heads/main at {head[:10]}, for development: 8 to build, 1 to remove, 1 to skip\n"
    )
    assert lines["engine"].split() == f"engine build {first[:10]} (deployed) engine: apps/engine/a and 1 more".split()
    assert lines["api"].endswith("node-workspace: packages/x")
    assert lines["assistant"].endswith("no rule of it names a changed path")
    assert "nothing is recorded as deployed" in lines["studio"]
    assert f"nothing (base-lost {LOST[:10]})" in lines["docs"] and "a commit that is gone" in lines["docs"]
    assert "the catalog has no such service" in lines["old"]
    assert f"{first[:10]}: 1 commit and 0 days before the head, 4 paths differ (1 ignored)" in text


def test_a_plan_read_back_is_complete(repository: Repository, first: str) -> None:
    plan = repository.plan(base=first)
    assert Plan.model_validate_json(plan.json_bytes()).json_bytes() == plan.json_bytes()
