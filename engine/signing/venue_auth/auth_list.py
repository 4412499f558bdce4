"""The one list of how venues' calls are signed; adding one is a file and a line here.

A venue's file, and what it is made with, is loaded for a key of that venue alone.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, cast

from engine.domain.errors import SettingsError
from engine.signing.venue_auth.auth import Authentication, VenueKey

AUTHENTICATIONS: Final[Mapping[str, str]] = {
    "binance": "BinanceAuth",
    "coinbase": "CoinbaseAuth",
    "gemini": "GeminiAuth",
    "bitstamp": "BitstampAuth",
    "kraken": "KrakenAuth",
}
"""By venue the class in its file."""


def authentication_of(venue: str, key: VenueKey) -> Authentication:
    """Make what signs the calls of a venue.

    Raises:
        SettingsError: no calls of it can be signed, or the key is none of its kind.
    """
    name = AUTHENTICATIONS.get(venue)
    if name is None:
        raise SettingsError(
            f"calls to {venue!r} cannot be signed; those to {', '.join(AUTHENTICATIONS)} can"
        )
    module = import_module(f"engine.signing.venue_auth.{venue}")
    return cast("Authentication", getattr(module, name)(key))
