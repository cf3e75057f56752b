"""The engine: deterministic answers, cached in Redis."""
