"""The files that published images hold: a site, or an archive with its release.json."""

import tempfile
from pathlib import Path

import dagger
from dagger import dag

from ..catalog.model import Form
from ..errors import ProdgyError
from ..images.address import split
from ..images.failure import words
from ..images.publish import ARTIFACT, SITE
from ..images.registry import Registry, download

FOLDERS: dict[Form, str] = {"site": SITE, "artifact": ARTIFACT}


async def files(form: Form, reference: str, registry: Registry) -> Path:
    """A new folder of this process with the files of the image HOST/NAME:TAG@DIGEST.

    Raises ProdgyError where the registry does not give it.
    """
    repository, _, digest = split(reference)
    folder = tempfile.mkdtemp(prefix="prodgy-release-")
    try:
        image = dag.container().import_(await download(registry, repository, digest))
        await image.directory(FOLDERS[form]).export(folder)
    except dagger.DaggerError as error:
        raise ProdgyError(f"{reference}: its files could not be read: {words(error)}") from None
    return Path(folder)
