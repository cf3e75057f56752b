"""An image as files, for Podman to take in: a configuration, and layers of which only the new ones are there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from .host import own_platform
from .state import HEALTHCHECK, Container


def write_layout(
    folder: Path, container: Container, base: dict[str, Any], layers: list[str], sizes: dict[str, int]
) -> str:
    """An OCI layout (github.com/opencontainers/image-spec) that refers to layers Podman already has; gives its id."""
    created = "2000-01-01T00:00:00Z"
    operating_system, _, architecture = (container.platform or own_platform()).partition("/")
    inherited = {k: v for k, v in (base.get("Config") or {}).items() if k in ("StopSignal", "Volumes") and v}
    annotations = {"annotations": dict(container.annotations)} if container.annotations else {}
    step = {"created": created, "created_by": "dagger-podman"}
    if annotations:  # Podman keeps one manifest for an image: what stands in the manifest alone makes another image
        step["comment"] = json.dumps(annotations)
    config = {
        "created": created,
        "architecture": architecture.partition("/")[0],
        "os": operating_system,
        "config": {**inherited, **_config(container)},
        "rootfs": {"type": "layers", "diff_ids": layers},
        "history": [step for _ in layers],
    }

    def put(value: Any) -> dict[str, Any]:
        body = json.dumps(value, sort_keys=True).encode()
        digest = hashlib.sha256(body).hexdigest()
        (folder / "blobs" / "sha256" / digest).write_bytes(body)
        return {"digest": f"sha256:{digest}", "size": len(body)}

    oci = "application/vnd.oci.image"
    layer_type = f"{oci}.layer.v1.tar"
    described = put(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{oci}.manifest.v1+json",
        "config": {"mediaType": f"{oci}.config.v1+json", **described},
        "layers": [{"mediaType": layer_type, "digest": d, "size": sizes.get(d, 1)} for d in layers],
        **annotations,
    }
    index = {"schemaVersion": 2, "manifests": [{"mediaType": manifest["mediaType"], **put(manifest)}]}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps(index))
    return str(described["digest"]).removeprefix("sha256:")


def _config(container: Container) -> dict[str, Any]:
    ports: dict[str, Any] = {f"{p.number}/{p.protocol.lower()}": {} for p in container.ports}
    health = dataclasses.astuple(container.healthcheck) if container.healthcheck else ()
    values: dict[str, Any] = {
        "User": container.user,
        "ExposedPorts": ports,
        "Env": [f"{n}={v}" for n, v in container.env],
        "Entrypoint": list(container.entrypoint),
        "Cmd": list(container.args),
        "WorkingDir": container.workdir,
        "Labels": dict(container.labels),
        "Healthcheck": {n: v for n, v in zip(HEALTHCHECK, health, strict=True) if v} if health else None,
    }
    return {k: v for k, v in values.items() if v}
