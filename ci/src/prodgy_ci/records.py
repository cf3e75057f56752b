"""The files that stages hand on, and the tables that tell people of them."""

import json
from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import InputError


class Record(BaseModel):
    """Such a file, or a part of one: it never changes, and a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def json_text(self) -> str:
        """The content of the file."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


R = TypeVar("R", bound=Record)


def read(model: type[R], text: str, source_name: str, give: str) -> R:
    """What a file's text holds; raises InputError that names the key and says what to `give` instead."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = "".join(f"{part}." for part in first["loc"])[:-1]
        said = f"{where}: {first['msg']}" if where else first["msg"]
        raise InputError(f"{source_name}: {said}; give {give}") from None


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """The rows as lines, in columns of equal width; the last is as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] + [0]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)
