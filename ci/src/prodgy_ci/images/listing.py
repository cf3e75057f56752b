"""The table of services."""

from ..catalog import Catalog
from ..records import aligned

HEADS = ("NAME", "KIND", "PATHS", "IMAGE", "TARGET")


def table(catalog: Catalog) -> str:
    """One line for each service below a line of heads, in columns; the paths are those of the service alone."""
    rows = [HEADS]
    for service in catalog.services.values():
        rows.append((service.name, service.kind, " ".join(service.own_paths), service.image, service.target))
    return aligned(rows)
