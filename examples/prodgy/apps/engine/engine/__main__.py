"""Runs the engine: python -m engine. PORT is 8001 by default."""

import os

import uvicorn

uvicorn.run(
    "engine.app:create_app",
    factory=True,
    host="0.0.0.0",  # a container's port is reached from outside
    port=int(os.environ.get("PORT") or 8001),
    timeout_graceful_shutdown=5,
)
