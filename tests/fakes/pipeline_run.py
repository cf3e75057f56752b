"""The files of a run of the pipeline, for tests of what reads them: one that passed, and a rich one that failed."""

import json
from typing import Any

HEAD = "4f" * 20
BEFORE = "9a" * 20
DIGEST = "sha256:" + "ab" * 32


def reason(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, **more}


def plan(**services: dict[str, Any]) -> dict[str, Any]:
    base = {"chosen": "deployed", "commit": BEFORE, "recorded": None}
    return {
        "schema_version": 1,
        "ref": "refs/heads/main",
        "event": "push",
        "environment": "development",
        "head": HEAD,
        "working_tree": False,
        "notes": [],
        "services": {
            name: {
                "action": "build",
                "base": base,
                "reasons": [reason("rule", rule=name, path=f"apps/{name}/x", count=2)],
            }
            | more
            for name, more in services.items()
        },
        "changed": {
            BEFORE: {
                "commits": 3,
                "days": 1,
                "ignored": 1,
                "outside": 0,
                "paths": {"apps/api/src/routes.js": "M", "apps/engine/engine/app.py": "A", "README.md": "M"},
            }
        },
    }


def about(*spans: tuple[str, str | None, float, float, bool]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "ref": "refs/heads/main",
        "commit": HEAD,
        "environment": "development",
        "started": "2026-03-01T09:30:00+00:00",
        "seconds": max((start + seconds for _, _, start, seconds, _ in spans), default=1.0),
        "spans": [
            {"stage": s, "service": n, "start": b, "seconds": t, "result": "passed" if good else "failed"}
            for s, n, b, t, good in spans
        ],
    }


def build(service: str, error: str | None = None, seconds: float = 12.4) -> dict[str, Any]:
    size = None if error else 181_400_000
    return {
        "service": service,
        "image": f"prodgy-{service}",
        "form": "image",
        "seconds": seconds,
        "size": size,
        "error": error,
    }


def outcome(service: str, kind: str = "unit", **more: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "verdict": "passed",
        "reason": None,
        "tests": 42,
        "failed": 0,
        "skipped": 1,
        "seconds": 3.2,
        "failures": [],
    }
    return {"service": service, "kind": kind, **good, **more}


def image(service: str, **more: Any) -> dict[str, Any]:
    reference = f"prodgy.azurecr.io/prodgy-{service}:{HEAD}@{DIGEST}"
    made = {"result": "pushed", "reference": reference, "digest": DIGEST, "tags": [HEAD, "main"], "size": 61_300_000}
    return {"service": service, "form": "image", "seconds": 6.1, **made, **more}


def written(**parts: Any) -> dict[str, str]:
    """Files by path; a key's `__` stands for /, and .json is added."""
    return {f"{key.replace('__', '/')}.json": json.dumps(value) for key, value in parts.items()}


def passed() -> dict[str, str]:
    """A small run in which everything is well."""
    return written(
        run=about(("plan", None, 0, 1.2, True), ("build", "api", 1.2, 12.4, True)),
        plan=plan(api={}),
        builds={"builds": [build("api")]},
        tests={"tests": [outcome("api")]},
    )


def failed(said: str = "1 failed") -> dict[str, str]:
    """A run of several services in which much failed; `said` is in everything that somebody else wrote."""
    unchanged = {"action": "skip", "reasons": [reason("unchanged")]}
    services: dict[str, Any] = {name: {} for name in ("api", "gateway", "agentic", "engine")} | {
        "docs": unchanged,
        "web": unchanged,
    }
    names = ("api", "gateway", "agentic", "engine")
    spans: list[tuple[str, str | None, float, float, bool]] = [("plan", None, 0, 2.1, True)]
    for number, name in enumerate(names):
        spans += [
            ("build", name, 2.1 + number, 14 + 9 * number, name != "agentic"),
            ("unit tests", name, 17 + 6 * number, 8 + number, name != "engine"),
            ("integration tests", name, 18 + 6 * number, 21.4, True),
            ("publish", name, 66, 5 + 3 * number, True),
        ]
    served = {"commit": BEFORE, "digest": DIGEST, "revision": "api--r41-9a9a9a9", "since": "2026-02-27T10:00:00+00:00"}
    now = served | {"commit": HEAD, "revision": "api--r42-4f4f4f4"}
    checks = [
        {"name": "health of api", "status": "passed", "evidence": "200 in 41 ms, revision 4f4f4f4f4f", "seconds": 0.4},
        {
            "name": "TLS of gateway.example.com",
            "status": "warning",
            "evidence": f"expires in 12 days {said}",
            "seconds": 0.2,
        },
        {"name": "CORS of gateway", "status": "failed", "evidence": said, "mend": "set CORS_ORIGINS", "seconds": 3.1},
        {"name": "service assistant", "status": "not applicable", "evidence": "no VM_IP is given", "seconds": 0},
    ]
    return written(
        run=about(*spans),
        plan=plan(**services) | {"notes": [said]},
        deployed={"schema_version": 1, "environment": "development", "services": {"api": served}},
        builds={"builds": [build(n, f"exit code 1: npm ci\n{said}" if n == "agentic" else None) for n in names]},
        tests={
            "tests": [
                *(outcome(n) for n in names if n != "engine"),
                outcome(
                    "engine", verdict="failed", reason="1 of 42 tests failed", failed=1, failures=[f"test_x\n{said}"]
                ),
                *(outcome(n, "integration", seconds=21.4) for n in names),
            ]
        },
        images={
            "schema_version": 1,
            "registry": "prodgy.azurecr.io",
            "environment": "development",
            "commit": HEAD,
            "images": {n: image(n) for n in names}
            | {"engine": image("engine", result="failed", reference=None, error=said)},
        },
        deployments={
            "schema_version": 1,
            "environment": "development",
            "action": "deploy",
            "commit": HEAD,
            "result": "rolled back",
            "services": {
                "api": {
                    "result": "deployed",
                    "before": served,
                    "after": now,
                    "seconds": 48.0,
                    "steps": ["pinned", "switched"],
                },
                "gateway": {"result": "rolled back", "before": None, "after": None, "seconds": 90, "error": said},
            },
        },
        checks__verify={"schema_version": 1, "list": "verify", "environment": "development", "results": checks},
    ) | {"logs/engine-unit.txt": said}
