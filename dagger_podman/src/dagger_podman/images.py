"""Images: where they come from, what is in them, and one with exactly a container's configuration."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import stand_ins
from .batch import Batch
from .errors import DaggerPodmanError, PodmanError
from .host import own_platform
from .image_files import edits_to_json, on_image
from .image_layout import write_layout
from .layers import Edit
from .podman import IMAGES, Podman
from .session import Session
from .state import HEALTHCHECK, Change, Container, Edited, Executed, Healthcheck, Image, Port, Root, Scratch
from .store import Store, digest_of
from .tree import Entry, Tree, with_mode

RECHECK_AFTER = 3600.0
"""Seconds until a tag that is here is looked up at its registry again."""

STAND_IN_LABEL = "dagger-podman.stand-in-for"


# Each call of podman reads its whole store, and those that write it wait for one another.
def _inspections(session: Session) -> Batch[str, dict[str, Any] | None]:
    batch: Batch[str, dict[str, Any] | None]
    batch = session.memory.setdefault("inspections", Batch(functools.partial(inspect_all, session.podman)))
    return batch


def _layouts(session: Session) -> Batch[tuple[str, Path], str]:
    batch: Batch[tuple[str, Path], str]
    batch = session.memory.setdefault("layouts", Batch(functools.partial(take_in_all, session.podman, session.store)))
    return batch


# --- the store's images -------------------------------------------------------------------------------
async def named(session: Session, name: str) -> dict[str, Any] | None:
    """What Podman knows of an image that may have other names tomorrow; None where it has none of this name."""
    found: dict[str, Any] | None = await _inspections(session).ask(name)
    if found:
        await session.once(f"inspect {found['Id']}", lambda: asyncio.sleep(0, found))
    return found


async def present(session: Session, image: str) -> bool:
    """Whether Podman still has an image, by its id."""
    with contextlib.suppress(PodmanError):
        return bool(await inspect(session, image))
    return False


async def inspect(session: Session, image: str) -> dict[str, Any]:
    """What Podman knows of an image, by its id."""

    async def ask() -> dict[str, Any]:
        if found := await _inspections(session).ask(image):
            return found
        raise PodmanError("image", 125, f"{image}: image not known")

    return await session.once(f"inspect {image}", ask)


async def inspect_all(podman: Podman, names: Sequence[str]) -> list[dict[str, Any] | None]:
    """What Podman knows of each image."""
    done = await podman.run("image", "inspect", *names)
    found = json.loads(done.stdout or "[]")
    if done.exit_code == 0:
        return list(found)
    of_name = {name: one for one in found for name in (one["Id"], *one["RepoTags"], *one["RepoDigests"])}
    return [of_name.get(name) for name in names]


async def take_in_all(podman: Podman, store: Store, layouts: Sequence[tuple[str, Path]]) -> list[str]:
    """Brings images from their (id, folder in the OCI layout) into Podman's store; gives the ids that it has for them."""
    with store.temporary_folder() as folder:
        paths = []
        for number, (image, layout) in enumerate(layouts):
            # Podman names the image after the folder, and a name that two share may lead to the other's image.
            path = f"{IMAGES.removeprefix('localhost/')}/cache/{image[:32]}{number or ''}"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).symlink_to(layout)
            paths.append(f"oci:{path}")
        said = await podman("pull", "-q", *paths, cwd=folder)
    taken_in = [line.removeprefix("sha256:") for line in said.splitlines()]
    return [image if image in taken_in else taken_in[-1] for image, _ in layouts]


# --- from a registry ----------------------------------------------------------------------------------
async def pulled(session: Session, reference: str, platform: str = "", auth: list[str] | None = None) -> str:
    """The id of the image that a reference names: from the store, its registry, or a stand-in."""
    return await session.once(f"pull {reference} {platform}", lambda: _pull(session, reference, platform, auth))


