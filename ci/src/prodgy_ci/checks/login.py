"""Whether people can sign in, and nobody else."""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from pydantic import SecretStr

from ..catalog.checklists import ApiTokens, Login
from .http import Answer, Endpoint, NoAnswerError
from .model import Check, Finding

GIVES_JWT = "login gives a JWT"


@dataclass
class Session:
    """What the login check leaves for those that come after it."""

    token: SecretStr | None = None

    @property
    def bearer(self) -> str:
        """The token, for a request."""
        return self.token.get_secret_value() if self.token else ""


def checks(
    at: Endpoint, email: str, password: SecretStr, session: Session, login: Login, tokens: ApiTokens
) -> list[Check]:
    """The login and all that needs nothing but it. Signed in is `session` once the first check has passed."""

    async def sign_in(word: str) -> Answer:
        return await at.ask("POST", login.route, body={login.email_field: email, login.password_field: word})

    async def protected(bearer: str | None) -> Answer:
        return await at.ask("GET", login.protected, bearer=bearer)

    async def gives_jwt() -> Finding:
        answer = await sign_in(password.get_secret_value())
        if answer.status not in (200, 201):
            mend = "see whether LOGIN_EMAIL and LOGIN_PASSWORD of --check-secrets are a user of this environment"
            final = answer.status in login.refused  # more tries could lock the user
            return Finding("failed", _refusal(answer), mend, final=final)
        token = answer.field(login.token_field)
        if not isinstance(token, str):
            return Finding("failed", f"{answer.told}: no `{login.token_field}` in it", "mend checks.login.token_field")
        finding = judge(token, login, time.time())
        if finding.status == "passed":
            session.token = SecretStr(token)
        return finding

    async def opens() -> Finding:
        answer = await protected(session.bearer)
        if answer.status == 200:
            return Finding("passed", f"GET {login.protected}: {answer.told}")
        mend = "see whether all instances have one key (JWT_SECRET), and checks.login.protected"
        return Finding("failed", f"GET {login.protected}: {_refusal(answer)}", mend)

    async def is_closed() -> Finding:
        return _refused(await protected(None), login, "no token", f"let {login.protected} ask who calls")

    async def altered() -> Finding:
        finding = Finding("failed", "nothing was tried")
        for name, forged in forgeries(session.bearer).items():
            finding = _refused(await protected(forged), login, name, "verify a JWT's signature and its algorithm")
            if finding.status != "passed":
                return finding
        return finding

    async def wrong_password() -> Finding:
        return _refused(await sign_in(secrets.token_hex(12)), login, "a wrong password", "compare passwords at login")

    async def api_token() -> Finding:
        return await _api_token(at, session, login, tokens)

    async def bogus_token() -> Finding:
        return _refused(await protected(tokens.bogus), login, "a bogus API token", "look API tokens up before use")

    return [
        Check(GIVES_JWT, gives_jwt, retries=True),
        Check("JWT opens the protected route", opens, retries=True, after=GIVES_JWT),
        Check("protected route is closed without a token", is_closed, retries=True),
        Check("altered JWT is refused", altered, retries=True, after=GIVES_JWT),
        Check("wrong password is refused", wrong_password, retries=True),
        Check("API token is accepted", api_token, retries=True, after=GIVES_JWT),
        Check("bogus API token is refused", bogus_token, retries=True),
    ]


def judge(token: str, login: Login, now: float) -> Finding:
    """What a JWT's claims say. Its signature is the service's own matter: see `altered JWT is refused`."""
    try:
        header, claims = (_decoded(part) for part in token.split(".")[:2])
    except ValueError:
        return Finding("failed", "the login's token is no JWT", "see checks.login.token_field")
    if str(header.get("alg", "none")).lower() == "none" or not token.split(".")[2:]:
        return Finding("failed", "the JWT is not signed", "sign it, for example with HS256")
    if missing := [name for name in login.claims if name not in claims]:
        return Finding(
            "failed", f"the JWT lacks {', '.join(missing)}", "issue it with them, or see checks.login.claims"
        )
    if "exp" not in claims:
        return Finding("passed", f"{header['alg']} with {', '.join(claims)}; it does not expire")
    if not isinstance(expiry := claims["exp"], int | float) or expiry <= now:
        return Finding(
            "failed", f"the JWT has already expired: exp is {expiry}", "see the clock of the service, and exp"
        )
    hours = (expiry - now) / 3600
    if hours > login.longest_hours:
        mend = "issue it for a shorter time, or raise checks.login.longest_hours"
        return Finding("failed", f"the JWT is good for {hours:.1f} hours, more than {login.longest_hours:g}", mend)
    return Finding("passed", f"{header['alg']} with {', '.join(claims)}; good for {hours:.1f} hours")


def forgeries(token: str) -> Mapping[str, str]:
    """The token with a later expiry under its old signature, and the same without a signature."""
    header, payload, signature = token.split(".")
    later = _encoded({**_decoded(payload), "exp": int(time.time()) + 10**8})
    unsigned = _encoded({**_decoded(header), "alg": "none"})
    return {
        "a JWT with an altered expiry": f"{header}.{later}.{signature}",
        "an unsigned JWT": f"{unsigned}.{later}.",
    }


async def _api_token(at: Endpoint, session: Session, login: Login, tokens: ApiTokens) -> Finding:
    made = await at.ask("POST", tokens.route, body=tokens.body, bearer=session.bearer)
    token, number = made.field(tokens.token_field), made.field(tokens.id_field)
    if made.status not in (200, 201) or not isinstance(token, str):
        mend = f"see checks.api_tokens, and the log of {login.service}"
        return Finding("failed", f"POST {tokens.route}: {made.told}, no API token in it", mend)
    try:
        used = await at.ask("GET", login.protected, bearer=token)
    finally:
        with anyio.CancelScope(shield=True):  # also where the deadline passes none is to be left; it ends by itself
            left = await _take_back(at, tokens.delete.replace("{id}", str(number)), session)
    if used.status != 200:
        return Finding("failed", f"GET {login.protected}: {_refusal(used)}", "see how the service looks API tokens up")
    evidence = f"made: {made.told}; GET {login.protected}: {used.told}"
    if left:
        mend = f"take the API token `{tokens.body.get('name', number)}` back by hand; see checks.api_tokens.delete"
        return Finding("warning", f"{evidence}; not taken back: {left}", mend)
    return Finding("passed", evidence)


async def _take_back(at: Endpoint, route: str, session: Session) -> str | None:
    """Why it is still there, if it is."""
    try:
        answer = await at.ask("DELETE", route, bearer=session.bearer)
    except NoAnswerError as error:
        return str(error)
    return None if 200 <= answer.status < 300 else answer.told


def _refused(answer: Answer, login: Login, what: str, mend: str) -> Finding:
    if answer.status in login.refused:
        return Finding("passed", f"{what}: {answer.told}")
    if answer.status < 400:
        return Finding("failed", f"{what} was accepted: {answer.told}", mend, final=True)
    return Finding("failed", f"{what}: {_refusal(answer)}, no refusal", f"see the log of {login.service}")


def _refusal(answer: Answer) -> str:
    """An error's text may be shown; what an accepted request brings may hold a token."""
    return str(answer) if answer.status >= 400 else answer.told


def _decoded(part: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _encoded(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")
