"""Runs the planner where git is: in a container with git and this package, the caller's .git mounted."""

import tempfile
from pathlib import Path

import dagger
from dagger import dag

from .catalog import Catalog
from .changes.options import Options, command
from .changes.plan import Plan
from .changes.workspace import missing_rules
from .errors import InputError, ProdgyError, UndeterminedError

IMAGE = "python:3.13"
"""Official Python with git."""
PACKAGES = Path(__file__).parent / "changes/packages.lock"
"""What the planner needs of requirements.lock, which the engine writes anew without hashes before it runs the module."""
REPOSITORY, DEPLOYED, PACKAGE, LOCK = "/repository", "/input/deployed.json", "/package", "packages.lock"


async def plan(git: dagger.Directory, options: Options, deployed: dagger.File | None) -> tuple[Plan, str]:
    """The plan, and its JSON. Raises InputError, or UndeterminedError where it could not tell what changed."""
    container = _planner().with_mounted_directory(f"{REPOSITORY}/.git", git)
    if deployed is not None:
        container = container.with_mounted_file(DEPLOYED, deployed)
        options = options._replace(deployed=Path(DEPLOYED))
    words = command(options._replace(repository=Path(REPOSITORY)))
    try:
        text = await container.with_exec(words).stdout()
    except dagger.ExecError as error:  # so that no failure is kept: the next time a remote may answer
        said = error.stderr.strip().removeprefix("error: ").replace(DEPLOYED, "--deployed")
        if "not a git repository" in said:
            said = "--git: there is no repository; give the folder .git of one"
        raise {2: InputError, 3: UndeterminedError}.get(error.exit_code, ProdgyError)(said) from None
    return Plan.model_validate_json(text), text


def _planner() -> dagger.Container:
    installed = (
        dag.container()
        .from_(IMAGE)
        .with_new_file(f"/{LOCK}", PACKAGES.read_text())
        .with_mounted_cache("/root/.cache/pip", dag.cache_volume("prodgy-ci-pip"))
        .with_exec(
            ["python", "-m", "pip", "install", "--quiet", "--require-hashes", "--target=/packages", "-r", f"/{LOCK}"]
        )
    )
    code = dag.current_module().source().directory("src/prodgy_ci").filter(include=["*.py", "catalog/**", "changes/**"])
    return installed.with_mounted_directory(f"{PACKAGE}/prodgy_ci", code).with_env_variable(
        "PYTHONPATH", f"/packages:{PACKAGE}"
    )


async def check(source: dagger.Directory, catalog: Catalog) -> None:
    """Raises ProdgyError with each rule that the catalog lacks."""
    inside = "" if catalog.root == "." else f"{catalog.root}/"
    manifests = source.filter(
        include=[f"{inside}**/package.json", f"{inside}package.json", f"{inside}pnpm-workspace.yaml"]
    )
    with tempfile.TemporaryDirectory() as folder:
        await manifests.export(folder)
        if missing := missing_rules(Path(folder), catalog):
            raise ProdgyError("\n".join(missing))
