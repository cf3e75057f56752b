"""How the official CLI is called, in a container for linux/amd64. It starts an upload client that it downloads."""

from collections.abc import Mapping
from pathlib import Path

from .names import PRODUCTION, environment

VERSION = "2.0.10"
"""Of @azure/static-web-apps-cli; pinned with all it needs in cli/package-lock.json."""
IMAGE = "node:22-bookworm-slim"
PACKAGE = Path(__file__).parent / "cli"
"""package.json and package-lock.json."""
OWN_CLIENT = Path(__file__).parent / "own_client.mjs"
INSTALL = ("npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund")
"""Without scripts: the only one builds a keyring, which is for logins by hand."""
SWA = "node_modules/.bin/swa"
"""Where INSTALL puts it."""

TOKEN_VARIABLE = "SWA_CLI_DEPLOYMENT_TOKEN"
"""The deployment token travels in it, and nowhere else."""


def variables(client_version: str = "stable") -> Mapping[str, str]:
    """The environment beside the token. `client_version` is the upload client's, by tag or number."""
    return {
        "SWA_CLI_DEPLOY_BINARY_VERSION": client_version,
        "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
        "NO_UPDATE_NOTIFIER": "1",
        "FORCE_COLOR": "0",
    }


def deploy(name: str = PRODUCTION, site: str = "/site", empty: str = "/empty") -> list[str]:
    """The arguments after the program. `empty` is an empty folder: what lies in the app's folder is guessed about.

    Without `silly` the CLI drops what Azure gives as the reason of a refusal; this version hides the token there.
    """
    chosen = environment(name, "--env")
    return ["deploy", site, "--app-location", empty, "--env", chosen, "--verbose", "silly"]


def with_own_client(program: str, client: str, arguments: list[str], script: str = "/own_client.mjs") -> list[str]:
    """The whole command where the upload client is a given file."""
    return ["node", script, client, program, *arguments]
