"""CacheVolume: a named volume that lives on between runs."""

from __future__ import annotations

from ..errors import NotAvailableError
from ..fields import field
from ..nodes import Node
from ..session import Session


@field("Query")
async def cache_volume(
    _: Session, key: str, source: Node | None = None, sharing: str = "SHARED", owner: str = ""
) -> str:
    if source is not None:
        raise NotAvailableError("the argument 'source' of Query.cacheVolume")
    return key
