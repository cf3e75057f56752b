"""Whether a job that is put into the queue is done."""

import anyio
from pydantic import SecretStr

from ..catalog.checklists import Queue
from .bodies import filled
from .http import Endpoint
from .model import Check, Finding

PAUSE = 0.2


def checks(at: Endpoint, token: SecretStr | None, queue: Queue) -> list[Check]:
    """A job is done; a bogus service token is refused."""
    headers = {"X-Service-Token": token.get_secret_value()} if token else {}

    async def is_done() -> Finding:
        put = await at.ask("POST", queue.route, body=filled(queue.body), headers=headers)
        if put.status in (401, 403) and not token:
            return Finding("not applicable", f"{put.told}: needs {queue.token} in --check-secrets")
        if put.status in (401, 403):
            return Finding("failed", f"POST {queue.route}: {put}", f"set {queue.token} to what {queue.service} has")
        if not 200 <= put.status < 300 or (number := put.field(queue.id_field)) is None:
            mend = f"see `redis as {queue.service} reports it`, and the log of {queue.service}"
            return Finding("failed", f"POST {queue.route}: {put}", mend)
        state, end = None, anyio.current_time() + at.within
        while anyio.current_time() < end:
            asked = await at.ask("GET", queue.state.replace("{id}", str(number)), headers=headers)
            if (state := asked.field(queue.state_field)) == queue.done:
                return Finding("passed", f"put: {put.told}; {queue.done}: {asked.told}")
            await anyio.sleep(PAUSE)
        mend = f"see in the log of {queue.service} whether its worker runs"
        return Finding("failed", f"put: {put.told}; after {at.within:g} s its state is {state}", mend)

    async def is_refused() -> Finding:
        if not token:
            return Finding("not applicable", f"needs {queue.token} in --check-secrets")
        answer = await at.ask("POST", queue.route, body=filled(queue.body), headers={"X-Service-Token": "bogus"})
        if answer.status in (401, 403):
            return Finding("passed", answer.told)
        mend = f"set the service token in the environment of {queue.service}: without one its routes are open"
        return Finding("failed", f"POST {queue.route}: {answer.told}", mend, final=answer.status < 400)

    return [
        Check("a job goes through the queue", is_done, retries=True),
        Check("bogus service token is refused", is_refused, retries=True),
    ]
