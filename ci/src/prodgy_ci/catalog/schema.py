"""The JSON schema of prodgy-ci.toml, by which editors complete it."""

import json
from typing import Any

from .load import TABLES
from .model import Catalog

LAID_OVER = {
    "builtin": {
        "type": "boolean",
        "default": True,
        "description": "Whether the built-in services and rules are there too",
    }
}
REMOVE = {"type": "boolean", "default": False, "description": "Takes the built-in entry of that name out"}


def schema() -> str:
    """The text of docs/schemas/prodgy-ci.schema.json.

    It is that of the catalog, as a file that is laid over another has it: no key must be there, an entry has its name
    outside, and one may be taken out.
    """
    whole: dict[str, Any] = Catalog.model_json_schema()
    for table, model in TABLES.items():
        whole["properties"][table]["additionalProperties"] = False  # beside what a name may be
        entry = whole["$defs"][model.__name__]
        entry.pop("required", None)
        del entry["properties"]["name"]
        entry["properties"]["remove"] = REMOVE
    whole.pop("required", None)
    whole["properties"] = LAID_OVER | whole["properties"]
    return json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", **whole}, indent=2) + "\n"
