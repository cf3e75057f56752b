"""A registry as skopeo sees it, run in a container: what it holds, copies between registries, tags."""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from types import MappingProxyType
from typing import TypeVar

import anyio
import dagger
from dagger import dag

from ..errors import InputError
from . import address
from .address import Address
from .answers import Held, RegistryError, Said, failure, held, tags
from .batch import Batch
from .several import side_by_side

T = TypeVar("T")
Reference = tuple[str, str]
"""A repository, and :TAG or @DIGEST."""
Copy = tuple[str, str, str, str]
"""Repository and :TAG or @DIGEST of the source, repository and :TAG of the target."""

IMAGE = "quay.io/skopeo/stable:v1.18.0"
NO_FILES: Mapping[str, dagger.File] = MappingProxyType({})
RETRIES = "3"
PAUSES = (2.0, 4.0)
"""Seconds before the second attempt and the third."""
SHORT, LONG = "120s", "30m"
"""Longest time for a question, and for a copy."""


@dataclass(frozen=True)
class Registry:
    """Where images are, and how to get in."""

    address: Address
    option: str = "--registry"
    """What names it on the command line, for messages."""
    username: str | None = None
    password: dagger.Secret | None = None
    login: dagger.Secret | None = None
    """The content of skopeo's authfile."""
    ca: dagger.File | None = None
    """The certificate authority that signed its certificate, where that is a private one."""
    service: dagger.Service | None = None
    """The registry itself, where it runs in the session or on the caller's machine."""

    @cached_property
    def questions(self) -> Batch[Sequence[Reference], list[Held | RegistryError | None]]:
        """What it is asked: each journey is a container."""
        return Batch(partial(_look, self))

    @cached_property
    def copies(self) -> Batch[tuple["Registry", Copy], RegistryError | None]:
        """What is copied into it."""
        return Batch(partial(_copy, self))

    @property
    def reached_as(self) -> str:
        """The host under which a container reaches it."""
        if self.service is None or not self.address.is_loopback:
            return self.address.host
        name = self.option.strip("-").removesuffix("registry")
        return f"{name}{'-' if name else ''}registry:{self.address.port}"

    @property
    def plain(self) -> bool:
        """Whether it is spoken to without TLS: only one that no network lies before."""
        return self.service is not None and self.ca is None

    def url(self, repository: str, rest: str) -> str:
        """What skopeo calls an image; `rest` is :TAG or @DIGEST."""
        return f"docker://{self.reached_as}{repository.removeprefix(self.address.host)}{rest}"


async def registry(
    text: str,
    option: str = "--registry",
    username: str | None = None,
    password: dagger.Secret | None = None,
    ca: dagger.File | None = None,
    service: dagger.Service | None = None,
) -> Registry:
    """The registry that the arguments describe; raises InputError."""
    found = address.parse(text, option)
    if (username is None) != (password is None):
        raise InputError(f"{option}: give both the user name and the password, or neither")
    if service is not None and found.port is None:
        raise InputError(f"{option}: {text!r}: name the port too where the registry is a service")
    if service is not None and ca is None and not found.is_loopback:
        raise InputError(
            f"{option}: {found.host}: a service without --registry-ca is spoken to without TLS, which only this machine's "
            f"own registry may be: call it localhost:{found.port}, or give its certificate authority"
        )
    if found.is_loopback and service is None:
        raise InputError(
            f"{option}: {found.host} is this machine, which containers do not reach; "
            f"add the option that gives the registry as a service: tcp://{found.host}"
        )
    where = Registry(found, option, username, ca=ca, service=service)
    if password is None:
        return where
    plain = (await password.plaintext()).rstrip("\r\n")
    if not plain or re.fullmatch(r"\$\(.*\)", plain):
        raise InputError(f"{option}: the password is {'a variable that is not set' if plain else 'empty'}")
    login = {"auth": base64.b64encode(f"{username}:{plain}".encode()).decode()}
    name = f"{option.strip('-')}-{found.host}"
    return replace(
        where,
        password=dag.set_secret(f"{name}-password", plain),
        login=dag.set_secret(f"{name}-login", json.dumps({"auths": {where.reached_as: login}})),
    )


async def ask(where: Registry, references: Sequence[Reference]) -> list[Held | None]:
    """What the registry holds under each (repository, :TAG or @DIGEST). Raises RegistryError."""
    answers = await where.questions.ask(references) if references else []
    for answer in answers:
        if isinstance(answer, RegistryError):
            raise answer
    return [answer for answer in answers if not isinstance(answer, RegistryError)]


async def _look(where: Registry, questions: Sequence[Sequence[Reference]]) -> list[list[Held | RegistryError | None]]:
    references = list(dict.fromkeys(chain.from_iterable(questions)))
    commands = []
    for repository, rest in references:
        look = ["skopeo", f"--command-timeout={SHORT}", "inspect", "--raw", f"--retry-times={RETRIES}"]
        look += [*_options(where, ""), where.url(repository, rest)]
        commands += [look, [*look[:-1], "--config", look[-1]]]
    said = await _run([where], commands)
    pairs = zip(references, said[::2], said[1::2], strict=True)
    read = {reference: _read(manifest, config, "".join(reference)) for reference, manifest, config in pairs}
    return [[read[reference] for reference in question] for question in questions]


