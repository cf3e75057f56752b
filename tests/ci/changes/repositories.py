"""Real git repositories, small enough to be made in each test."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prodgy_ci.changes.options import Options
from prodgy_ci.changes.plan import Plan
from prodgy_ci.changes.planner import make_plan

MAIN = "refs/heads/main"
NODE = ("agentic", "api", "gateway", "service", "studio", "web")
SERVICES = tuple(sorted((*NODE, "assistant", "docs", "engine")))
LOST = "0123456789abcdef0123456789abcdef01234567"
DAY = 86400
_START = 1_700_000_000
_IDENTITY = {f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def monorepo() -> dict[str, str]:
    """The files of a monorepo with all the built-in services."""
    return {f"apps/{name}/main": name for name in SERVICES} | {"packages/shared/index.ts": "1", "pnpm-lock.yaml": "1"}


class Repository:
    """A repository with a work tree, whose commits have fixed times."""

    def __init__(self, folder: Path, *init: str) -> None:
        self.folder = folder
        self.time = _START
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", *init)

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        date = {"GIT_AUTHOR_DATE": f"{self.time} +0000", "GIT_COMMITTER_DATE": f"{self.time} +0000"}
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments], cwd=self.folder, input=stdin, capture_output=True,
            env={**os.environ, **_IDENTITY, **date, "GIT_CONFIG_GLOBAL": os.devnull},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="surrogateescape").strip()

    def write(self, files: Mapping[str, str]) -> None:
        for path, content in files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, newline="")

    def commit(self, files: Mapping[str, str] | None = None, *, days: int = 0) -> str:
        """Commits the files beside whatever lies in the work tree."""
        self.time += 60 + days * DAY
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def merge(self, branch: str) -> str:
        self.time += 60
        self.git("merge", "--quiet", "--no-ff", "--message", "merge", branch)
        return self.git("rev-parse", "HEAD")

    def clone(self, folder: Path, *options: str) -> "Repository":
        """A clone that speaks the real protocol, so that depths and filters count."""
        self.git("clone", "--quiet", *options, f"file://{self.folder}", str(folder))
        clone = Repository.__new__(Repository)
        clone.folder, clone.time = folder, self.time
        return clone

    def record(self, commits: Mapping[str, str] | str, environment: str = "development") -> Path:
        """A deployed.json; one commit stands for all services."""
        by_name = dict.fromkeys(SERVICES, commits) if isinstance(commits, str) else commits
        digest = "sha256:" + "0" * 64
        services = {name: {"commit": commit, "digest": digest} for name, commit in by_name.items()}
        file = self.folder.parent / "deployed.json"
        file.write_text(json.dumps({"schema_version": 1, "environment": environment, "services": services}))
        return file

    def plan(self, ref: str = MAIN, **options: Any) -> Plan:
        made = make_plan(Options(ref=ref, repository=self.folder, **options)).json_bytes()
        plan = Plan.model_validate_json(made)
        assert plan.json_bytes() == made
        return plan

    def since(self, base: str, **options: Any) -> tuple[str, ...]:
        """The services that are built for main when all of them were deployed from the base."""
        return self.plan(deployed=self.record(base), **options).affected


def codes(plan: Plan, name: str) -> list[str]:
    return [reason.code for reason in plan.services[name].reasons]


def chosen(plan: Plan) -> set[str]:
    return {service.base.chosen for service in plan.services.values()}


def paths(plan: Plan) -> dict[str, str]:
    """The changed paths where there is one base."""
    (changes,) = plan.changed.values()
    return changes.paths
