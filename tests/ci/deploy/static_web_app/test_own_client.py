"""The CLI starts the client that was given, in the way in which it starts its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.site import CLIENT, SECRET, Mode, site

from prodgy_ci.deploy.static_web_app import command

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

CLI = """
import hashlib, json, os, subprocess, sys, urllib.request
def ask(address):
    request = urllib.request.Request(address)
    request.set_proxy(os.environ["HTTP_PROXY"].removeprefix("http://"), "http")
    return urllib.request.urlopen(request, timeout=5).read()
(metadata,) = json.loads(ask("http://aka.ms:443/swalocaldeploy"))
file = metadata["files"]["linux-x64"]
binary = ask(file["url"])
assert metadata["version"] == "stable" and hashlib.sha256(binary).hexdigest() == file["sha"]
with open("client", "wb") as copy:
    copy.write(binary)
os.chmod("client", 0o755)
contract = {"DEPLOYMENT_ACTION": "upload", "SKIP_APP_BUILD": "true", "APP_LOCATION": sys.argv[1]}
token = {"DEPLOYMENT_TOKEN": os.environ["SWA_CLI_DEPLOYMENT_TOKEN"]}
sys.exit(subprocess.run(["./client"], env={**os.environ, **contract, **token}).returncode)
"""
"""What the CLI does, as its source shows it."""


@pytest.mark.parametrize(("mode", "code"), [("success", 0), ("nothing", 0), ("rejected", 1)])
def test_the_given_client_runs(tmp_path: Path, mode: Mode, code: int) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("new")
    (tmp_path / "cli.py").write_text(CLI)
    client = tmp_path / "it's a client.sh"
    shutil.copy(CLIENT, client)
    with site() as running:
        running.modes = [mode]
        arguments = [str(tmp_path / "cli.py"), str(tmp_path / "site")]
        whole = command.with_own_client(sys.executable, str(client), arguments, str(command.OWN_CLIENT))
        environment = {**os.environ, command.TOKEN_VARIABLE: running.token}
        ended = subprocess.run(whole, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=20)
        assert ended.returncode == code, ended.stderr
        assert ("Visit your site at: https://" in ended.stdout) is (mode == "success")
        assert running.files == ({"index.html": b"new"} if mode == "success" else {})
        assert running.uploads == ["production"] and SECRET not in ended.stdout + ended.stderr
