"""Names of a site's environments."""

import re

from ...errors import InputError

PRODUCTION = "production"
_NAME = re.compile(r"[0-9A-Za-z]{1,16}", re.ASCII)


def environment(name: str, origin: str) -> str:
    """The name as the service takes it; `origin` says where it was given. Raises InputError.

    The service answers a name that it does not take by deploying to production: it must never see one.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{origin}: '{name}' is no name for an environment of a static web app: 1 to 16 letters and digits"
        )
    return PRODUCTION if name.lower() in ("prod", PRODUCTION) else name
