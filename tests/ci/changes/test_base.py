"""What each service is compared with: the edge cases by their numbers in docs/change-detection.md."""

from pathlib import Path

import pytest
from ci.changes.repositories import LOST, SERVICES, Repository, chosen, codes, paths

from prodgy_ci.changes.options import Options
from prodgy_ci.changes.plan import Plan
from prodgy_ci.changes.table import table
from prodgy_ci.errors import InputError


def test_case_5_the_base_is_what_is_deployed(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    plan = repository.plan(deployed=repository.record(first))
    assert plan.affected == ("engine",)
    assert chosen(plan) == {"deployed"}
    assert {service.base.commit for service in plan.services.values()} == {first}


def test_case_6_after_a_force_push_the_trees_are_compared(repository: Repository, first: str) -> None:
    deployed = repository.commit({"apps/engine/main": "2"})
    repository.git("reset", "--quiet", "--hard", first)
    repository.commit({"apps/api/main": "2"})
    plan = repository.plan(deployed=repository.record(deployed))
    assert plan.affected == ("api", "engine")
    assert chosen(plan) == {"history-rewritten"}


def test_case_6_a_commit_that_only_the_remote_has_is_fetched_by_its_id(
    repository: Repository, first: str, tmp_path: Path
) -> None:
    deployed = repository.commit({"apps/engine/main": "2"})
    repository.git("reset", "--quiet", "--hard", first)
    repository.commit({"apps/api/main": "2"})
    clone = repository.clone(tmp_path / "clone")
    assert "missing" in clone.git("cat-file", "--batch-check", stdin=f"{deployed}\n".encode())
    plan = clone.plan(deployed=repository.record(deployed))
    assert (plan.affected, chosen(plan)) == (("api", "engine"), {"history-rewritten"})


def test_case_6_a_lost_commit_means_all_and_is_named(repository: Repository) -> None:
    plan = repository.plan(deployed=repository.record({"engine": LOST}))
    assert plan.affected == SERVICES
    assert codes(plan, "engine") == ["base-lost"]
    assert plan.services["engine"].base.recorded == LOST
    assert codes(plan, "api") == ["never-deployed"]


def test_case_6_an_older_commit_than_the_deployed_one_is_compared_with_it(repository: Repository, first: str) -> None:
    deployed = repository.commit({"apps/engine/main": "2"})
    plan = repository.plan(head=first, deployed=repository.record(deployed))
    assert (plan.affected, chosen(plan)) == (("engine",), {"deployed-ahead"})


def test_case_7_a_new_environment_gets_all(repository: Repository) -> None:
    plan = repository.plan()
    assert plan.affected == SERVICES
    assert {code for name in SERVICES for code in codes(plan, name)} == {"never-deployed"}


def test_case_7_a_new_service_is_built_alone(repository: Repository, first: str) -> None:
    deployed = {name: first for name in SERVICES if name != "studio"}
    plan = repository.plan(deployed=repository.record(deployed))
    assert plan.affected == ("studio",)
    assert codes(plan, "studio") == ["never-deployed"]


def test_case_8_the_root_commit_is_a_base_like_any_other(repository: Repository, first: str) -> None:
    assert repository.git("rev-list", "--parents", "HEAD") == first
    assert repository.since(first) == ()
    assert repository.plan().affected == SERVICES


def test_case_9_a_merge_brings_what_its_branch_changed(repository: Repository, first: str) -> None:
    repository.git("switch", "--quiet", "--create", "feature")
    repository.commit({"apps/engine/main": "2"})
    repository.git("switch", "--quiet", "main")
    repository.merge("feature")
    assert repository.since(first) == ("engine",)


def test_case_10_a_push_of_several_commits_counts_whole(repository: Repository, first: str) -> None:
    for name in ("engine", "api", "docs"):
        repository.commit({f"apps/{name}/main": "2"})
    assert repository.since(first) == ("api", "docs", "engine")


def test_case_11_what_a_failed_run_left_out_is_not_forgotten(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2", "apps/api/main": "2"})
    second = repository.git("rev-parse", "HEAD")
    repository.commit({"README.md": "only words"})
    deployed = dict.fromkeys(SERVICES, second) | {"engine": first}
    plan = repository.plan(deployed=repository.record(deployed))
    assert plan.affected == ("engine",)
    assert plan.services["engine"].base.commit == first


def test_case_12_the_plan_read_from_its_file_is_the_plan(repository: Repository, first: str) -> None:
    head = repository.commit({"apps/engine/main": "2"})
    written = repository.plan(deployed=repository.record(first)).json_bytes()
    repository.commit({"apps/api/main": "2"})
    plan = Plan.model_validate_json(written)
    assert (plan.head, plan.affected) == (head, ("engine",))


def test_case_13_a_service_whose_publish_failed_is_planned_again(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    assert repository.since(first) == repository.since(first) == ("engine",)


def test_case_29_an_empty_commit_changes_nothing(repository: Repository, first: str) -> None:
    repository.commit()
    plan = repository.plan(deployed=repository.record(first))
    assert (plan.affected, paths(plan)) == ((), {})
    assert "0 to build" in table(plan) and "nothing differs" in table(plan)


def test_case_29_a_revert_to_what_is_deployed_changes_nothing(repository: Repository, first: str) -> None:
    repository.commit({"apps/engine/main": "2"})
    repository.git("revert", "--no-edit", "HEAD")
    assert repository.since(first) == ()


def test_case_34_a_base_far_back_shows_its_age_and_distance(repository: Repository, first: str) -> None:
    for days in (100, 200):
        repository.commit({"apps/engine/main": str(days)}, days=days)
    plan = repository.plan(deployed=repository.record(first))
    assert (plan.changed[first].commits, plan.changed[first].days) == (2, 300)
    assert f"{first[:10]}: 2 commits and 300 days before the head" in table(plan)


def test_case_35_a_promotion_is_compared_with_its_own_environment(repository: Repository, first: str) -> None:
    second = repository.commit({"apps/engine/main": "2"})
    staging, production = "refs/heads/staging", "refs/tags/v1.0.0"
    assert repository.plan(staging, deployed=repository.record(second, "staging")).affected == ()
    assert repository.plan(production, deployed=repository.record(first, "production")).affected == ("engine",)


def test_case_35_the_record_of_another_environment_is_refused(repository: Repository, first: str) -> None:
    with pytest.raises(InputError, match="it is the record of 'staging', but refs/heads/main stands for 'development'"):
        repository.plan(deployed=repository.record(first, "staging"))


def test_an_explicit_base_overrides_the_record_and_is_said(repository: Repository, first: str) -> None:
    second = repository.commit({"apps/engine/main": "2"})
    plan = repository.plan(base=first, deployed=repository.record(second))
    assert (plan.affected, chosen(plan)) == (("engine",), {"explicit"})
    assert "(explicit)" in table(plan)


@pytest.mark.parametrize("base", [LOST, "abcdef1", "refs/heads/none", "HEAD~9"])
def test_an_unknown_explicit_base_is_bad_input(repository: Repository, base: str) -> None:
    with pytest.raises(InputError, match=f"--base: there is no commit {base}"):
        repository.plan(base=base)


def test_a_branch_called_like_an_id_is_not_taken_for_it(repository: Repository) -> None:
    repository.git("branch", "abcdef1")
    with pytest.raises(InputError, match="no commit abcdef1"):
        repository.plan(base="abcdef1")


def test_services_asked_for_are_built_and_no_others(repository: Repository, first: str) -> None:
    plan = repository.plan(services="engine,api", deployed=repository.record(first))
    assert (plan.event, plan.affected) == ("manual", ("api", "engine"))
    assert codes(plan, "engine") == ["requested"] and codes(plan, "web") == ["not-requested"]
    assert repository.plan(services="all").affected == SERVICES


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ("enigne", "unknown service 'enigne': did you mean 'engine'"),
        ("engine,", "names with commas between"),
        ("", "names with commas between"),
    ],
)
def test_services_that_are_none_are_refused(repository: Repository, services: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        repository.plan(services=services)


def test_an_asked_for_service_without_a_folder_is_refused(repository: Repository) -> None:
    repository.git("rm", "-r", "--quiet", "apps/engine")
    repository.commit()
    with pytest.raises(InputError, match="'engine' cannot be built: there is no folder apps/engine"):
        repository.plan(services="engine")


def test_a_branch_of_no_environment_has_no_base(repository: Repository) -> None:
    plan = repository.plan("refs/heads/feature")
    assert (plan.environment, chosen(plan), plan.affected) == (None, {"no-base"}, SERVICES)


def test_the_options_are_what_their_command_line_says() -> None:
    from prodgy_ci.changes.options import command, parse

    given = Options(ref="refs/heads/main", base="HEAD", services="-x", working_tree=True, repository=Path("/a b"))
    assert parse(command(given)[3:]) == given
