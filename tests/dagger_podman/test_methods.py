"""Methods beyond what `golden/` recorded, asked by an ordinary `dagger-io` program."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagger
import httpx
import pytest
from dagger import dag

PYTHON = "python:3.13-slim"
pytestmark = pytest.mark.anyio


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


async def test_a_locked_cache_is_one_commands_at_a_time_and_belongs_to_whom_it_says(session: None) -> None:
    mark = str(time.time_ns())
    script = "mkdir /cache/busy && sleep 0.5 && rmdir /cache/busy && stat -c %u:%g /cache"
    cache = dag.cache_volume(f"locked-{mark}")

    async def at_once(sharing: dagger.CacheSharingMode) -> list[str | BaseException]:
        base = dag.container().from_(PYTHON).with_env_variable("MARK", mark + sharing.value)
        mounted = base.with_mounted_cache("/cache", cache, sharing=sharing, owner="1234:5678")
        commands = (mounted.with_exec(["sh", "-c", script, str(i)]).stdout() for i in range(3))
        return await asyncio.gather(*commands, return_exceptions=True)

    assert await at_once(dagger.CacheSharingMode.LOCKED) == ["1234:5678\n"] * 3
    refused = [one for one in await at_once(dagger.CacheSharingMode.SHARED) if isinstance(one, dagger.ExecError)]
    assert refused and all("File exists" in one.stderr for one in refused)


async def test_a_socket_of_the_callers_machine(session: None, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"from the host")
        writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / "socket"):
        socket = dag.host().unix_socket(str(tmp_path / "socket"))
        container = dag.container().from_(PYTHON).with_env_variable("MARK", str(time.time_ns()))
        read = "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/s'); print(s.recv(99).decode())"
        with_socket = container.with_unix_socket("/run/s", socket).with_exec(["python3", "-c", read])
        assert await with_socket.stdout() == "from the host\n"
        gone = with_socket.without_unix_socket("/run/s").with_exec(["sh", "-c", "ls /run/s; true"])
        assert "No such file" in await gone.stderr()
    with pytest.raises(dagger.QueryError, match="none is no Unix socket"):
        await (
            container.with_unix_socket("/s", dag.host().unix_socket(str(tmp_path / "none"))).with_exec(["true"]).sync()
        )


async def test_find_up_goes_from_the_working_directory_upwards(session: None) -> None:
    here = await dag.host().find_up("pyproject.toml")
    assert here and Path(here).samefile(Path.cwd() / "pyproject.toml")
    assert await dag.host().find_up(f"none-{time.time_ns()}") is None


async def test_a_file_that_is_put_where_a_folder_is_goes_into_it(files: dagger.Directory) -> None:
    tool = dag.file("tool", "made")
    base = dag.container().from_(PYTHON)
    for container in (base, base.with_mounted_directory("/usr/games", files)):
        assert await container.with_file("/usr/games", tool).file("/usr/games/tool").contents() == "made"
    assert await dag.directory().with_new_directory("d", permissions=0o755).with_file("d", tool).glob("**") == [
        "d/",
        "d/tool",
    ]


async def test_a_new_file_or_folder_leaves_what_is_there_as_it_is(files: dagger.Directory) -> None:
    again = files.with_new_file("a/link", "other")
    assert await again.file("a/real").contents() == "other"
    assert await again.stat("a/real").permissions() == 0o640
    assert await files.with_new_directory("a", permissions=0o700).stat("a").permissions() == 0o755
    assert await files.with_new_directory("x/y", permissions=0o700).stat("x").permissions() == 0o700
    assert await files.exists("a/link", expected_type=dagger.ExistsType.SYMLINK_TYPE)
    with pytest.raises(dagger.QueryError, match="is a directory"):
        await files.with_new_file("a", "x").sync()


async def test_what_is_written_at_a_mount_is_meant_for_beneath_and_below_a_cache_for_nothing(
    files: dagger.Directory,
) -> None:
    base = dag.container().from_(PYTHON)
    mounted = base.with_mounted_file("/etc/motd", files.file("a/real"))
    assert await mounted.with_new_file("/etc/motd", "new").file("/etc/motd").contents() == "new"
    with pytest.raises(dagger.QueryError, match="cannot retrieve path from a cache mount"):
        await base.with_mounted_cache("/cache", dag.cache_volume("beneath")).with_new_file("/cache/x", "x").sync()


async def test_text_is_replaced_once_from_a_line_on_or_everywhere(session: None) -> None:
    text = dag.file("text", "a\na\na\n")
    assert await text.with_replaced("a", "b", first_from=2).contents() == "a\nb\na\n"
    assert await text.with_replaced("a", "b", all=True).contents() == "b\nb\nb\n"
    for search, said in (("a", "found 3 times"), ("z", "not found")):
        with pytest.raises(dagger.QueryError, match=said):
            await text.with_replaced(search, "b").contents()


async def test_what_an_image_has_is_laid_over_what_was_set_before(session: None) -> None:
    early = dag.container().with_env_variable("EARLY", "1").with_env_variable("PATH", "/none").with_label("early", "1")
    container = early.from_(PYTHON)
    assert await container.env_variable("EARLY") == "1" and await container.label("early") == "1"
    assert await container.env_variable("PATH") != "/none"


async def test_the_working_directory_that_is_made_belongs_to_the_user(session: None) -> None:
    container = dag.container().from_(PYTHON).with_user("1000").with_workdir("/made/here")
    assert await container.with_exec(["sh", "-c", "touch x && ls"]).stdout() == "x\n"


async def test_a_variable_is_expanded_as_go_does_and_a_secret_never(session: None) -> None:
    container = dag.container().from_(PYTHON).with_env_variable("A", "1")
    assert await container.with_exec(["echo", "$A-${A}-${A:-d}-$0"], expand=True).stdout() == "1-1--\n"
    secret = container.with_secret_variable("TOKEN", dag.set_secret("expanded", "canary-expanded"))
    with pytest.raises(dagger.QueryError, match='expand cannot be used with secret env variable "TOKEN"'):
        await secret.with_exec(["echo", "$TOKEN"], expand=True).stdout()


async def test_a_service_runs_its_entrypoint_unless_it_was_told_what_to_run(session: None) -> None:
    base = dag.container().from_(PYTHON).with_exposed_port(8000).with_env_variable("RUN", str(time.time_ns()))
    entry = base.with_entrypoint(["python", "-m", "http.server"])
    told = entry.with_default_args(["python", "-m", "http.server", "8000"])
    for container in (entry, told):
        service = await container.as_service().start()
        async with httpx.AsyncClient() as client:
            assert (await client.get(await service.endpoint(scheme="http"))).status_code == 200
        await service.stop(kill=True)
        await service.stop()
    with pytest.raises(dagger.QueryError, match="no service command has been set"):
        await base.without_default_args().as_service().start()


async def test_a_working_directory_that_is_only_named_is_made_for_a_service_too(session: None) -> None:
    named = dag.container().from_(PYTHON).with_workdir(f"/new/{time.time_ns()}").with_exposed_port(8000)
    service = await named.with_default_args(["python3", "-m", "http.server"]).as_service().start()
    async with httpx.AsyncClient() as client:
        assert "Directory listing for /" in (await client.get(await service.endpoint(scheme="http"))).text
    await service.stop(kill=True)


async def test_permissions_of_a_directory_are_those_of_all_that_is_copied(files: dagger.Directory) -> None:
    script = "stat -c '%a %n' /tmp /tmp/a /tmp/a/real && ls /tmp/a"
    base = dag.container().from_(PYTHON)
    # The root of a directory keeps its own; what is mounted at /tmp is one.
    for container, root in ((base, 711), (base.with_mounted_directory("/tmp", dag.directory()), 755)):
        copied = container.with_directory("/tmp", files, permissions=0o711)
        assert await copied.with_exec(["sh", "-c", script]).stdout() == (
            f"{root} /tmp\n711 /tmp/a\n711 /tmp/a/real\nlink\nreal\n"
        )


async def test_folders_that_are_there_get_the_attributes_of_what_is_copied_into_them(session: None) -> None:
    base = dag.directory().with_new_directory("a/b", permissions=0o700)
    source = dag.directory().with_new_directory("b", permissions=0o751)
    copied = base.with_directory("a", source)
    assert await copied.stat("a").permissions() == 0o755
    assert await copied.stat("a/b").permissions() == 0o751
    script = ["stat", "-c", "%a", "/a", "/a/b"]
    container = dag.container().from_(PYTHON).with_directory("/", base).with_directory("/a", source)
    assert await container.with_exec(script).stdout() == "755\n751\n"
    linked = dag.container().from_(PYTHON).with_symlink("a", "/tmp/link")
    assert await linked.with_exec(["stat", "-c", "%a", "/tmp"]).stdout() == "1777\n"


async def test_output_can_be_written_to_what_is_mounted(session: None) -> None:
    mounted = dag.container().from_(PYTHON).with_mounted_directory("/data", dag.directory())
    command = ["sh", "-c", "echo out; echo err >&2"]
    ran = mounted.with_exec(command, redirect_stdout="/data/out", redirect_stderr="/err")
    assert await ran.file("/data/out").contents() == "out\n"
    assert await ran.with_exec(["sh", "-c", "cat /data/out /err; stat -c %a /data/out /err"]).stdout() == (
        "out\nerr\n600\n600\n"
    )
    over_file = mounted.with_mounted_file("/file", dag.file("file", "old")).with_exec(command, redirect_stdout="/file")
    assert await over_file.file("/file").contents() == "out\n"


@pytest.fixture
def without_new_volumes() -> Iterator[None]:
    """Takes away the volumes that a test makes under names of its own."""

    def there() -> set[str]:
        listed = subprocess.run(["podman", "volume", "ls", "-q"], capture_output=True, text=True, check=True)
        return set(listed.stdout.split())

    before = there()
    yield
    if new := there() - before:
        subprocess.run(["podman", "volume", "rm", "-f", *new], check=True, capture_output=True)


@pytest.mark.usefixtures("without_new_volumes")
async def test_a_cache_volume_of_another_source_owner_or_sharing_is_another(session: None) -> None:
    key, start = f"test-{time.time_ns()}", dag.directory().with_new_file("start", "here")
    base = dag.container().from_(PYTHON)

    async def names(volume: dagger.CacheVolume, write: str, **options: Any) -> str:
        mounted = base.with_mounted_cache("/c", volume, **options).with_env_variable("NOW", str(time.time_ns()))
        return await mounted.with_exec(["sh", "-c", f"touch /c/{write}; stat -c '%u %n' /c /c/*"]).stdout()

    assert await names(dag.cache_volume(key), "a") == "0 /c\n0 /c/a\n"
    assert await names(dag.cache_volume(key), "b") == "0 /c\n0 /c/a\n0 /c/b\n"
    assert await names(dag.cache_volume(key, owner="7"), "c") == "7 /c\n0 /c/c\n"
    assert await names(dag.cache_volume(key), "d", owner="7") == "7 /c\n0 /c/c\n0 /c/d\n"
    assert await names(dag.cache_volume(key, source=start), "e") == "0 /c\n0 /c/e\n0 /c/start\n"
    assert await names(dag.cache_volume(key, source=start, owner="7"), "f") == "7 /c\n0 /c/f\n7 /c/start\n"
    assert await names(dag.cache_volume(key, sharing=dagger.CacheSharingMode.PRIVATE), "g") == "0 /c\n0 /c/g\n"


async def test_two_commands_that_lock_the_same_volumes_in_another_order_do_not_wait_for_ever(session: None) -> None:
    one, two = (dag.cache_volume(f"lock-{n}", sharing=dagger.CacheSharingMode.LOCKED) for n in "12")
    base = dag.container().from_(PYTHON).with_env_variable("NOW", str(time.time_ns()))
    there = base.with_mounted_cache("/1", one).with_mounted_cache("/2", two).with_mounted_cache("/3", one)
    back = base.with_mounted_cache("/2", two).with_mounted_cache("/1", one)
    async with asyncio.timeout(60):
        await asyncio.gather(*(c.with_exec(["sleep", "0.3"]).sync() for c in (there, back, there, back)))


async def test_a_service_that_stopped_or_failed_lets_go_of_its_volumes(session: None) -> None:
    volume = dag.cache_volume("locked-by-a-service", sharing=dagger.CacheSharingMode.LOCKED)
    base = dag.container().from_(PYTHON).with_env_variable("NOW", str(time.time_ns())).with_mounted_cache("/c", volume)
    async with asyncio.timeout(90):
        with pytest.raises(dagger.QueryError):
            await base.with_exposed_port(8000).with_default_args(["false"]).as_service().start()
        service = base.with_exposed_port(8000).with_default_args(["python3", "-m", "http.server"]).as_service()
        for _ in range(2):
            await service.start()
            await service.stop(kill=True)
        await base.with_exec(["true"]).sync()


async def test_an_image_reference_is_known_until_something_is_changed(session: None) -> None:
    image = dag.container().from_(PYTHON)
    assert re.fullmatch(r"docker\.io/library/python:3\.13-slim@sha256:[0-9a-f]{64}", await image.image_ref())
    for changed in (image.with_env_variable("A", "1"), image.with_exec(["true"]), image.with_mounted_temp("/t")):
        with pytest.raises(dagger.QueryError, match="can only be retrieved immediately after"):
            await changed.image_ref()


async def test_ports_and_default_arguments_outlive_another_base(session: None) -> None:
    again = dag.container().with_exposed_port(8000, description="web").from_(PYTHON)
    assert [(await p.port(), await p.description()) for p in await again.exposed_ports()] == [(8000, "web")]


async def test_a_symlink_below_a_mount_is_made_in_the_mount(files: dagger.Directory) -> None:
    mounted = dag.container().from_(PYTHON).with_mounted_directory("/data", files)
    linked = mounted.with_env_variable("NAME", "other").with_symlink("a/real", "/data/$NAME", expand=True)
    assert await linked.with_exec(["cat", "/data/other"]).stdout() == "12345"
    assert await linked.directory("/data").entries() == ["a/", "other"]


async def test_owners_of_mounts_by_the_names_that_the_container_has(files: dagger.Directory) -> None:
    script = "stat -c '%U:%G %n' /directory/a/real /cache /secret && cat /secret"
    container = (
        dag.container()
        .from_(PYTHON)
        .with_new_file("/etc/passwd", "root:x:0:0::/:/bin/sh\nbuilder:x:1500:1500::/:/bin/sh\n")
        .with_new_file("/etc/group", "root:x:0:\nbuilder:x:1500:\nteam:x:1600:\n")
        .with_mounted_directory("/directory", files, owner="builder:team")
        .with_mounted_cache("/cache", dag.cache_volume(f"named-{time.time_ns()}"), owner="builder:team")
        .with_mounted_secret("/secret", dag.set_secret("owned", "of the team"), owner="builder:team", mode=0o440)
    )
    of_directories = "root:root" if os.geteuid() else "builder:team"  # the difference that the table of methods tells
    said = f"{of_directories} /directory/a/real\nbuilder:team /cache\nbuilder:team /secret\n***"
    assert await container.with_exec(["sh", "-c", script]).stdout() == said
    with pytest.raises(dagger.QueryError, match="unable to find user 'nobody-known'"):
        await container.with_mounted_directory("/x", files, owner="nobody-known").with_exec(["true"]).sync()


async def test_a_tunnel_leads_from_a_port_of_the_callers_machine_to_a_service(session: None) -> None:
    served = dag.container().from_(PYTHON).with_workdir("/srv").with_new_file("mark", str(time.time_ns()))
    service = served.with_exposed_port(8000).as_service(args=["python3", "-m", "http.server"])
    tunnel = dag.host().tunnel(service)
    async with httpx.AsyncClient() as client:
        answer = await client.get(await tunnel.endpoint(scheme="http") + "/mark")
    assert answer.text == await served.file("mark").contents()
    with pytest.raises(dagger.QueryError, match="make one for each port"):
        await dag.host().tunnel(served.with_exposed_port(1).with_exposed_port(2).as_service()).endpoint()
