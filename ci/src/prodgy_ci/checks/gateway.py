"""Whether services reach each other through the gateway."""

from functools import partial

from ..catalog.checklists import Gateway, GatewayRoute
from .bodies import filled
from .http import Endpoint
from .login import GIVES_JWT, Session
from .model import Check, Finding


def checks(at: Endpoint, session: Session, gateway: Gateway) -> list[Check]:
    """One check for each route, and one for that nobody gets through without a token."""

    async def through(route: GatewayRoute) -> Finding:
        answer = await at.ask(route.method, route.route, body=filled(route.body), bearer=session.bearer)
        evidence = f"{route.method} {route.route}: {answer.told if answer.status == route.status else answer}"
        if answer.status == route.status:
            return Finding("passed", evidence)
        return Finding("failed", evidence, _mend(answer.status, route.service, gateway.service))

    async def is_closed() -> Finding:
        for route in gateway.routes:
            answer = await at.ask(route.method, route.route, body=filled(route.body))
            if answer.status not in (401, 403):
                evidence = f"{route.method} {route.route} without a token: {answer.told}"
                mend = f"let {gateway.service} check the token before it forwards"
                return Finding("failed", evidence, mend, final=answer.status < 400)
        return Finding("passed", f"{len(gateway.routes)} routes, none of them open")

    found = [
        Check(
            f"{route.service} through the gateway ({route.method} {route.route})",
            partial(through, route),
            retries=True,
            after=GIVES_JWT,
        )
        for route in gateway.routes
    ]
    if gateway.routes:
        found.append(Check("gateway is closed without a token", is_closed, retries=True))
    return found


def _mend(status: int, service: str, gateway: str) -> str:
    if status in (401, 403):
        return f"see whether {gateway} and the services behind it have the same service tokens"
    if status in (502, 503, 504):
        return f"see `health of {service}`, and the address that {gateway} has of it"
    return f"see the logs of {gateway} and {service}, and checks.gateway.routes"
