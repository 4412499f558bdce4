"""Gaps between two books of one pair at their best prices, whether or not they pay.

Only for a person who looks: no decision uses them, and looking changes nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from engine.domain.instruments import VenueId
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.layout import ASK, BID
from engine.market.board import Board
from engine.portfolio.costs import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The better direction between two books; estimates at the best prices, whatever the size.

    Attributes:
        gross_bps: best bid over best ask.
        net_bps: after both taker fees and the transfer cost, of the buy notional.
    """

    pair: str
    buy_venue: VenueId
    sell_venue: VenueId
    gross_bps: float
    net_bps: float


class Spreads:
    """Reads the gaps of one board.

    Attributes:
        pairs: pairs that two books or more have.
    """

    def __init__(self, board: Board, costs: Costs, *, age_ns_max: int) -> None:
        self._board = board
        self._age_ns_max = age_ns_max
        self._transfer_ratio = float(costs.transfer_bps) / BPS_PER_UNIT
        self._costs = costs
        self._fee_ratio: dict[VenueId, float] = {}
        self._books: dict[str, list[int]] = {}
        self.pairs: Sequence[str] = ()
        self.take_rows()

    def take_rows(self) -> None:
        """Find the pairs of the rows that are there."""
        board, costs = self._board, self._costs
        venues = {instrument.venue for instrument in board.instruments}
        self._fee_ratio = {venue: float(costs.fee_bps(venue)) / BPS_PER_UNIT for venue in venues}
        books: defaultdict[str, list[int]] = defaultdict(list)
        for book, instrument in enumerate(board.instruments):
            if book not in board.former:
                books[str(instrument.pair)].append(book)
        self._books = {pair: rows for pair, rows in books.items() if len(rows) > 1}
        self.pairs = tuple(self._books)

    def take_fees(self, venues: Sequence[VenueId]) -> None:
        """Learn that venues have another fee."""
        del venues
        self.take_rows()

    def of_pair(self, pair: str, at_ns: int) -> list[Spread]:
        """Return the gap between each two fresh books of a pair, the best first."""
        quotes = [
            (self._board.instruments[book].venue, *self._best(book))
            for book in self._books[pair]
            if self._board.is_fresh(book, at_ns=at_ns, age_ns_max=self._age_ns_max)
        ]
        found = [
            max(
                self._spread(pair, buy=one, sell=other),
                self._spread(pair, buy=other, sell=one),
                key=lambda spread: spread.net_bps,
            )
            for one, other in combinations(quotes, 2)
        ]
        return sorted(found, key=lambda spread: -spread.net_bps)

    def _best(self, book: int) -> tuple[float, float]:
        instrument = self._board.instruments[book]
        bid, ask = self._board.best(book, BID), self._board.best(book, ASK)
        assert bid is not None
        assert ask is not None
        return float(instrument.price_of(bid[0])), float(instrument.price_of(ask[0]))

    def _spread(
        self, pair: str, *, buy: tuple[VenueId, float, float], sell: tuple[VenueId, float, float]
    ) -> Spread:
        (buy_venue, _, ask), (sell_venue, bid, _) = buy, sell
        paid = ask * (1 + self._fee_ratio[buy_venue] + self._transfer_ratio)
        got = bid * (1 - self._fee_ratio[sell_venue])
        return Spread(
            pair=pair,
            buy_venue=buy_venue,
            sell_venue=sell_venue,
            gross_bps=(bid - ask) / ask * BPS_PER_UNIT,
            net_bps=(got - paid) / ask * BPS_PER_UNIT,
        )
