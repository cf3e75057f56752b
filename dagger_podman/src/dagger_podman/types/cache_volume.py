"""CacheVolume: a named volume that lives on between runs."""

from __future__ import annotations

import dataclasses

from ..fields import field
from ..session import Session


@dataclasses.dataclass(frozen=True)
class CacheValue:
    key: str
    sharing: str = "SHARED"
    owner: str = ""


@field("Query")
async def cache_volume(_: Session, key: str, sharing: str = "SHARED", owner: str = "") -> CacheValue:
    return CacheValue(key, sharing, owner)
