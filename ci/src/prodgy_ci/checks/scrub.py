"""Keeps secrets out of what is shown."""

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import SecretStr

HIDDEN = "***"

_JWT = re.compile(r"\beyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*)?")
_IN_URL = re.compile(r"(\w+://[^\s/:@]*):[^\s/@]+@")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff\ufffe\uffff]")


class Scrubber:
    """Hides the given secrets, whatever looks like a JWT or a password in a URL, and control characters."""

    def __init__(self, secrets: Iterable[SecretStr | None]) -> None:
        spelt = {form for secret in secrets if secret for form in _forms(secret.get_secret_value())}
        longest_first = sorted(spelt, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if spelt else None

    def __call__(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(HIDDEN, text)
        text = _IN_URL.sub(rf"\1:{HIDDEN}@", _JWT.sub(HIDDEN, text))
        return _CONTROL.sub(" ", text)


def _forms(secret: str) -> set[str]:
    """The secret as it is, as URLs, JSON and base64 spell it, and the password in it where it is a URL."""
    if not secret.strip():
        return set()
    forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    forms.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    try:
        password = urlsplit(secret).password
    except ValueError:
        password = None
    if password:
        forms |= _forms(unquote(password)) | {password}
    return forms
