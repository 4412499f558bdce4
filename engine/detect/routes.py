"""Routes: which books may be bought at one venue and sold at another without taking a view.

Only spot with spot, of the same pair, at different venues. A perpetual against spot is *basis*: its
price may differ for as long as funding pays for it, so that the difference is no riskless gain.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.instruments import Instrument, Kind


@dataclass(frozen=True, slots=True)
class Route:
    """Buy at one book, sell at another."""

    buy_book: int
    sell_book: int


def find_routes(instruments: Sequence[Instrument]) -> tuple[Route, ...]:
    """Return every route between the instruments, in their order."""
    return tuple(
        Route(buy_book, sell_book)
        for buy_book, buy in enumerate(instruments)
        for sell_book, sell in enumerate(instruments)
        if _is_route(buy, sell)
    )


def _is_route(buy: Instrument, sell: Instrument) -> bool:
    return (
        buy.kind is Kind.SPOT
        and sell.kind is Kind.SPOT
        and buy.pair == sell.pair
        and buy.venue != sell.venue
    )