def _read(manifest: Said, config: Said, reference: str) -> Held | RegistryError | None:
    try:
        return held(manifest, config, reference)
    except RegistryError as error:
        return error


async def upload(image: dagger.Container, where: Registry, repository: str, tag: str) -> str:
    """Pushes an image to a registry that the engine does not know how to trust; gives the digest. Raises RegistryError."""
    archive = "/image.tar"
    command = ["skopeo", f"--command-timeout={LONG}", "copy", "--quiet", "--digestfile=/dev/stdout"]
    command += [*_options(where, "dest-"), f"oci-archive:{archive}", where.url(repository, tag)]
    (said,) = await _run([where], [command], {archive: image.as_tarball()})
    if said.code:
        raise failure(said.errors, f"{repository}{tag}", "AcrPush")
    return said.output.decode().strip()


async def download(where: Registry, repository: str, digest: str) -> dagger.File:
    """An image as an OCI archive. Raises RegistryError."""
    archive = "/image.tar"
    command = ["skopeo", f"--command-timeout={LONG}", "copy", f"--retry-times={RETRIES}", "--quiet"]
    command += [*_options(where, "src-"), where.url(repository, f"@{digest}"), f"oci-archive:{archive}"]
    try:
        ran = await _reaching(dag.container().from_(IMAGE), where).with_exec(command).sync()
    except dagger.ExecError as error:
        raise failure(error.stderr, f"{repository}@{digest}", "AcrPull") from None
    return ran.file(archive)


async def list_tags(where: Registry, repository: str) -> list[str]:
    """The tags of a repository; none where there is no such repository. Raises RegistryError."""
    command = ["skopeo", f"--command-timeout={SHORT}", "list-tags", f"--retry-times={RETRIES}", *_options(where, "")]
    (said,) = await _run([where], [[*command, where.url(repository, "")]])
    return tags(said, repository)


async def transfer(source: Registry, target: Registry, copy: Copy) -> None:
    """Copies (from repository, :TAG or @DIGEST, to repository, :TAG), digests kept. Raises RegistryError."""

    async def once() -> None:
        if error := await target.copies.ask((source, copy)):
            raise error

    await repeat(once)


async def _copy(target: Registry, jobs: Sequence[tuple[Registry, Copy]]) -> list[RegistryError | None]:
    command = [
        "skopeo",
        f"--command-timeout={LONG}",
        "copy",
        "--quiet",
        "--preserve-digests",
        f"--retry-times={RETRIES}",
    ]
    commands = []
    for source, (a, b, c, d) in jobs:
        sides = [*_options(source, "src-"), *_options(target, "dest-"), source.url(a, b), target.url(c, d)]
        commands.append([*command, *sides])
    sources = {source.option: source for source, _ in jobs}
    said = await _run([*sources.values(), target], commands, first_alone=True)
    return [
        failure(copied.errors, f"{c}{d}", "AcrPush") if copied.code else None
        for (_, (_, _, c, d)), copied in zip(jobs, said, strict=True)
    ]


def _options(where: Registry, side: str) -> list[str]:
    verify = [f"--{side}tls-verify=false"] if where.plain else []
    verify += [f"--{side}cert-dir={_ca_folder(where)}"] if where.ca else []
    return [*verify, f"--{side}authfile={_auth_path(where)}"] if where.login else [*verify, f"--{side}no-creds"]


def _auth_path(where: Registry) -> str:
    return f"/run/registry/{where.option.strip('-')}.json"


def _ca_folder(where: Registry) -> str:
    return f"/run/registry/{where.option.strip('-')}-ca"


async def _run(
    registries: Iterable[Registry],
    commands: Sequence[Sequence[str]],
    files: Mapping[str, dagger.File] = NO_FILES,
    first_alone: bool = False,
) -> list[Said]:
    """Runs the commands in one container that reaches the registries."""
    container = dag.container().from_(IMAGE)
    for where in registries:
        container = _reaching(container, where)
    for path, file in files.items():
        container = container.with_mounted_file(path, file)
    return await side_by_side(container, commands, first_alone)


def _reaching(container: dagger.Container, where: Registry) -> dagger.Container:
    if where.login is not None:
        container = container.with_mounted_secret(_auth_path(where), where.login)
    if where.ca is not None:
        container = container.with_mounted_file(f"{_ca_folder(where)}/ca.crt", where.ca)
    if where.service is not None:
        container = container.with_service_binding(where.reached_as.rpartition(":")[0], where.service)
    return container


async def repeat(action: Callable[[], Awaitable[T]]) -> T:
    """Repeats what failed for now; only for what changes nothing where it is there already, as a push or copy."""
    for pause in PAUSES:
        try:
            return await action()
        except RegistryError as error:
            if not error.transient:
                raise
        await anyio.sleep(pause)
    return await action()
