"""Whether a name resolves."""

import ipaddress
import socket

import anyio

from .model import Check, Finding


def check(host: str) -> Check:
    """`DNS of HOST`."""

    async def look() -> Finding:
        if _is_address(host):
            return Finding("not applicable", f"{host} is an address, not a name")
        try:
            found = await anyio.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            why = error.strerror if isinstance(error, socket.gaierror) else error
            return Finding("failed", f"does not resolve: {why}", f"create the DNS record of {host}, or mend the name")
        return Finding("passed", ", ".join(dict.fromkeys(str(address[0]) for *_, address in found)))

    return Check(f"DNS of {host}", look)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
