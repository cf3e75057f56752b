"""Nothing that a checkout or the caller's environment configures runs, or bends the plan."""

import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from ci.changes.repositories import LOST, Repository, chosen

PROGRAMS = (
    "core.fsmonitor",
    "core.sshCommand",
    "core.askPass",
    "core.pager",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.evil.command",
    "diff.evil.textconv",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "filter.e=v.il.clean",
    "remote.origin.uploadpack",
    "remote.origin.vcs",
    "uploadpack.packObjectsHook",
)


@pytest.fixture
def witness(repository: Repository, tmp_path: Path) -> Iterator[Path]:
    """A program that all configuration, all hooks and an attribute name, and a file that it would write."""
    written = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {written}\nexit 1\n')
    program.chmod(0o755)
    repository.commit({".gitattributes": "* diff=evil filter=evil\n*/docs/* filter=e=v.il\n"})
    for key in PROGRAMS:
        repository.git("config", key, str(program) if key != "credential.helper" else f"!{program}")
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc", "fsmonitor-watchman"):
        (repository.folder / ".git/hooks").mkdir(exist_ok=True)
        (repository.folder / ".git/hooks" / name).symlink_to(program)
    repository.git("config", "remote.origin.url", "ssh://nobody@127.0.0.1:9/none")
    yield written
    assert not written.exists(), written.read_text()


def test_a_plan_runs_nothing_of_the_checkout(repository: Repository, first: str, witness: Path) -> None:
    assert repository.plan(base=first).affected
    assert repository.plan(deployed=repository.record(LOST)).affected


def test_a_plan_of_the_work_tree_runs_nothing_of_the_checkout(
    repository: Repository, first: str, witness: Path
) -> None:
    repository.write({"apps/engine/main": "dirty", "apps/api/new": "1"})
    os.utime(repository.folder / "apps/web/main", (1, 1))
    plan = repository.plan(base="HEAD", working_tree=True)
    assert plan.affected == ("api", "engine")


def test_a_remote_on_this_machine_is_served_by_git_alone(repository: Repository, tmp_path: Path, witness: Path) -> None:
    other = Repository(tmp_path / "other")
    lost = other.commit({"x": "1"})
    repository.git("config", "--unset", "remote.origin.vcs")
    repository.git("config", "remote.origin.url", str(other.folder))
    assert chosen(repository.plan(deployed=repository.record(lost))) == {"history-rewritten"}


def test_no_credential_helper_of_the_checkout_is_asked(repository: Repository, witness: Path) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/x"
        repository.git("config", "--unset", "remote.origin.vcs")
        repository.git("config", "remote.origin.url", url)
        repository.git("config", f"credential.{url}.helper", f"!{witness.parent / 'program'}")
        assert chosen(repository.plan(deployed=repository.record(LOST))) == {"base-lost"}
        server.shutdown()
    assert asked


def test_no_ext_transport_is_spoken(repository: Repository, witness: Path) -> None:
    repository.git("config", "--unset", "remote.origin.vcs")
    repository.git("config", "remote.origin.url", f"ext::sh -c {witness.parent / 'program'}")
    repository.git("config", "protocol.ext.allow", "always")
    assert repository.plan(deployed=repository.record(LOST)).affected


def test_the_environment_cannot_point_git_elsewhere(
    repository: Repository, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"apps/engine/main": "2"})
    other = Repository(tmp_path / "other")
    other.commit({"x": "1"})
    variables = {
        "GIT_DIR": str(other.folder / ".git"),
        "GIT_INDEX_FILE": "/nowhere",
        "GIT_OBJECT_DIRECTORY": str(other.folder / ".git/objects"),
        "GIT_NAMESPACE": "x",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "diff.orderFile",
        "GIT_CONFIG_VALUE_0": "/nowhere",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    plan = repository.plan(base=first)
    monkeypatch.undo()
    assert plan.affected == ("engine",)


def test_replaced_objects_are_not_followed(repository: Repository, first: str) -> None:
    second = repository.commit({"apps/engine/main": "2"})
    repository.git("replace", second, first)
    assert repository.since(first) == ("engine",)


def test_a_configured_diff_cannot_hide_a_path(repository: Repository, first: str) -> None:
    for key, value in (("diff.relative", "true"), ("diff.ignoreSubmodules", "all"), ("diff.noPrefix", "true")):
        repository.git("config", key, value)
    repository.commit({"apps/engine/main": "2"})
    assert repository.since(first) == ("engine",)


def test_a_password_in_the_remotes_url_is_not_told(repository: Repository, first: str, tmp_path: Path) -> None:
    repository.commit({"apps/engine/main": "2"})
    shallow = repository.clone(tmp_path / "shallow", "--depth=1")
    shallow.git("remote", "set-url", "origin", "https://someone:secret-word@127.0.0.1:9/x")
    with pytest.raises(Exception, match="could not be deepened") as caught:
        shallow.since(first)
    assert "secret-word" not in str(caught.value)
