"""How exchanges of the library ccxt are named here, and which it knows; nothing of it is loaded.

Their venues begin with a mark of their own, so that none is ever taken for one that has its own
feed, gateway and keys.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from engine.domain.instruments import VenueId

MARK: Final = "ccxt-"

FEEDS: Final = ("stream", "poll")
"""`stream`: its WebSocket, audited by its REST book. `poll`: its REST book, again and again."""


def venue_of(exchange: str) -> VenueId:
    """Return the venue of an exchange that ccxt calls so."""
    return VenueId(f"{MARK}{exchange}")


def exchange_of(venue: str) -> str:
    """Return how ccxt calls a venue; empty for one that does not come through it."""
    return venue.removeprefix(MARK) if venue.startswith(MARK) else ""


@cache
def known_exchanges() -> tuple[str, ...]:
    """Return what ccxt calls its exchanges, by the names of its files; none where it is not."""
    found = find_spec("ccxt")
    folders = [] if found is None else list(found.submodule_search_locations or ())
    names = {
        path.stem
        for folder in folders
        for path in (Path(folder) / "async_support").glob("*.py")
        if not path.stem.startswith("_")
    }
    return tuple(sorted(names))
