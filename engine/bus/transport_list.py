"""The one list of transports; adding one is a file and a line here."""

from typing import Final

from engine.bus.over_redis import OVER_REDIS
from engine.bus.transport import Transport
from engine.domain.errors import BadValueError

TRANSPORTS: Final[tuple[Transport, ...]] = (OVER_REDIS,)


def transport_of(url: str) -> Transport:
    """Return what carries requests over a URL.

    Raises:
        BadValueError: nothing does; it is not shown, as it may hold a password.
    """
    scheme, _, rest = url.partition("://")
    found = next((one for one in TRANSPORTS if scheme in one.schemes), None)
    if found is None or not rest or any(letter.isspace() for letter in url):
        examples = "; ".join(one.example for one in TRANSPORTS)
        raise BadValueError(f"it must be an address as {examples}")
    return found
