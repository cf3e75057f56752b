"""The engine's HTTP interface."""

import hmac
import logging
import os
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from engine import answers, cache

log = logging.getLogger("engine")


class Question(BaseModel):
    """One question of an agent."""

    agent: str = Field(min_length=1, max_length=100)
    instructions: str = Field(default="", max_length=4000)
    message: str = Field(min_length=1, max_length=4000)
    cache_seconds: int | None = Field(default=None, ge=1, le=86400, description="How long to keep the answer")


class Answer(BaseModel):
    """What the engine says, and whether it had it in its cache."""

    agent: str
    answer: str
    cached: bool


def require_service_token(x_service_token: Annotated[str, Header()] = "") -> None:
    """Lets only callers through that know ENGINE_SERVICE_TOKEN; without one set, everybody."""
    expected = os.environ.get("ENGINE_SERVICE_TOKEN", "")
    if expected and not hmac.compare_digest(x_service_token.encode(), expected.encode()):
        raise HTTPException(403, "service token missing or wrong")


async def redis_is_gone(request: Request, error: Exception) -> JSONResponse:
    """The answer to any request that needs Redis while there is none."""
    log.warning("redis cannot be reached: %s", error)
    return JSONResponse({"error": "redis cannot be reached"}, status_code=503)


async def plain_error(request: Request, error: Exception) -> JSONResponse:
    """Errors in the shape that all services have: {"error": …}."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


def create_app(store: cache.Store | None = None) -> FastAPI:
    """The application on a store, by default the Redis of REDIS_URL."""
    kept = store or cache.connect(os.environ.get("REDIS_URL") or "redis://redis:6379")
    default_seconds = int(os.environ.get("CACHE_SECONDS") or 300)
    app = FastAPI(title="Prodgy engine", docs_url=None, redoc_url=None)
    for error in cache.UNREACHABLE:
        app.add_exception_handler(error, redis_is_gone)
    app.add_exception_handler(HTTPException, plain_error)

    @app.get("/health")
    async def health(response: Response) -> dict[str, object]:
        try:
            await cache.load(kept, "health")
            state = "ok"
        except cache.UNREACHABLE as error:
            log.warning("redis cannot be reached: %s", error)
            state = "down"
        response.status_code = 200 if state == "ok" else 503
        response.headers["cache-control"] = "no-store"
        return {
            "status": "ok" if state == "ok" else "unavailable",
            "service": "engine",
            "revision": os.environ.get("PRODGY_REVISION") or "unknown",
            "dependencies": {"redis": state},
        }

    @app.post("/answers", dependencies=[Depends(require_service_token)])
    async def ask(question: Question) -> Answer:
        name = cache.key(question.instructions, question.message)
        known = await cache.load(kept, name)
        if known is not None:
            return Answer(agent=question.agent, answer=known, cached=True)
        fresh = answers.answer(question.instructions, question.message)
        await cache.keep(kept, name, fresh, question.cache_seconds or default_seconds)
        return Answer(agent=question.agent, answer=fresh, cached=False)

    return app
