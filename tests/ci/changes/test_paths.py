"""Names, renames, deletions and kinds of files: the edge cases by their numbers in docs/change-detection.md."""

import json
import os

import pytest
from ci.changes.repositories import SERVICES, Repository, codes, paths

from prodgy_ci.changes.plan import Plan
from prodgy_ci.changes.table import table
from prodgy_ci.errors import InputError


def test_case_14_a_rename_counts_for_both_services(repository: Repository, first: str) -> None:
    repository.git("mv", "apps/api/main", "apps/engine/moved")
    repository.commit({"apps/api/other": "1"})
    plan = repository.plan(base=first)
    assert plan.affected == ("api", "engine")
    assert paths(plan) == {"apps/api/main": "D", "apps/api/other": "A", "apps/engine/moved": "A"}


def test_case_14_a_configured_rename_search_changes_nothing(repository: Repository, first: str) -> None:
    repository.git("config", "diff.renames", "copies")
    repository.git("mv", "apps/api/main", "apps/engine/moved")
    repository.commit({"apps/api/other": "1"})
    assert repository.since(first) == ("api", "engine")


def test_case_15_a_deleted_shared_file_affects_its_users(repository: Repository, first: str) -> None:
    repository.git("rm", "--quiet", "packages/shared/index.ts")
    repository.commit()
    assert "api" in repository.since(first) and "engine" not in repository.since(first)


def test_case_15_a_deleted_service_is_removed_and_never_built(repository: Repository, first: str) -> None:
    repository.git("rm", "-r", "--quiet", "apps/engine")
    repository.commit({"prodgy-ci.toml": ""})
    for plan in (repository.plan(deployed=repository.record(first)), repository.plan(base=first)):
        assert plan.services["engine"].action == "remove"
        assert codes(plan, "engine") == ["folder-gone"]
        assert "engine" not in plan.affected


def test_case_15_a_service_that_never_was_is_skipped(repository: Repository, first: str) -> None:
    repository.git("rm", "-r", "--quiet", "apps/engine")
    repository.commit()
    plan = repository.plan()
    assert plan.services["engine"].action == "skip" and codes(plan, "engine") == ["no-folder"]


def test_case_15_what_runs_and_left_the_catalog_is_removed(repository: Repository, first: str) -> None:
    repository.commit({"prodgy-ci.toml": "[services.docs]\nremove = true\n"})
    plan = repository.plan(deployed=repository.record(first))
    assert plan.services["docs"].action == "remove" and codes(plan, "docs") == ["not-in-catalog"]


def test_case_16_a_mode_change_counts(repository: Repository, first: str) -> None:
    repository.git("update-index", "--chmod=+x", "apps/engine/main")
    repository.git("commit", "--quiet", "--message", "mode")
    assert repository.since(first) == ("engine",)


def test_case_16_a_file_that_becomes_a_link_counts(repository: Repository, first: str) -> None:
    file = repository.folder / "apps/engine/main"
    file.unlink()
    file.symlink_to("../api/main")
    repository.commit()
    plan = repository.plan(base=first)
    assert (plan.affected, paths(plan)) == (("engine",), {"apps/engine/main": "T"})


def test_case_16_a_folder_that_becomes_a_link_counts(repository: Repository, first: str) -> None:
    repository.git("rm", "-r", "--quiet", "apps/engine")
    (repository.folder / "apps/engine").symlink_to("api")
    repository.commit()
    plan = repository.plan(base=first)
    assert plan.affected == ("engine",)


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "line\nbreak",
        'tab\tand "quotes"',
        "ümlaut-日本",
        "-option",
        "\x1b[31mred",
        ":(glob)*",
        "back\\slash",
    ],
)
def test_case_17_any_name_is_taken_whole(repository: Repository, first: str, name: str) -> None:
    repository.commit({f"apps/engine/{name}": "1"})
    plan = repository.plan(base=first)
    assert (plan.affected, paths(plan)) == (("engine",), {f"apps/engine/{name}": "A"})
    assert Plan.model_validate_json(plan.json_bytes()) == plan
    assert all(character.isprintable() or character == "\n" for character in table(plan))
    assert sum(line.startswith("engine ") for line in table(plan).splitlines()) == 1


