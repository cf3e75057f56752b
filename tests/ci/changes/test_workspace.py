"""The path rules must cover the workspace's graph: edge case 26 in docs/change-detection.md."""

import json
from pathlib import Path
from typing import Any

import pytest

from prodgy_ci.catalog import load
from prodgy_ci.changes.workspace import missing_rules
from prodgy_ci.errors import InputError

CATALOG = """
builtin = false
[services.web]
kind = "node"
dockerfile = "apps/web/Dockerfile"
[services.api]
kind = "node"
dockerfile = "apps/api/Dockerfile"
"""
BLOCK = "packages:\n  - 'apps/*'\n  - \"libs/**\" # shared\n\n  # and\n  - tools/one\ncatalog:\n  x: 1\n"


def tree(folder: Path, workspace: str | None = BLOCK, **manifests: dict[str, Any]) -> Path:
    """Packages by folder, `__` standing for a slash, each with what it depends on."""
    if workspace is not None:
        (folder / "pnpm-workspace.yaml").write_text(workspace)
    for name, manifest in manifests.items():
        package = folder / name.replace("__", "/")
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps(manifest))
    return folder


def uses(name: str, *others: str, wanted: str = "workspace:*") -> dict[str, Any]:
    return {"name": name, "dependencies": dict.fromkeys(others, wanted)}


def test_case_26_a_package_used_through_another_must_select_the_service(tmp_path: Path) -> None:
    tree(
        tmp_path,
        apps__web=uses("web", "@x/forms"),
        apps__api=uses("api"),
        libs__forms=uses("@x/forms", "@x/ui"),
        libs__ui=uses("@x/ui"),
    )
    forms, ui = missing_rules(tmp_path, load(CATALOG))
    assert forms.startswith("services.web: uses @x/forms, and no rule selects 'web' when libs/forms/ changes; add")
    assert '"libs/ui/" to services.web.paths' in ui and "(through @x/forms)" in ui
    covered = CATALOG + '[rules.libs]\npaths = ["libs/"]\nservices = ["web"]\n'
    assert missing_rules(tmp_path, load(covered)) == []
    other = CATALOG + '[rules.libs]\npaths = ["libs/"]\nservices = ["api"]\n'
    assert len(missing_rules(tmp_path, load(other))) == 2


def test_a_rule_for_a_part_of_a_package_does_not_cover_it(tmp_path: Path) -> None:
    tree(tmp_path, apps__web=uses("web", "@x/ui"), libs__ui=uses("@x/ui"))
    part = CATALOG + '[rules.libs]\npaths = ["libs/ui/src/", "libs/u"]\nall = true\n'
    assert len(missing_rules(tmp_path, load(part))) == 1


def test_packages_that_use_each_other_are_no_obstacle(tmp_path: Path) -> None:
    tree(tmp_path, apps__web=uses("web", "a"), libs__a=uses("a", "b"), libs__b=uses("b", "a", "web"))
    assert len(missing_rules(tmp_path, load(CATALOG))) == 2


@pytest.mark.parametrize("table", ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"])
@pytest.mark.parametrize("wanted", ["workspace:*", "workspace:^1.0.0", "^1.0.0", "catalog:", "link:../../libs/a"])
def test_every_kind_of_dependency_counts(tmp_path: Path, table: str, wanted: str) -> None:
    tree(tmp_path, apps__web={"name": "web", table: {"a": wanted}}, libs__a=uses("a"))
    assert len(missing_rules(tmp_path, load(CATALOG))) == 1


def test_an_alias_counts_as_what_it_stands_for(tmp_path: Path) -> None:
    web = {"name": "web", "dependencies": {"other": "workspace:@x/a@*", "b": "npm:c@1"}}
    tree(tmp_path, apps__web=web, libs__a=uses("@x/a"), libs__b=uses("b"))
    (line,) = missing_rules(tmp_path, load(CATALOG))
    assert "uses @x/a," in line


@pytest.mark.parametrize(
    "workspace",
    [
        BLOCK,
        'packages: ["apps/*", "libs/**"]\n',
        "packages: [apps/*,\n  libs/* # shared\n]\n",
        "packages:\n- apps/*\n- libs/*\n- '!libs/test'\n",
        "packages:\n  - {apps,libs}/*\n".replace("{apps,libs}/*", '"{apps,libs}/*"'),
        "catalog: {}\npackages: # all\n  - './apps/*/'\n  - ./libs/a\n",
    ],
)
def test_the_forms_of_a_workspace_file(tmp_path: Path, workspace: str) -> None:
    tree(tmp_path, workspace, apps__web=uses("web", "a"), libs__a=uses("a"), other__a=uses("web", "b"))
    assert len(missing_rules(tmp_path, load(CATALOG))) == 1


@pytest.mark.parametrize("workspace", ["packages:\n  - *all\n", "packages:\n  - a: b\n    c: d\n", "packages: *all\n"])
def test_a_workspace_file_that_is_not_understood_is_an_error(tmp_path: Path, workspace: str) -> None:
    with pytest.raises(InputError, match=r"pnpm-workspace\.yaml: packages: cannot read"):
        missing_rules(tree(tmp_path, workspace), load(CATALOG))


def test_what_lies_outside_the_patterns_is_no_package(tmp_path: Path) -> None:
    tree(tmp_path, "packages:\n  - apps/*\n", apps__web=uses("web", "a"), libs__a=uses("a"))
    tree(tmp_path, None, apps__web__node_modules__a=uses("a"))
    assert missing_rules(tmp_path, load(CATALOG)) == []


def test_without_a_workspace_nothing_is_missing(tmp_path: Path) -> None:
    assert missing_rules(tree(tmp_path, None, apps__web=uses("web", "a"), libs__a=uses("a")), load(CATALOG)) == []


def test_the_workspaces_of_a_root_manifest_count_too(tmp_path: Path) -> None:
    tree(tmp_path, None, apps__web=uses("web", "a"), libs__a=uses("a"))
    (tmp_path / "package.json").write_text('{"workspaces": {"packages": ["apps/*", "libs/*"]}}')
    assert len(missing_rules(tmp_path, load(CATALOG))) == 1


def test_the_root_of_the_catalog_counts(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    tree(tmp_path / "inner", apps__web=uses("web", "a"), libs__a=uses("a"))
    (line,) = missing_rules(tmp_path, load(f'root = "inner"\n{CATALOG}'))
    assert "inner/libs/a/ changes" in line
