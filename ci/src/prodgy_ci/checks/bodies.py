"""What is sent."""

import json
import secrets

from ..catalog.checklists import Body


def filled(body: Body | None) -> Body | None:
    """The body with a fresh word for each {run} in it, so that no answer comes from a cache."""
    if body is None:
        return None
    made: Body = json.loads(json.dumps(body).replace("{run}", secrets.token_hex(6)))
    return made
