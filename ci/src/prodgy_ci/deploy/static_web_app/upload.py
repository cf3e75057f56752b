"""Runs the official CLI in a container."""

import shlex
import shutil
import tempfile
import uuid
from pathlib import Path

import dagger
from dagger import dag
from pydantic import SecretStr

from ...errors import ProdgyError
from ...images.failure import words
from . import command
from .target import Said

SITE_SERVICE = "site"
"""The name by which an upload client reaches a site that is a service of the session."""


async def upload(
    folder: Path, token: SecretStr, client: dagger.File | None = None, service: dagger.Service | None = None
) -> Said:
    """Uploads the files of a folder of this process; `client` stands in for the upload client that the CLI downloads."""
    program = f"/cli/{command.SWA}"
    arguments = command.deploy()
    called = [program, *arguments]
    container = _cli()
    if client is not None:
        called = command.with_own_client(program, "/client", arguments)
        own = command.OWN_CLIENT.read_text()
        container = container.with_new_file("/own_client.mjs", own).with_file("/client", client, permissions=0o755)
    if service is not None:
        container = container.with_service_binding(SITE_SERVICE, service)
    for name, value in command.variables().items():
        container = container.with_env_variable(name, value)
    container = (
        container.with_directory("/site", _uploaded(folder))
        .with_directory("/empty", dag.directory())
        .with_secret_variable(
            command.TOKEN_VARIABLE, dag.set_secret(f"swa-{uuid.uuid4().hex}", token.get_secret_value())
        )
        .with_env_variable(
            "PRODGY_UPLOAD", uuid.uuid4().hex
        )  # what was uploaded once may be gone: never from the cache
    )
    try:
        ran = container.with_exec(["sh", "-c", f"{shlex.join(called)} 2>&1"], expect=dagger.ReturnType.ANY)
        return Said(await ran.exit_code(), await ran.stdout())
    except dagger.DaggerError as error:
        raise ProdgyError(f"the Static Web Apps CLI could not be run: {words(error)}") from None


async def ready() -> None:
    """Makes the CLI's container, which else takes its time when all wait for the switch; raises ProdgyError."""
    try:
        await _cli().sync()
    except dagger.DaggerError as error:
        raise ProdgyError(f"the Static Web Apps CLI could not be installed: {words(error)}") from None


def _cli() -> dagger.Container:
    container = dag.container(platform=dagger.Platform("linux/amd64")).from_(command.IMAGE).with_workdir("/cli")
    for file in sorted(command.PACKAGE.iterdir()):
        container = container.with_new_file(f"/cli/{file.name}", file.read_text())
    return container.with_exec(list(command.INSTALL))


def _uploaded(folder: Path) -> dagger.Directory:
    """The folder, which lies where this process runs: a copy of it, since what an engine read once it need not read again."""
    copy = Path(tempfile.mkdtemp(prefix="prodgy-upload-", dir=Path.cwd()))
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    return dag.current_module().workdir(copy.name)
