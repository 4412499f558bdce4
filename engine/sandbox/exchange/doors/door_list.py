"""The sandbox's exchanges with a private half: how each treats orders, and its door."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from engine.sandbox.exchange.doors.binance import BinanceDoor
from engine.sandbox.exchange.doors.bitstamp import BitstampDoor
from engine.sandbox.exchange.doors.coinbase import CoinbaseDoor
from engine.sandbox.exchange.doors.door import Door, DoorKey
from engine.sandbox.exchange.doors.gemini import GeminiDoor
from engine.sandbox.exchange.doors.kraken import KrakenDoor
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.model import ClientIds, FeeFrom, VenueTerms

DOORS: Final[Mapping[str, tuple[Callable[[Exchange, DoorKey], Door], VenueTerms]]] = {
    "binance": (
        BinanceDoor,
        VenueTerms(
            venue="binance",
            client_ids=ClientIds.REFUSED_WHILE_OPEN,
            fee_from=FeeFrom.RECEIVED,
            taker_ratio=Decimal("0.001"),
            maker_ratio=Decimal("0.001"),
        ),
    ),
    "coinbase": (
        CoinbaseDoor,
        VenueTerms(
            venue="coinbase",
            client_ids=ClientIds.ANSWERED,
            fee_from=FeeFrom.QUOTE,
            taker_ratio=Decimal("0.002"),
            maker_ratio=Decimal("0.001"),
        ),
    ),
    "gemini": (
        GeminiDoor,
        VenueTerms(
            venue="gemini",
            client_ids=ClientIds.TAKEN,
            fee_from=FeeFrom.QUOTE,
            taker_ratio=Decimal("0.002"),
            maker_ratio=Decimal("0.001"),
        ),
    ),
    "bitstamp": (
        BitstampDoor,
        VenueTerms(
            venue="bitstamp",
            client_ids=ClientIds.REFUSED,
            fee_from=FeeFrom.QUOTE,
            taker_ratio=Decimal("0.002"),
            maker_ratio=Decimal("0.001"),
        ),
    ),
    "kraken": (
        KrakenDoor,
        VenueTerms(
            venue="kraken",
            client_ids=ClientIds.REFUSED_WHILE_OPEN,
            fee_from=FeeFrom.QUOTE,
            taker_ratio=Decimal("0.0026"),
            maker_ratio=Decimal("0.0016"),
        ),
    ),
}
