"""Whether an agent answers a message."""

from ..catalog.checklists import Playground
from .bodies import filled
from .http import Endpoint
from .login import GIVES_JWT, Session
from .model import Check, Finding

NAME = "Playground message is answered by an agent"


def check(at: Endpoint, session: Session, playground: Playground) -> Check:
    """A message that nobody sent before gets an answer that is not empty."""

    async def look() -> Finding:
        answer = await at.ask("POST", playground.route, body=filled(playground.body), bearer=session.bearer)
        if answer.status != playground.status:
            mend = "follow the message: see the health of the services on its way, then their logs"
            return Finding("failed", f"POST {playground.route}: {answer}", mend)
        said = answer.field(playground.answer_field)
        if not isinstance(said, str) or not said.strip():
            mend = "see the agent's instructions and the log of what runs it; checks.playground.answer_field"
            return Finding("failed", f"{answer}: no answer at `{playground.answer_field}`", mend)
        return Finding("passed", f"{answer.told}: {said}")

    return Check(NAME, look, retries=True, after=GIVES_JWT)
