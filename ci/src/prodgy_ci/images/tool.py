"""Runs parts of this package in a container of their own, where the files are."""

from collections.abc import Sequence
from pathlib import Path

import dagger
from dagger import dag

from ..errors import InputError

PYTHON_IMAGE = "python:3.13-slim"

PACKAGE = Path(__file__).parent.parent
_FAULT_OF_INPUT = 2


def python(*modules: str) -> dagger.Container:
    """A container that can run `python -m prodgy_ci.<module>`.

    modules: the files of this package that it needs, such as "images/archive.py"; they import nothing from outside.
    """
    container = dag.container().from_(PYTHON_IMAGE).with_env_variable("PYTHONPATH", "/package")
    for file in package_files(modules):
        container = container.with_new_file(f"/package/{PACKAGE.name}/{file}", (PACKAGE / file).read_text())
    return container


async def run(container: dagger.Container, arguments: Sequence[str]) -> dagger.Container:
    """The container after the command; what the command says with exit code 2 is raised as InputError."""
    try:
        return await container.with_exec(list(arguments)).sync()
    except dagger.ExecError as error:
        if error.exit_code != _FAULT_OF_INPUT:
            raise
        raise InputError(error.stderr.strip()) from None


def package_files(modules: Sequence[str]) -> list[str]:
    """The modules and what they stand on: the packages they lie in, and this package's errors."""
    folders = {folder for module in modules for folder in Path(module).parents}
    return ["errors.py", *sorted((folder / "__init__.py").as_posix() for folder in folders), *modules]
