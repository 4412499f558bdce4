"""Where a request comes from, as far as that can be believed.

A proxy that is trusted adds the address of its client as the last one of `X-Forwarded-For`. What is
not an address there is nobody's: all such requests share one pace.
"""

import ipaddress
from http import HTTPStatus
from typing import Final

from aiohttp import web

from bot.web.problems import RefusedError

UNKNOWN: Final = "unknown"
NETWORK_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin alike."""


def check_came_by_tls(request: web.Request) -> None:
    """Look what a trusted proxy says of how its client came.

    Raises:
        RefusedError: without TLS (403).
    """
    said = request.headers.get("X-Forwarded-Proto", "https").rpartition(",")[2]
    if said.strip().lower() != "https":
        raise RefusedError(
            HTTPStatus.FORBIDDEN,
            "this came to the proxy without TLS, where anybody on the way reads the key: use https",
        )


def who_asks(request: web.Request, *, trusts_proxy: bool) -> str:
    """Return the address that requests are counted by."""
    named = ",".join(request.headers.getall("X-Forwarded-For", [])) if trusts_proxy else ""
    if not named.strip():
        return request.remote or UNKNOWN
    return _address(named.rpartition(",")[2].strip())


def _address(text: str) -> str:
    """Return an address as it is counted; some proxies write a port behind it."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return UNKNOWN
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found.packed, NETWORK_BITS), strict=False))
    return str(found)
