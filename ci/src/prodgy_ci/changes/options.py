"""The command line: what it takes, and how another program writes it."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

MODULE = "prodgy_ci.changes"


class Options(NamedTuple):
    """What a plan is asked for."""

    ref: str
    repository: Path = Path(".")
    catalog: Path | None = None
    head: str | None = None
    base: str | None = None
    deployed: Path | None = None
    pull_request_source: str | None = None
    pull_request_target: str | None = None
    services: str | None = None
    working_tree: bool = False
    format: str = "json"

    @property
    def is_pull_request(self) -> bool:
        """Whether a pull request is asked about: by its ref or by what is said of it."""
        return self.ref.startswith("refs/pull/") or bool(self.pull_request_source or self.pull_request_target)


def command(options: Options, python: str = "python") -> list[str]:
    """The command line of the options: each value is joined to its option, so that none can pass for another."""
    values = {
        "repository": options.repository,
        "catalog": options.catalog,
        "ref": options.ref,
        "head": options.head,
        "base": options.base,
        "deployed": options.deployed,
        "pull-request-source": options.pull_request_source,
        "pull-request-target": options.pull_request_target,
        "services": options.services,
        "format": options.format,
    }
    given = [f"--{name}={value}" for name, value in values.items() if value is not None]
    return [python, "-m", MODULE, *given, *(["--working-tree"] if options.working_tree else [])]


def parse(arguments: Sequence[str]) -> Options:
    """The options of a command line; ends the program with code 2 and a message where it is wrong."""
    import argparse

    parser = argparse.ArgumentParser(
        prog=f"{Path(sys.executable).name} -m {MODULE}",
        description="Says what a commit changes since what is deployed, what will run, and why.",
        epilog="Ends with 0 and a plan, also an empty one; 2 for bad input; 3 where it could not tell.",
        allow_abbrev=False,
        # A width spares the import with which argparse would look for the terminal's.
        formatter_class=partial(argparse.HelpFormatter, width=110),
    )
    add = parser.add_argument
    add("--repository", type=Path, default=Path("."), metavar="DIR", help="the folder that holds .git, or .git itself")
    add("--catalog", type=Path, metavar="FILE", help="a prodgy-ci.toml; by default the one of the head commit")
    add("--ref", required=True, help="the full ref that is built, such as refs/heads/main")
    add("--head", metavar="SHA", help="the commit that is built; HEAD by default")
    add("--base", metavar="SHA", help="compare with this commit, whatever is deployed")
    add("--deployed", type=Path, metavar="FILE", help="deployed.json: what runs in the environment")
    add("--pull-request-source", metavar="SHA", help="the commit that the pull request proposes")
    add("--pull-request-target", metavar="REF", help="the branch it goes to, such as refs/heads/main")
    add("--services", metavar="NAMES", help="build these and no others: names with commas between, or all")
    add("--working-tree", action="store_true", help="count uncommitted and untracked files in")
    add("--format", choices=("json", "table"), default="json", help="plan.json, or a text for people")
    return Options(**vars(parser.parse_args(arguments)))
