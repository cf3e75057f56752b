"""What the CLI's exit code and output mean. Its exit code alone says nothing: it can be 0 with nothing uploaded."""

import re
from dataclasses import dataclass

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_DEPLOYED = re.compile(r"Project deployed to (https://[^\s]+)")
_UPLOADED = ("Uploading build artifacts", "Finished Upload", "Polling on deployment")
_LINES = 8
"""So many of the last lines are quoted where nothing is known."""


@dataclass(frozen=True)
class Verdict:
    """What became of an upload."""

    url: str | None
    """Where the CLI says that it deployed to; None: it failed, or nobody knows."""
    message: str = ""
    began: bool = True
    """Whether the site can be another one now or later. False: Azure took nothing."""


@dataclass(frozen=True)
class _Known:
    says: str
    mend: str
    began: bool = False


_KNOWN = (
    _Known(
        "api key was invalid",
        "set the deployment token in the variable group to: az staticwebapp secrets list --name NAME --query properties.apiKey",
    ),
    _Known(
        "Could not load StaticSitesClient metadata",
        "the agent must reach https://aka.ms/swalocaldeploy, or give the upload client by --swa-client",
    ),
    _Known("Failed to download StaticSitesClient", "the agent must reach the client's address, or give --swa-client"),
    _Known("Checksum mismatch for StaticSitesClient", "try again; the download was damaged or replaced"),
    _Known(
        "error while loading shared libraries",
        "the upload client lacks libraries of its image; run it in a glibc image for amd64",
    ),
    _Known("maximum number of staging environments", "delete an environment of the static web app that is not used"),
    _Known("content was too large", "make the site smaller, or take the Standard plan"),
    _Known("number of static files was too large", "make the site of fewer files"),
    _Known("Failed to find a default file", "the site needs an index.html"),
    _Known("rejected the request with: BadRequest", "see the reason that Azure names"),
    _Known("No deployment token", "set the deployment token in the variable group"),
    _Known("Interactive login", "set the deployment token in the variable group"),
    _Known("is not found. Exit", "the folder of the site is not there: this is a fault of this program"),
    _Known("Cannot deploy to the function app", "the site must have no API folder", began=True),
    _Known("Failure during content distribution", "try again; if it stays, the site may be too large", began=True),
    _Known("warm up timed out", "try again", began=True),
)


def judge(code: int, output: str) -> Verdict:
    """What the exit code, and standard output and error together, mean."""
    text = _ANSI.sub("", output)
    if code == 0 and (found := _DEPLOYED.search(text)):
        return Verdict(found[1])
    for known in _KNOWN:
        if line := next((line.strip() for line in text.splitlines() if known.says in line), None):
            reason = next((line.strip() for line in text.splitlines() if line.strip().startswith("Reason:")), "")
            said = line if not reason or reason == line else f"{line} {reason}"
            said = re.sub(r"^\W+", "", said)
            began = known.began or any(sign in text for sign in _UPLOADED)
            return Verdict(None, f"{said}; {known.mend}", began)
    last = "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-_LINES:])
    if code == 0:
        return Verdict(None, f"the CLI ended well but named no site that it deployed to, so nothing is known:\n{last}")
    return Verdict(None, f"the CLI ended with exit code {code}:\n{last}")
