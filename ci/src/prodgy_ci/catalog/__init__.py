"""The services of a monorepo, which paths select them, and the environments they go to. No Dagger, no git."""

from .load import FILE_NAME, builtin, load
from .model import Catalog, Environment, PathRule, Service

__all__ = ["FILE_NAME", "Catalog", "Environment", "PathRule", "Service", "builtin", "load"]
