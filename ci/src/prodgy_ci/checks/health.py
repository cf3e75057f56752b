"""Whether a service is up with the revision that was deployed, and what it says of what it depends on."""

from .http import Answer, Endpoint
from .model import Check, Finding


def check(service: str, at: Endpoint, route: str, revision: str | None, samples: int = 3) -> Check:
    """`health of SERVICE`: so many answers in a row are healthy and of that revision.

    Each comes over a connection of its own: while traffic is divided between revisions, one answer tells nothing.
    """

    async def look() -> Finding:
        finding = Finding("failed", "nothing was asked")
        for _ in range(samples):
            finding = judge(service, await at.ask("GET", route), revision)
            if finding.status == "failed":
                return finding
        return finding

    return Check(f"health of {service}", look, retries=True)


def dependency(name: str, service: str, at: Endpoint, route: str) -> Check:
    """`NAME as SERVICE reports it`."""

    async def look() -> Finding:
        return judge_dependency(name, service, await at.ask("GET", route))

    return Check(f"{name} as {service} reports it", look, retries=True)


def judge(service: str, answer: Answer, revision: str | None) -> Finding:
    """What an answer of the health route says. A static site's version.json has a revision and no status."""
    down = [name for name, state in _dependencies(answer).items() if state != "ok"]
    if down:
        mend = f"mend {', '.join(down)} first, or the settings with which {service} reaches it"
        return Finding("failed", f"{answer.told}: {', '.join(down)} down", mend)
    served, state = answer.field("revision"), answer.field("status")
    if answer.status != 200 or state not in (None, "ok"):
        return Finding("failed", str(answer), f"see the log of {service}")
    if served is None:
        return Finding("failed", f"{answer}: no revision in it", f"let the health route of {service} tell its revision")
    if revision is None:
        return Finding(
            "warning", f"{answer.told}: healthy, revision {served}", f"no deployment of {service} is recorded"
        )
    if served != revision:
        evidence = f"{answer.told}: revision {served}, not {revision}"
        return Finding("failed", evidence, f"see whether all traffic of {service} goes to the new revision")
    return Finding("passed", f"{answer.told}: revision {served}")


def judge_dependency(name: str, service: str, answer: Answer) -> Finding:
    """What an answer of the health route says of one dependency."""
    state = _dependencies(answer).get(name)
    if state == "ok":
        return Finding("passed", f"{answer.told}: ok")
    if state is None:
        return Finding("failed", f"{answer}: nothing of {name} in it", f"see `health of {service}`")
    mend = f"see whether {name} is up, and the settings with which {service} reaches it"
    return Finding("failed", f"{answer.told}: {state}", mend)


def _dependencies(answer: Answer) -> dict[str, object]:
    found = answer.field("dependencies")
    return found if isinstance(found, dict) else {}
