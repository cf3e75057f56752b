"""Writes the parts of the documentation that come from the code: `make docs`. The tests check that they are current."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from dagger_podman import types  # noqa: F401  (registers the API's fields)
from dagger_podman.fields import IMPLEMENTED, NOTES
from dagger_podman.schema import sdk_schema
from prodgy_ci.catalog import schema as catalog_schema
from prodgy_ci.catalog.checklists import ChecksSettings
from prodgy_ci.changes.plan import Plan
from prodgy_ci.checks.model import Checks
from prodgy_ci.checks.tokens import Fingerprints
from prodgy_ci.deploy.record import Deployed, Deployments
from prodgy_ci.images.builds import Builds
from prodgy_ci.images.record import Images
from prodgy_ci.report.run import About
from prodgy_ci.report.verdict import Verdict
from prodgy_ci.testing.outcome import Outcomes

DOCS = Path(__file__).parent
REPOSITORY = DOCS.parent
END = "<!-- end -->"
TYPES = (
    *("Container", "Directory", "File", "Changeset", "GitRepository", "GitRef"),
    *("Service", "Secret", "CacheVolume", "CurrentModule", "Host", "Query"),
)
FILES: dict[str, type[BaseModel]] = {
    "run": About,
    "plan": Plan,
    "builds": Builds,
    "tests": Outcomes,
    "images": Images,
    "deployed": Deployed,
    "deployments": Deployments,
    "checks": Checks,
    "fingerprints": Fingerprints,
    "verdict": Verdict,
}
"""What stages hand on, as NAME.json."""


def methods() -> str:
    """A table of the API's methods: works, differs how, or not available."""
    schema = sdk_schema()
    internal = re.compile("id|load.*FromID")
    rows = ["| Type | Method | On Podman |", "|---|---|---|"]
    for name in TYPES:
        fields = [f for f in sorted(schema.objects[name].fields) if not internal.fullmatch(f)]
        for field in (f for f in fields if (name, f) in IMPLEMENTED):
            rows.append(f"| {name} | `{field}` | {NOTES.get((name, field)) or 'works'} |")
        missing = [f"`{f}`" for f in fields if (name, f) not in IMPLEMENTED]
        if missing:
            rows.append(f"| {name} | {', '.join(missing)} | not available |")
    return "\n".join(rows)


def settings() -> str:
    """A table of what [checks] in prodgy-ci.toml may say."""
    return "\n".join(["| Key | By default | What |", "|---|---|---|", *_settings(ChecksSettings, "")])


def _settings(model: type[BaseModel], where: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from _settings(type(default), f"{where}{name}.")
            continue
        shown = [one.model_dump(exclude_unset=True) for one in default] if name == "routes" else default
        told = "-" if shown is None else f"`{json.dumps(shown, ensure_ascii=False)}`".replace("|", "\\|")
        yield f"| `{where}{name}` | {told} | {field.description or ''} |"


def filled(path: Path, name: str, text: str) -> str:
    """A page with its generated part."""
    begin = f"<!-- generated: {name} -->"
    before, _, rest = path.read_text().partition(begin)
    return f"{before}{begin}\n{text}\n{END}{rest.partition(END)[2]}"


def schema(model: type[BaseModel]) -> str:
    """The JSON schema of a file as it is written."""
    described = model.model_json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **described}, indent=2) + "\n"


def documents() -> dict[Path, str]:
    """The generated documents as they must be."""
    parts = {DOCS / "dagger-podman.md": ("methods", methods()), DOCS / "checks.md": ("settings", settings())}
    schemas = {DOCS / f"schemas/{name}.schema.json": schema(model) for name, model in FILES.items()}
    schemas[DOCS / "schemas/prodgy-ci.schema.json"] = catalog_schema.schema()
    templates = REPOSITORY / "ci/src/prodgy_ci/scaffold/templates"
    copies = {templates / name: (REPOSITORY / name).read_text() for name in ("azure-pipelines.yml", "dagger.json")}
    return {**{path: filled(path, *part) for path, part in parts.items()}, **schemas, **copies}


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)
    sys.exit(0)
