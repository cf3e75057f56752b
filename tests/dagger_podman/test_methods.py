"""Methods beyond what `golden/` recorded, asked by an ordinary `dagger-io` program."""

import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import dagger
import pytest
from dagger import dag

PYTHON = "python:3.13-slim"
pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def session() -> AsyncIterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", str(Path(sys.executable).with_name("dagger-podman")))
        async with dagger.connection(dagger.Config(log_output=sys.stderr, retry=None)):
            yield


@pytest.fixture
def files(session: None) -> dagger.Directory:
    return dag.directory().with_new_file("a/real", "12345", permissions=0o640).with_symlink("real", "a/link")


async def test_status_of_paths_in_an_image_and_below_a_mount(files: dagger.Directory) -> None:
    base = dag.container().from_(PYTHON)
    for container in (base.with_directory("/data", files), base.with_mounted_directory("/data", files)):
        assert await container.stat("/data/a/real").size() == 5
        assert await container.stat("data/a/link").permissions() == 0o640
        link = container.stat("/data/a/link", do_not_follow_symlinks=True)
        assert await link.file_type() == dagger.FileType.SYMLINK
        assert await container.exists("/data/a/link", expected_type=dagger.ExistsType.REGULAR_TYPE)
        assert await container.exists(
            "/data/a/link", expected_type=dagger.ExistsType.SYMLINK_TYPE, do_not_follow_symlinks=True
        )
        assert not await container.exists("/data/a", expected_type=dagger.ExistsType.REGULAR_TYPE)
        assert not await container.exists("/data/none")
        with pytest.raises(dagger.QueryError, match="no such file or directory"):
            await container.stat("/data/none").size()


async def test_a_volatile_variable_reaches_commands_and_runs_nothing_again(session: None) -> None:
    base = dag.container().from_(PYTHON).with_env_variable("MARK", str(time.time_ns()))

    async def said(value: str) -> str:
        return await base.with_volatile_variable("RUN", value).with_exec(["sh", "-c", "echo $RUN"]).stdout()

    assert await said("first") == "first\n"
    assert await said("second") == "first\n"
    gone = base.with_volatile_variable("RUN", "x").without_volatile_variable("RUN")
    assert await gone.with_exec(["sh", "-c", "echo [$RUN]"]).stdout() == "[]\n"


async def test_what_is_written_where_an_image_declares_a_volume_stays(session: None) -> None:
    built = (
        dag.directory().with_new_file("Dockerfile", f"FROM {PYTHON}\nRUN mkdir /data\nVOLUME /data\n").docker_build()
    )
    assert await built.with_exec(["touch", "/data/x"]).with_exec(["ls", "/data"]).stdout() == "x\n"


async def test_gitignore_is_read_as_git_reads_it(session: None) -> None:
    tree = (
        dag.directory()
        .with_new_file(".gitignore", "*.log\nbuild/\n!kept.log\n")
        .with_new_file("sub/.gitignore", "/only-here\n")
        .with_new_file("a.log", "")
        .with_new_file("kept.log", "")
        .with_new_file("build/x", "")
        .with_new_file("sub/only-here", "")
        .with_new_file("sub/deep/only-here", "")
    )
    kept = await tree.filter(gitignore=True).glob("**/*")
    assert kept == [".gitignore", "kept.log", "sub/", "sub/.gitignore", "sub/deep/", "sub/deep/only-here"]
    assert await dag.directory().with_directory("x", tree, gitignore=True).glob("x/*.log") == ["x/kept.log"]


async def test_an_export_that_wipes_leaves_nothing_else(files: dagger.Directory, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    await files.export(str(tmp_path))
    assert (tmp_path / "old/file").exists()
    await files.export(str(tmp_path), wipe=True)
    assert sorted(os.listdir(tmp_path)) == ["a"]
