"""Whether browsers may call from the allowed origins, and from no other."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .http import WITHIN, Answer, ask, place
from .model import Check, Finding

ALLOWED, METHODS, HEADERS = (f"access-control-allow-{name}" for name in ("origin", "methods", "headers"))
WANTED_METHOD, WANTED_HEADERS = "POST", ("authorization", "content-type")


def checks(
    url: str, allowed: Sequence[str], foreign: str, ca: Path | None = None, within: float = WITHIN
) -> list[Check]:
    """One check for each allowed origin, and one for the foreign one. Both the preflight and the request are looked at."""
    host = place(url)

    async def is_allowed(origin: str) -> Finding:
        before, real = await _answers(url, origin, ca, within)
        wrong = [
            f"{name}: {what}"
            for name, answer in (("OPTIONS", before), ("GET", real))
            if (what := _denied(answer, origin))
        ]
        wrong += _missing(before)
        if wrong:
            return Finding("failed", "; ".join(wrong), f"allow {origin} in the CORS origins of {host}")
        if "origin" not in real.headers.get("vary", "").lower() and real.headers[ALLOWED] != "*":
            return Finding(
                "warning",
                "allowed, but without Vary: Origin a cache may answer other origins with it",
                f"send Vary: Origin from {host}",
            )
        return Finding("passed", f"OPTIONS {before.told}, GET {real.told}: {ALLOWED}: {real.headers[ALLOWED]}")

    async def is_refused(origin: str) -> Finding:
        for name, answer in zip(("OPTIONS", "GET"), await _answers(url, origin, ca, within), strict=True):
            if not _denied(answer, origin):
                evidence = f"{name} answers {origin} with {ALLOWED}: {answer.headers[ALLOWED]}"
                return Finding(
                    "failed", evidence, f"take {origin}, or *, out of the CORS origins of {host}", final=True
                )
        return Finding("passed", f"{origin} is not allowed")

    found = [Check(f"CORS of {host} allows {origin}", partial(is_allowed, origin), retries=True) for origin in allowed]
    return [*found, Check(f"CORS of {host} refuses a foreign origin", partial(is_refused, foreign), retries=True)]


async def _answers(url: str, origin: str, ca: Path | None, within: float) -> tuple[Answer, Answer]:
    """To what a browser sends: first the question, then the request."""
    question = {
        "Origin": origin,
        "Access-Control-Request-Method": WANTED_METHOD,
        "Access-Control-Request-Headers": ", ".join(WANTED_HEADERS),
    }
    before = await ask("OPTIONS", url, headers=question, ca=ca, within=within)
    return before, await ask("GET", url, headers={"Origin": origin}, ca=ca, within=within)


def _denied(answer: Answer, origin: str) -> str | None:
    found = answer.headers.get(ALLOWED)
    return None if found in (origin, "*") else f"{answer.status}, {ALLOWED} is {found or 'not there'}"


def _missing(before: Answer) -> list[str]:
    if not 200 <= before.status < 300:
        return [f"OPTIONS: {before.status}, not 200 or 204"]
    methods, headers = (_listed(before, name) for name in (METHODS, HEADERS))
    lacking = [WANTED_METHOD] if not methods & {WANTED_METHOD.lower(), "*"} else []
    lacking += [] if "*" in headers else [name for name in WANTED_HEADERS if name not in headers]
    return [f"OPTIONS does not allow {', '.join(lacking)}"] if lacking else []


def _listed(answer: Answer, name: str) -> set[str]:
    return {part.strip().lower() for part in answer.headers.get(name, "").split(",")}
