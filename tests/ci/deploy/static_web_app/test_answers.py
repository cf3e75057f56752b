"""An upload counts only where the CLI says where to."""

import pytest

from prodgy_ci.deploy.static_web_app.answers import judge

RUN_LDD = "✖ Run ldd StaticSitesClient to check for missing shared libraries.\n"


def test_the_success_line_tells_where_to() -> None:
    verdict = judge(
        0, "\x1b[32m✔ Project deployed to \x1b[4mhttps://happy-sea.azurestaticapps.net\x1b[24m 🚀\x1b[39m\n"
    )
    assert verdict.url == "https://happy-sea.azurestaticapps.net"


@pytest.mark.parametrize("output", ["", "✔ Project deployed to  🚀\n"], ids=["silent", "no address"])
def test_a_good_end_alone_is_no_success(output: str) -> None:
    verdict = judge(0, output)
    assert verdict.url is None and verdict.began and "named no site" in verdict.message


def test_a_bad_end_is_no_success_whatever_was_said() -> None:
    assert judge(1, "Project deployed to https://happy-sea.azurestaticapps.net").url is None


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("Reason: No matching Static Web App was found or the api key was invalid.", "deployment token"),
        ("Deployment Failure Reason: Could not load StaticSitesClient metadata from remote.", "--swa-client"),
        ("StaticSitesClient: error while loading shared libraries: libicu", "libraries of its image"),
        ("Reason: This Static Web App already has the maximum number of staging environments", "delete an environment"),
        ("Reason: The size of the app content was too large. The limit is 262144000 bytes.", "smaller"),
    ],
    ids=["token", "offline", "library", "environments", "size"],
)
def test_known_errors_come_with_their_mend_and_changed_nothing(line: str, mend: str) -> None:
    verdict = judge(1, f"- Preparing deployment.\n✖ {line}\n{RUN_LDD}")
    assert line in verdict.message and mend in verdict.message and not verdict.began


@pytest.mark.parametrize(
    "output",
    ["unexpected\n" + RUN_LDD, "Polling on deployment.\nrejected the request with: BadRequest\n"],
    ids=["unknown error", "known error after the upload"],
)
def test_what_may_have_begun_is_taken_to_have(output: str) -> None:
    assert judge(1, output).began
