"""The way out of this machine: through one proxy if the operator has set one, loopback never."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from engine.domain.errors import BadValueError

PROXY_SCHEMES: Final = ("http", "socks5")
_PORT_END: Final = 65_536


def check_proxy(text: str) -> None:
    """Refuse what is no address of a proxy; the text may hold a password and is never repeated.

    Raises:
        BadValueError: it is not of the form scheme://host:port.
    """
    wanted = f"an address such as http://host:3128 or socks5://host:1080 ({_credentials()})"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadValueError(f"it cannot be read; use {wanted}") from error
    if parts.scheme not in PROXY_SCHEMES:
        raise BadValueError(f"its scheme is none of {', '.join(PROXY_SCHEMES)}; use {wanted}")
    if not host or not port or not 0 < port < _PORT_END:
        raise BadValueError(f"it lacks a host or a port; use {wanted}")
    if parts.path not in ("", "/") or parts.query or parts.fragment or any(map(str.isspace, text)):
        raise BadValueError(f"something follows host and port; use {wanted}")


def proxy_for(url: str, proxy: str | None) -> str | None:
    """Return the proxy through which an address is reached, None for directly."""
    return None if proxy is None or is_loopback(urlsplit(url).hostname or "") else proxy


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine by its name or address; nothing is looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        name = host.rstrip(".").lower()
        return name == "localhost" or name.endswith(".localhost")


def _credentials() -> str:
    return "user:password@ before the host if it asks for them"
