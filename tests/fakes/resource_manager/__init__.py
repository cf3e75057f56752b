"""A stateful Azure Resource Manager for Container Apps over real HTTP, and the apps' public side."""

from .apps import App
from .faults import Fault, Faults
from .revisions import BROKEN, HEALTHY, SCALED_TO_ZERO, STARTING, State
from .server import Manager, resource_manager

__all__ = [
    "BROKEN",
    "HEALTHY",
    "SCALED_TO_ZERO",
    "STARTING",
    "App",
    "Fault",
    "Faults",
    "Manager",
    "State",
    "resource_manager",
]
