"""Whether the services' tokens are set and stand for one service and one environment alone.

Environments are compared by fingerprints, for no environment's pipeline may know another's tokens. A fingerprint is
scrypt with the salt of the environment it was made in, so that guessing a short token costs time for each guess, and
that two environments' fingerprints of one token differ: to compare, ours are hashed with the other's salt.
"""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import anyio
from pydantic import Field, SecretStr

from .. import records
from ..records import Record
from .model import Check, Finding
from .variables import fault

SHORTEST = 16
"""Characters under which a token can be guessed."""

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Tokens = Mapping[str, SecretStr]


class Fingerprint(Record):
    """The tokens of one environment as nobody can read them."""

    salt: Hex
    tokens: dict[str, Hex] = Field(description="By the token's name")


class Fingerprints(Record):
    """The file fingerprints.json: each environment that wrote to it."""

    schema_version: Literal[1] = 1
    environments: dict[str, Fingerprint]


def read(text: str, option: str = "--other-fingerprints") -> Fingerprints:
    """The fingerprints of a file's text; raises InputError."""
    return records.read(Fingerprints, text, option, "the fingerprints.json that preflight-report wrote")


async def write(tokens: Tokens, environment: str, others: Fingerprints | None = None) -> Fingerprints:
    """What fingerprints.json is to hold: ours, made anew, beside the other environments'."""
    salt = secrets.token_hex(32)
    made = {name: await _hash(token, salt) for name, token in tokens.items()}
    return Fingerprints(
        environments={
            **(others.environments if others else {}),
            environment: Fingerprint(salt=salt, tokens=made),
        }
    )


def checks(
    names: Sequence[str], tokens: Tokens, environment: str, others: Fingerprints | None, where: str
) -> list[Check]:
    """Three checks of the named tokens; `where` says where a person sets one."""
    known = {name: tokens[name] for name in names if name in tokens and tokens[name].get_secret_value().strip()}

    async def are_set() -> Finding:
        if not names:
            return Finding("not applicable", "none is listed, or there is no --check-secrets")
        wrong = {name: "is not set" for name in names if name not in known}
        wrong |= {name: why for name, token in known.items() if (why := fault(token.get_secret_value()))}
        short = [name for name, token in known.items() if len(token.get_secret_value()) < SHORTEST]
        if wrong:
            evidence = "; ".join(f"{name} {why}" for name, why in wrong.items())
            return Finding("failed", evidence, f"set {', '.join(wrong)} in {where}, each to: openssl rand -hex 32")
        if short:
            evidence = f"shorter than {SHORTEST} characters: {', '.join(short)}"
            return Finding("warning", evidence, f"set {', '.join(short)} in {where} to: openssl rand -hex 32")
        return Finding("passed", f"set: {', '.join(names)}")

    async def differ() -> Finding:
        if len(known) < 2:
            return Finding("not applicable", f"{len(known)} of {len(names)} tokens set")
        same = defaultdict(list)
        for name, token in known.items():
            same[token.get_secret_value()].append(name)
        if equal := [group for group in same.values() if len(group) > 1]:
            evidence = "; ".join(f"{' and '.join(group)} are the same" for group in equal)
            again = ", ".join(name for group in equal for name in group[1:])
            return Finding("failed", evidence, f"set {again} in {where} to another: openssl rand -hex 32")
        return Finding("passed", f"{len(known)} tokens, all different")

    async def are_ours() -> Finding:
        theirs = {name: made for name, made in (others.environments if others else {}).items() if name != environment}
        if not theirs or not known:
            return Finding(
                "not applicable",
                "no token is set" if theirs else "no fingerprints of another environment: --other-fingerprints",
            )
        shared = [hit for name, made in theirs.items() for hit in await _shared(known, name, made)]
        if shared:
            again = ", ".join(dict.fromkeys(hit.partition(" ")[0] for hit in shared))
            return Finding("failed", "; ".join(shared), f"set {again} in {where} to another: openssl rand -hex 32")
        return Finding("passed", f"{len(known)} tokens, none of them a token of {', '.join(theirs)}")

    return [
        Check("service tokens set", are_set, needs_network=False),
        Check("service tokens different from each other", differ, needs_network=False),
        Check("service tokens of this environment alone", are_ours, needs_network=False),
    ]


async def _shared(tokens: Tokens, environment: str, made: Fingerprint) -> list[str]:
    by_hash = {value: name for name, value in made.tokens.items()}
    ours = {name: await _hash(token, made.salt) for name, token in tokens.items()}
    return [f"{name} is also {by_hash[value]} of {environment}" for name, value in ours.items() if value in by_hash]


async def _hash(token: SecretStr, salt: str) -> str:
    return await anyio.to_thread.run_sync(_scrypt, token.get_secret_value().encode(), bytes.fromhex(salt))


def _scrypt(token: bytes, salt: bytes) -> str:
    return hashlib.scrypt(token, salt=salt, n=2**14, r=8, p=1, dklen=32).hex()