async def _pull(session: Session, reference: str, platform: str, auth: list[str] | None) -> str:
    name = stand_ins.canonical(reference)
    key = digest_of([name, platform])
    known = session.store.read("pulled", key)
    if known and ("@sha256:" in name or time.time() - known["time"] < RECHECK_AFTER):
        if await present(session, known["image"]):
            return str(known["image"])
    registry = stand_ins.registry_of(name)
    if await asyncio.to_thread(stand_ins.registry_reachable, registry, session.store.folder):
        image = await from_registry(session, name, platform, auth or [])
        session.store.write("pulled", key, {"image": image, "time": time.time()})
        return image
    here = stand_ins.image_name(name)
    local, stand_in = await asyncio.gather(named(session, name), named(session, here))
    if local:
        return str(local["Id"])
    if not stand_ins.known(name):
        raise DaggerPodmanError(
            f'failed to resolve image "{reference}" (platform: "{platform or own_platform()}"): '
            f"the registry {registry} cannot be reached, the image is not in the local store, and there is no stand-in for it"
        )
    session.progress.notice(stand_ins.notice(name))
    if not stand_in or not stand_ins.is_current(name, stand_in):
        await stand_ins.make(name, session.podman, session.store.folder, session.progress.notice)
        stand_in = await named(session, here)
    assert stand_in
    return str(stand_in["Id"])


async def from_registry(session: Session, name: str, platform: str, auth: list[str]) -> str:
    """The id of an image, pulled."""
    options = ["--platform", platform] if platform else []
    if is_loopback(stand_ins.registry_of(name)):
        options.append("--tls-verify=false")
    async with session.progress.step(f"from {name}"):
        try:
            return await session.podman("pull", "-q", *options, *auth, name)
        except PodmanError as error:
            raise DaggerPodmanError(
                f'failed to resolve image "{name}" (platform: "{platform or own_platform()}"): {error.stderr}'
            ) from None


def is_loopback(registry: str) -> bool:
    host = registry.rpartition(":")[0] if registry.rpartition(":")[2].isdigit() else registry
    return host in ("localhost", "[::1]") or host.startswith("127.")


async def container_of(session: Session, image: str, reference: str = "") -> Container:
    """A container with an image's files and configuration."""
    found = await inspect(session, image)
    config = found["Config"]
    env = tuple((n, v) for n, _, v in (line.partition("=") for line in config.get("Env") or ()))
    health = found.get("Healthcheck") or {}
    ports = (port.partition("/") for port in sorted(config.get("ExposedPorts") or {}))
    return Container(
        root=Image(image),
        env=env,
        labels=tuple(sorted((config.get("Labels") or {}).items())),
        workdir="" if config.get("WorkingDir") in (None, "/") else config["WorkingDir"],
        user=config.get("User") or "",
        entrypoint=tuple(config.get("Entrypoint") or ()),
        args=tuple(config.get("Cmd") or ()),
        healthcheck=Healthcheck(tuple(health["Test"]), *(health.get(n, 0) for n in HEALTHCHECK[1:]))
        if health.get("Test")
        else None,
        ports=tuple(Port(int(number), protocol.upper() or "TCP", of_image=True) for number, _, protocol in ports),
        platform=f"{found['Os']}/{found['Architecture']}",
        reference=reference,
    )


# --- root file systems --------------------------------------------------------------------------------
async def key_of(session: Session, root: Root) -> str:
    """What a root file system is made from, by content. Computing it runs only what its inputs need."""
    match root:
        case Scratch():
            return "scratch"
        case Image(image):
            return image
        case Executed():
            from .execution import exec_key

            return await exec_key(session, root)
        case Edited(base, changes):
            edits = await _edits(session, changes)
            return digest_of(["edit", await key_of(session, base), [e.key() for e in edits]])


async def image_of(session: Session, root: Root) -> str:
    """The id of the image that holds a root file system, made if need be."""
    match root:
        case Image(image):
            return image
        case Executed():
            from .execution import image_after

            return await image_after(session, root)
    return await session.once(f"image {await key_of(session, root)}", lambda: _edited_image(session, root))


