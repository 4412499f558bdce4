"""The one list of venues at which orders can be placed; adding one is a folder and a line here."""

from collections.abc import Mapping
from importlib import import_module
from typing import Final, cast

from engine.domain.errors import BadValueError
from engine.gateways.gateway import Gateway

GATEWAYS: Final[Mapping[str, str]] = {
    "binance": "BinanceGateway",
    "coinbase": "CoinbaseGateway",
    "gemini": "GeminiGateway",
    "bitstamp": "BitstampGateway",
    "kraken": "KrakenGateway",
}
"""By venue the class in its folder's `gateway`."""


def gateway_of(venue: str) -> Gateway:
    """Load one.

    Raises:
        BadValueError: there is none for that venue.
    """
    if venue not in GATEWAYS:
        known = ", ".join(GATEWAYS)
        raise BadValueError(f"no orders can be placed at {venue!r}; they can at {known}")
    module = import_module(f"engine.gateways.{venue}.gateway")
    return cast("Gateway", getattr(module, GATEWAYS[venue])())
