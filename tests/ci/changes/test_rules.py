"""Which rules name a path, and which services that selects: the edge cases by their numbers."""

import pytest
from ci.changes.repositories import NODE, SERVICES, Repository, codes

from prodgy_ci.changes.rulebook import read
from prodgy_ci.changes.rules import Hit, Rules, selected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *((f"apps/{name}/src/x", (name,)) for name in SERVICES),
        ("Dockerfile.engine", ("engine",)),
        *((path, NODE) for path in ("packages/ui/x.ts", "pnpm-lock.yaml", "turbo.json", "package.json")),
        *((path, NODE) for path in ("pnpm-workspace.yaml", ".npmrc")),
        *((path, SERVICES) for path in ("ci/src/x.py", "dagger.json", "azure-pipelines.yml", ".dockerignore")),
        *((path, ()) for path in ("README.md", "docs/guide.txt", "docs")),
        *((path, SERVICES) for path in (".nvmrc", "tsconfig.base.json", "apps/README.md", "libs/README.md", "apps")),
        *((path, SERVICES) for path in ("apps/api2/x", "Packages/x", "packages2", "nested/pnpm-lock.yaml")),
        ("apps/api/README.md", ("api",)),
        ("packages/docs/README.md", NODE),
    ],
)
def test_cases_24_to_27_a_path_selects(path: str, expected: tuple[str, ...]) -> None:
    assert affected([path]) == expected


def test_case_24_a_change_of_the_lockfile_alone_selects_all_node_services(repository: Repository, first: str) -> None:
    repository.commit({"pnpm-lock.yaml": "2"})
    plan = repository.plan(deployed=repository.record(first))
    assert plan.affected == NODE
    assert [reason.rule for reason in plan.services["api"].reasons] == ["node-workspace"]


def test_case_27_a_path_that_no_rule_names_is_told(repository: Repository, first: str) -> None:
    repository.commit({"tools/a": "1", "tools/b": "1", "apps/api/main": "2"})
    plan = repository.plan(base=first)
    assert plan.affected == SERVICES
    assert codes(plan, "api") == ["rule", "unmapped"]
    (reason,) = plan.services["engine"].reasons
    assert (reason.code, reason.path, reason.count) == ("unmapped", "tools/a", 2)


def test_case_27_the_pipelines_own_files_are_told(repository: Repository, first: str) -> None:
    repository.commit({"ci/main.py": "1"})
    assert codes(repository.plan(base=first), "engine") == ["pipeline"]


def test_ignored_never_wins_over_a_rule() -> None:
    text = 'ignored = ["*.md", "apps/", "packages/"]'
    assert affected(["README.md", "apps/other/x"], text) == ()
    assert affected(["apps/engine/x"], text) == ("engine",)
    assert affected(["packages/x"], text) == NODE


def test_every_rule_that_names_a_path_applies() -> None:
    text = '[services.engine]\npaths = ["packages/protocol/"]\n[rules.words]\npaths = ["packages/protocol/words/"]\n'
    text += 'services = ["docs"]'
    found = selected(hits(["packages/protocol/words/a"], text), list(read(text).services.values()))
    assert set(found) == {*NODE, "engine", "docs"}


def test_paths_outside_the_root_select_nothing_but_by_the_pipeline() -> None:
    text = 'root = "examples/prodgy"'
    assert affected(["src/x", "apps/engine/x", "README.md", "packages/x"], text) == ()
    assert affected(["examples/prodgy/apps/engine/x"], text) == ("engine",)
    assert affected(["examples/prodgy/new"], text) == SERVICES
    assert affected(["examples/prodgy2/new"], text) == ()
    assert affected(["azure-pipelines.yml"], text) == SERVICES
    assert affected(["examples/prodgy/azure-pipelines.yml"], text) == SERVICES


def test_a_rule_counts_each_path_once_and_shows_the_first() -> None:
    text = '[rules.twice]\npaths = ["libs/", "libs/a/", "libs/a/b"]\nservices = ["engine"]'
    (hit,) = hits(["libs/a/b", "libs/a/c", "libs/z"], text)
    assert (hit.reason.rule, hit.reason.path, hit.reason.count) == ("twice", "libs/a/b", 3)


def test_the_order_of_the_paths_decides_nothing() -> None:
    changed = ["apps/api/b", "apps/api/a", "packages/z", "packages/a", "tools/x", "README.md"]
    assert hits(changed, "") == hits(changed[::-1], "")


def test_a_very_deep_path_is_no_obstacle() -> None:
    assert affected(["apps/engine/" + "d/" * 5000 + "x"]) == ("engine",)


def hits(changed: list[str], text: str) -> tuple[Hit, ...]:
    return Rules(read(text)).sort_out(changed).hits


def affected(changed: list[str], text: str = "") -> tuple[str, ...]:
    return tuple(sorted(selected(hits(changed, text), list(read(text).services.values()))))
