"""What images.json holds: for each service the image that later stages use, by digest."""

from typing import Annotated, Literal

from pydantic import Field

from ..catalog.model import Form
from ..records import Record, aligned, read

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Result = Literal["pushed", "found", "reused", "promoted", "would push", "would promote", "failed"]


class Image(Record):
    """The published image of one service, or why there is none."""

    service: str
    form: Form = Field(description="What it holds: a container's image, a site's files, an archive of files")
    result: Result = Field(description="What was done: found and reused push nothing")
    reference: str | None = Field(default=None, description="HOST/NAME:TAG@DIGEST; null where there is none")
    digest: Digest | None = None
    tags: tuple[str, ...] = Field(default=(), description="Tags of the registry that name this digest")
    size: int | None = Field(
        default=None, description="Bytes of its layers and configuration, as the registry holds it"
    )
    seconds: float = Field(default=0, ge=0, description="How long it took")
    labels: dict[str, str] = Field(default_factory=dict, description="Its org.opencontainers.image labels")
    note: str | None = Field(default=None, description="What a reader should know about how it came about")
    error: str | None = Field(default=None, description="Why it failed")
    began: float = Field(default=0, exclude=True)


class Images(Record):
    """The file images.json."""

    schema_version: Literal[1] = 1
    registry: str = Field(description="HOST or HOST/PREFIX")
    environment: str | None = Field(description="Where the images go; null where the ref stands for no environment")
    commit: str = Field(description="The commit that they are built from")
    version: str | None = Field(default=None, description="The release's version: its tag")
    images: dict[str, Image] = Field(description="By the service's name, in the catalog's order")

    @property
    def failed(self) -> tuple[Image, ...]:
        """The images that could not be had."""
        return tuple(image for image in self.images.values() if image.result == "failed")

    def table(self) -> str:
        """One line for each image."""
        rows = [("SERVICE", "RESULT", "SIZE", "SECONDS", "")]
        for i in self.images.values():
            size = f"{i.size / 1e6:.1f} MB" if i.size is not None else "-"
            said = (i.error or "; ".join(filter(None, (i.reference, i.note)))).partition("\n")[0]
            rows.append((i.service, i.result, size, f"{i.seconds:.1f}", said))
        return aligned(rows)


def load(text: str, source_name: str) -> Images:
    """The images that the text of an images.json names; raises InputError that names the key."""
    return read(Images, text, source_name, "a file that publish or promote wrote")
