"""Says what is missing on this host, and the command that mends it."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from .store import default_folder

DEBIAN_PACKAGES = {
    "podman": "podman",
    "netavark": "netavark",
    "iptables": "iptables",
    "debootstrap": "debootstrap",
    "debian-archive-keyring": "debian-archive-keyring",
    "catatonit": "catatonit",
    "skopeo": "skopeo",
}
ROOTLESS_PACKAGES = {"newuidmap": "uidmap", "slirp4netns": "slirp4netns", "fuse-overlayfs": "fuse-overlayfs"}
ROOTLESS_OVERLAY_SINCE = (5, 13)
"""The Linux that lets an ordinary user mount an overlay."""
OTHER_PLACES = (
    "/usr/lib/podman",
    "/usr/libexec/podman",
    "/usr/local/libexec/podman",
    "/usr/libexec/catatonit",
    "/usr/sbin",
    "/sbin",
)


def main(argv: Sequence[str] = ()) -> int:
    """Print what is missing, each with what mends it; 1 if anything is. `--install` installs missing packages first."""
    if "--install" in argv and (packages := missing_packages()) and _may_install():
        command = install_command(packages)
        print(f"Installing: {command}", flush=True)
        refresh = command.partition("install")[0] + "update -q && " if "apt-get" in command else ""
        subprocess.run(
            ["sh", "-c", f"({refresh}{command}) >&2"],
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    problems = list(find_problems())
    for problem, remedy in problems:
        print(f"missing  {problem}\n         {remedy}")
    if not problems:
        version = subprocess.run(["podman", "--version"], capture_output=True, text=True, check=False).stdout.strip()
        print(f"All there: {version}, {'rootless' if os.geteuid() else 'as root'}, cache in {default_folder()}")
        if os.geteuid() and (remedy := _overlay_remedy()):
            print(
                f"slow     Podman keeps your images with vfs, which copies every file for each layer\n         {remedy}"
            )
    return 1 if problems else 0


def _overlay_remedy() -> str:
    """The command that makes an ordinary user's Podman share layers; nothing where it does, or cannot."""
    command = ["podman", "info", "--format", "{{.Store.GraphDriverName}} {{.Store.GraphRoot}} {{.Store.RunRoot}}"]
    words = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    if words[:1] != ["vfs"] or tuple(map(int, os.uname().release.split(".")[:2])) < ROOTLESS_OVERLAY_SINCE:
        return ""
    text = f'[storage]\\ndriver = "overlay"\\ngraphroot = "{words[1]}"\\nrunroot = "{words[2]}"\\n'
    write = f"mkdir -p ~/.config/containers && printf '{text}' > ~/.config/containers/storage.conf"
    return f"podman system reset --force && {write}   # it removes all your images and containers"


def missing_packages() -> list[str]:
    """The Debian packages that this user needs and this host does not have."""
    needed = DEBIAN_PACKAGES | (ROOTLESS_PACKAGES if os.geteuid() else {})
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        needed = needed | {"runc": "runc"}
    return [package for program, package in needed.items() if not _installed(program)]


def install_command(packages: list[str]) -> str:
    """The command that installs packages on this host."""
    sudo = "sudo " if os.geteuid() else ""
    for manager, command in (
        ("apt-get", "apt-get install -y"),
        ("dnf", "dnf install -y"),
        ("zypper", "zypper install -y"),
    ):
        if shutil.which(manager):
            return f"{sudo}{command} {' '.join(packages)}"
    return f"install {' '.join(packages)} with this system's package manager"


def find_problems() -> Iterator[tuple[str, str]]:
    """What is wrong, and what mends it."""
    if packages := missing_packages():
        yield ", ".join(packages), install_command(packages)
    if os.geteuid() and not _has_subordinate_ids():
        user = getpass.getuser()
        yield (
            f"subordinate user and group ids of {user}",
            f"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
        )
    if os.geteuid() and not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        yield "leave to open /dev/net/tun, by which containers reach the network", "sudo chmod 666 /dev/net/tun"
    folder = default_folder()
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        yield f"write permission in {folder}", "name another cache folder in DAGGER_PODMAN_CACHE"
    elif (free := shutil.disk_usage(folder).free) < 5 << 30:
        yield f"room: {folder} has {free / 2**30:.1f} GiB free, 5 are needed", "dagger-podman prune"


def _installed(program: str) -> bool:
    if program == "debian-archive-keyring":
        return Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists()
    return bool(shutil.which(program)) or any((Path(place) / program).exists() for place in OTHER_PLACES)


def _may_install() -> bool:
    if os.geteuid() == 0:
        return True
    return (
        bool(shutil.which("sudo"))
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    )


def _has_subordinate_ids() -> bool:
    names = (getpass.getuser(), str(os.geteuid()))
    for name in ("/etc/subuid", "/etc/subgid"):
        path = Path(name)
        lines = path.read_text().splitlines() if path.exists() else []
        if not any(line.partition(":")[0] in names for line in lines):
            return False
    return True
