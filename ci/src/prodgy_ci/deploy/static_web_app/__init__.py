"""Azure Static Web Apps: the official CLI uploads; the site itself is the judge."""

from .target import Said, StaticWebApp

__all__ = ["Said", "StaticWebApp"]
