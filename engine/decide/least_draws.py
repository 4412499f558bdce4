"""The least that a plan draws on a place: by the rules of its venue, or for its chain's gas."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.domain.chains import NATIVE_ASSETS
from engine.domain.holdings import Place
from engine.domain.instruments import Instrument, Kind
from engine.domain.low_balances import Draw
from engine.domain.opportunities import Side
from engine.domain.plans import wallet_of
from engine.kernels.layout import ASK, BID
from engine.market.board import Board
from engine.market.gas_book import GasBook
from engine.portfolio.costs import EXACT, Costs, gas_amounts

SWAPS_LEAST: Final = 2
GAS_UNITS_LEAST: Final = 200_000
"""A transaction of ours has two swaps at least, and they take about so much together."""

_GAS_PLACES: Final[Mapping[Place, str]] = {
    (wallet_of(chain), asset): chain for chain, asset in NATIVE_ASSETS.items()
}
"""Where gas is paid, and the chain of each."""


class LeastDraws:
    """Says what the least order of each kind draws on a place.

    A book that has no price now counts at the last one that was seen, so that one silent venue does
    not make another's balance look enough.
    """

    def __init__(self, board: Board, costs: Costs, gas: GasBook) -> None:
        self._board = board
        self._costs = costs
        self._gas = gas
        self._books: dict[Place, list[int]] = {}
        self._indexed = 0
        self._last: dict[int, tuple[Decimal, Decimal]] = {}

    def at(self, place: Place) -> list[Draw]:
        """Return what each kind of plan draws on a place at the least, where a price is known."""
        self._index()
        draws = []
        for book in self._books.get(place, ()):
            instrument = self._board.instruments[book]
            prices = self._prices(book, instrument)
            if prices is None or book in self._board.former:
                continue
            side = Side.SELL if instrument.pair.base == place[1] else Side.BUY
            needed = self._needed(instrument, side, *prices)
            draws.append(Draw(what=f"{side} {instrument.pair}", needed=needed))
        return [*draws, *self._gas_draws(place)]

    def _index(self) -> None:
        instruments = self._board.instruments
        for book in range(self._indexed, len(instruments)):
            one = instruments[book]
            if one.kind is Kind.SPOT:
                for asset in (one.pair.base, one.pair.quote):
                    self._books.setdefault((one.venue, asset), []).append(book)
        self._indexed = len(instruments)

    def _prices(self, book: int, instrument: Instrument) -> tuple[Decimal, Decimal] | None:
        """Return the best bid and ask, the last that were seen, None before there were any."""
        bid, ask = self._board.best(book, BID), self._board.best(book, ASK)
        if bid is not None and ask is not None:
            self._last[book] = (instrument.price_of(bid[0]), instrument.price_of(ask[0]))
        return self._last.get(book)

    def _needed(
        self, instrument: Instrument, side: Side, bid_quote: Decimal, ask_quote: Decimal
    ) -> Decimal:
        price = bid_quote if side is Side.SELL else ask_quote
        size = _least_size(instrument, price)
        if side is Side.SELL:
            return size
        paid = EXACT.multiply(size, price)
        fee = self._costs.fee(instrument.venue, side, size_base=size, notional_quote=paid)
        return EXACT.add(paid, fee.quote)

    def _gas_draws(self, place: Place) -> list[Draw]:
        chain = _GAS_PLACES.get(place)
        price = None if chain is None else self._gas.price(chain)
        if price is None:
            return []
        amount, _ = gas_amounts(price, GAS_UNITS_LEAST, SWAPS_LEAST)
        return [Draw(what=f"send transactions on {chain}", needed=amount)]


def _least_size(instrument: Instrument, price: Decimal) -> Decimal:
    """Return the least size of an order that the venue takes at a price, in whole lots."""
    least = max(instrument.size_min_base, instrument.lot_base)
    if instrument.notional_min_quote and price:
        least = max(least, instrument.notional_min_quote / price)
    return -instrument.floor_to_lot(-least)
