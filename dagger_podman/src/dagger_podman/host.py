"""What containers need of this very host: settings of Podman that work on it, and its certificates."""

from __future__ import annotations

import functools
import json
import os
import platform
import resource
import shutil
import tomllib
from pathlib import Path
from typing import Any

OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates")
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
IN_CONTAINER = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATE_VARIABLES = (
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
)
PODMANS_LIMIT = 1048576
"""The limit of open files and processes that Podman gives a container unless it is told otherwise."""
MODEST_LIMIT = 32768
"""What may be asked for where limits cannot be raised: Podman lowers its own, so the host's hard one is too much."""
MAY_RAISE_LIMITS = 24
"""CAP_SYS_RESOURCE (man 7 capabilities)."""


def podman_environment(folder: Path) -> dict[str, str]:
    """The environment for podman: a private containers.conf in `folder` where its defaults do not work on this host.

    A CONTAINERS_CONF that the user has set is left alone.
    """
    if "CONTAINERS_CONF" in os.environ:
        return {}
    needed = needed_settings()
    if not needed:
        return {}
    settings = _configured()
    for table, values in needed.items():
        settings[table] = {**settings.get(table, {}), **values}
    path = folder / "containers.conf"
    text = "\n".join(_toml(settings))
    if not path.exists() or path.read_text() != text:
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(path)
    return {"CONTAINERS_CONF": str(path)}


def needed_settings() -> dict[str, dict[str, Any]]:
    """The settings that differ from Podman's own defaults, by table; empty on an ordinary host."""
    engine: dict[str, Any] = {}
    containers: dict[str, Any] = {}
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        engine["cgroup_manager"] = "cgroupfs"
        if runc := shutil.which("runc"):
            engine["runtime"] = Path(runc).name  # crun does not know the hybrid mode of cgroup v1
    elif not Path("/run/systemd/system").exists():
        engine["cgroup_manager"] = "cgroupfs"
    if not Path("/run/systemd/journal/socket").exists():
        engine["events_logger"] = "file"
    limits = [
        f"{name}={min(hard, MODEST_LIMIT)}:{min(hard, MODEST_LIMIT)}"
        for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC))
        if 0 <= (hard := resource.getrlimit(kind)[1]) < PODMANS_LIMIT
    ]
    if limits and not _may_raise_limits():
        containers["default_ulimits"] = limits
    if trust := trust_mounts()[1]:
        containers["env"] = [f"{name}={value}" for name, value in trust.items()]
    return {name: table for name, table in (("containers", containers), ("engine", engine)) if table}


def _may_raise_limits() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> MAY_RAISE_LIMITS & 1)


def _configured() -> dict[str, Any]:
    """What the host's own containers.conf files say: a private one replaces them."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")) / "containers"
    folders = [Path("/usr/share/containers"), Path("/etc/containers"), *([own] if os.geteuid() else [])]
    merged: dict[str, Any] = {}
    for folder in folders:
        for path in (folder / "containers.conf", *sorted((folder / "containers.conf.d").glob("*.conf"))):
            if path.is_file():
                for table, values in tomllib.loads(path.read_text(encoding="utf-8")).items():
                    merged[table] = {**merged.get(table, {}), **values}
    return merged


def _toml(table: dict[str, Any], name: str = "") -> list[str]:
    """A table's lines; JSON's spelling of texts, numbers and lists is TOML's too."""
    plain = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    lines = ([f"[{name}]"] if name and plain else []) + plain
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _toml(value, f"{name}.{key}" if name else key)
    return lines


@functools.cache
def trust_mounts() -> tuple[tuple[str, ...], dict[str, str]]:
    """The volumes and variables by which a container trusts the certificates that this host was given.

    Nothing on a host without certificates of its own. They hold for a run; no image keeps them.
    """
    own = OWN_CERTIFICATES.is_dir() and any(OWN_CERTIFICATES.rglob("*.crt"))
    bundle = next((b for b in (os.environ.get("SSL_CERT_FILE", ""), *BUNDLES) if b and Path(b).is_file()), "")
    if not own or not bundle:
        return (), {}
    return (f"{bundle}:{IN_CONTAINER}:ro",), dict.fromkeys(CERTIFICATE_VARIABLES, IN_CONTAINER)


def build_options() -> list[str]:
    """What `podman build` needs beyond containers.conf, whose variables reach RUN and enter no image."""
    return [word for volume in trust_mounts()[0] for word in ("--volume", volume)]


def own_platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"linux/{machine}"