async def image_to_start(session: Session, c: Container) -> str:
    """The image of a container's files, its working directory made where it was only named."""
    from .types.container_reading import exists

    image = await image_of(session, c.root)
    made = (
        not c.workdir
        or c.mount_at(c.workdir)
        or (await inspect(session, image))["Config"].get("WorkingDir") == c.workdir
    )
    if made or await exists(session, dataclasses.replace(c, mounts=()), c.workdir):
        return image
    return await image_of(session, Edited(c.root, (Change(c.workdir, owner=c.user, make_directory=True),)))


async def _edited_image(session: Session, root: Root) -> str:
    key = await key_of(session, root)
    if (known := session.store.read("images", key)) and await present(session, known):
        return str(known)
    image = await assemble(session, Container(root))
    session.store.write("images", key, image)
    return image


async def _edits(session: Session, changes: tuple[Change, ...]) -> list[Edit]:
    """Changes with their sources evaluated."""
    made = []
    for change in changes:
        if change.make_directory:
            entry = Entry("directory", 0o755 if change.permissions is None else change.permissions)
            made.append(Edit(change.path, entry=entry, owner=change.owner))
        elif change.source is None:
            made.append(Edit(change.path))
        elif isinstance(value := await session.value(change.source), Tree):
            value = with_mode(value, change.permissions)
            made.append(Edit(change.path, tree=value, owner=change.owner))
            if change.permissions is not None:
                made.append(Edit(change.path, entry=value.entries[""], owner=change.owner))
        else:
            mode = value.entry.mode if change.permissions is None else change.permissions
            entry = dataclasses.replace(value.entry, mode=mode)
            made.append(Edit(change.path, entry=entry, owner=change.owner, name=value.name))
    return made


async def assemble(session: Session, container: Container) -> str:
    """The id of an image with the container's files and exactly its configuration, the same for equal input."""
    root: Root = container.root
    changes: tuple[Change, ...] = ()
    if isinstance(root, Edited):
        changes, root = root.changes, root.base
    # Podman leaves a health check out where it writes an image in another format than the one it has it in.
    if not container.healthcheck and not changes and isinstance(root, Image):
        if await _is_unchanged(session, container, root.id):
            return root.id
    base = None if isinstance(root, Scratch) else await image_of(session, root)
    found = await inspect(session, base) if base else {}
    with session.store.temporary_folder() as folder:
        layers = list(found.get("RootFS", {}).get("Layers") or ())
        layout = folder / "layout"
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        edits = edits_to_json(await _edits(session, changes))
        layer = folder / "layer.tar"
        if base and edits:
            made = await on_image(session.podman, session.store, base, "layer", edits=edits, target=str(layer))
        else:
            (folder / "empty").mkdir()
            from .image_files import perform

            request = {"store": str(session.store.folder), "do": "layer", "edits": edits, "target": str(layer)}
            made = await asyncio.to_thread(perform, request, folder / "empty")
        sizes = {}
        if made or not layers:
            if not made:
                layer.write_bytes(b"\0" * 1024)
                made = hashlib.sha256(layer.read_bytes()).hexdigest()
            layer.rename(blobs / made)
            layers.append(f"sha256:{made}")
            sizes[layers[-1]] = (blobs / made).stat().st_size
        image = write_layout(layout, container, found, layers, sizes)
        taken_in = await _layouts(session).ask((image, layout))
    if taken_in != image:
        raise DaggerPodmanError(f"Podman took the image {image} in as {taken_in}")
    return image


async def _is_unchanged(session: Session, container: Container, image: str) -> bool:
    plain = await container_of(session, image, container.reference)
    mine = dataclasses.replace(
        container,
        volatile=(),
        own_args=False,
        mounts=(),
        secret_env=(),
        bindings=(),
        registry_auth=(),
        labels=tuple(sorted(container.labels)),
    )
    return mine == dataclasses.replace(plain, platform=container.platform)