def test_case_17_a_name_that_is_not_utf8_is_quoted(repository: Repository, first: str) -> None:
    folder = os.fsencode(repository.folder / "apps/engine")
    with open(folder + b"/\xff\xfe", "wb"):
        pass
    repository.commit({'apps/engine/"': "1"})
    plan = repository.plan(base=first)
    assert plan.affected == ("engine",)
    assert set(json.loads(plan.json_bytes())["changed"][first]["paths"]) == {
        '"apps/engine/\\377\\376"',
        'apps/engine/"',
    }


def test_case_17_a_name_that_looks_quoted_is_quoted_too(repository: Repository, first: str) -> None:
    repository.commit({'"a"': "1"})
    assert paths(repository.plan(base=first)) == {'"\\"a\\""': "A"}


def test_case_17_a_name_cannot_command_the_ci_server(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/##vso[task.setvariable variable=x]y": "1"})
    plan = repository.plan(base=first)
    assert b"##" not in plan.json_bytes() and "##" not in table(plan)
    assert "apps/engine/##vso[task.setvariable variable=x]y" in json.loads(plan.json_bytes())["changed"][first]["paths"]


@pytest.mark.parametrize("ignore", ["", "ignore = all"])
def test_case_18_a_submodule_is_a_file_of_its_service(repository: Repository, first: str, ignore: str) -> None:
    module = f'[submodule "m"]\npath = apps/engine/m\nurl = ./m\n{ignore}\n'
    repository.write({".gitmodules": module})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{first},apps/engine/m")
    repository.git("add", ".gitmodules")
    repository.git("commit", "--quiet", "--message", "module")
    base = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--cacheinfo", f"160000,{base},apps/engine/m")
    repository.git("commit", "--quiet", "--message", "newer module")
    plan = repository.plan(base=base)
    assert (plan.affected, paths(plan)) == (("engine",), {"apps/engine/m": "M"})


def test_case_18_what_lies_in_a_submodule_may_be_a_services(repository: Repository, first: str) -> None:
    text = '[services.engine]\npaths = ["vendor/proto/schema/"]\n[services.gateway]\npath = "vendor/gateway/server"\n'
    repository.commit({"prodgy-ci.toml": f'ignored = ["vendor/"]\n{text}'})

    def update(commit: str) -> str:
        for name in ("proto", "gateway"):
            repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/{name}")
        repository.git("commit", "--quiet", "--message", "submodules")
        return repository.git("rev-parse", "HEAD")

    before = update(first)
    update(before)
    assert repository.since(before) == ("engine", "gateway")


def test_a_catalog_of_which_nothing_is_there_is_not_no_change(repository: Repository) -> None:
    repository.commit({"prodgy-ci.toml": 'root = "elsewhere"\n', "elsewhere/apps/README": ""})
    with pytest.raises(InputError, match="has the folder of none of its services"):
        repository.plan()


def test_what_a_build_does_not_see_is_a_matter_of_its_service(repository: Repository) -> None:
    before = repository.commit(
        {"prodgy-ci.toml": 'ignored = ["docker/"]\n[services.engine]\ndockerfile = "docker/e"\n'}
    )
    repository.commit({"docker/e.dockerignore": "x"})
    assert repository.since(before) == ("engine",)


def test_case_18_a_service_may_be_a_submodule(repository: Repository, first: str) -> None:
    repository.git("rm", "-r", "--quiet", "apps/engine")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{first},apps/engine")
    repository.git("commit", "--quiet", "--message", "module")
    plan = repository.plan(base=first)
    assert plan.affected == ("engine",)


def test_case_32_a_change_of_case_alone_counts(repository: Repository, first: str) -> None:
    repository.git("mv", "apps/engine/main", "apps/engine/Main")
    repository.commit()
    assert repository.since(first) == ("engine",)
    repository.git("mv", "apps/engine", "apps/Engine")
    repository.commit()
    plan = repository.plan(base=first)
    assert plan.services["engine"].action == "remove"
    assert plan.affected == tuple(name for name in SERVICES if name != "engine")


def test_case_32_line_ends_count_as_they_are_committed(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/lines": "a\r\n", "apps/api/.gitattributes": ""})
    base = repository.git("rev-parse", "HEAD")
    repository.git("config", "core.autocrlf", "true")
    repository.folder.joinpath("apps/engine/lines").write_bytes(b"a\n")
    assert repository.since(base) == ()
