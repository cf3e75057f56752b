"""The built-in catalog, in the very shape that prodgy-ci.toml has."""

from typing import Any

BACKING = ("redis", "postgres")
"""What a service may need beside other services."""

KINDS = ("node", "python", "dotnet", "static")
"""The kinds the built-in services have; a file may use others."""

VARIABLES = (
    "azureServiceConnection",
    "resourceGroup",
    "containerRegistry",
    "registryLoginServer",
    "apiContainerAppName",
    "serviceContainerAppName",
    "webContainerAppName",
    "studioContainerAppName",
    "gatewayContainerAppName",
    "agenticContainerAppName",
    "engineContainerAppName",
    "AZURE_STATIC_WEB_APP_API_TOKEN",
    "VM_IP",
    "VM_USER",
    "VM_PASSWORD",
)
"""The variables of an environment's variable group. Their spelling is a contract with existing groups."""


REQUIRES = {
    "api": ("DATABASE_URL", "AGENTIC_URL", "JWT_SECRET", "CORS_ORIGINS", "API_SERVICE_TOKEN", "AGENTIC_SERVICE_TOKEN"),
    "web": ("GATEWAY_URL",),
    "service": ("REDIS_URL", "SERVICE_SERVICE_TOKEN"),
    "studio": ("GATEWAY_URL",),
    "gateway": ("API_URL", "AGENTIC_URL", "CORS_ORIGINS", "API_SERVICE_TOKEN", "AGENTIC_SERVICE_TOKEN"),
    "agentic": ("ENGINE_URL", "AGENTIC_SERVICE_TOKEN", "ENGINE_SERVICE_TOKEN"),
    "engine": ("REDIS_URL", "ENGINE_SERVICE_TOKEN"),
}
"""What each service reads of its environment and cannot do without in a deployment."""


def _node(name: str, port: int, *needs: str) -> dict[str, Any]:
    return {
        "kind": "node",
        "dockerfile": f"apps/{name}/Dockerfile",
        "port": port,
        "needs": list(needs),
        "requires": list(REQUIRES[name]),
    }


DATA: dict[str, Any] = {
    "root": ".",
    "ignored": ["*.md", "docs/"],
    "pipeline_paths": ["ci/", "dagger.json", "prodgy-ci.toml", "azure-pipelines.yml"],
    "variables": list(VARIABLES),
    "services": {
        "api": _node("api", 3001, "postgres", "agentic"),
        "web": _node("web", 3000, "gateway"),
        "service": _node("service", 3002, "redis"),
        "studio": _node("studio", 3003, "gateway"),
        "gateway": _node("gateway", 3004, "api", "agentic"),
        "agentic": _node("agentic", 3005, "engine"),
        "engine": {
            "kind": "python",
            "dockerfile": "Dockerfile.engine",
            "port": 8001,
            "needs": ["redis"],
            "requires": list(REQUIRES["engine"]),
        },
        "assistant": {"kind": "dotnet", "target": "windows-vm", "port": 5000},
        "docs": {"kind": "static", "target": "static-web-app", "dockerfile": "apps/docs/Dockerfile"},
    },
    "rules": {
        "node-workspace": {
            "paths": ["packages/", "pnpm-lock.yaml", "turbo.json", "package.json", "pnpm-workspace.yaml", ".npmrc"],
            "kinds": ["node"],
        },
        "build-context": {"paths": [".dockerignore"], "all": True},
    },
    "environments": {
        "development": {"ref": "refs/heads/main", "variable_group": "prodgy-development"},
        "staging": {"ref": "refs/heads/staging", "variable_group": "prodgy-staging"},
        "production": {"ref": "refs/tags/v*", "variable_group": "prodgy-production"},
    },
}
