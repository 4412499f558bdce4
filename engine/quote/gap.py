"""Confirmation: the exact re-check of a screened gap between two books in whole numbers.

Both books are walked again, without what earlier paper trades have taken, at sizes that the venues
accept. Fees and transfer cost are rounded up; profit and edge are therefore never above what the
walk is worth. Where the fee of the purchase is taken from what it receives, no more is sold than
is left, and no more is bought than that takes; what makes no lot stays, and counts as it was paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument, VenueId
from engine.domain.opportunities import Leg, Opportunity, Reason, Side
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.layout import ASK, BID, FRAME_SEQ, KEY, SIZE
from engine.market.board import Board
from engine.portfolio.costs import EXACT, Costs, Fee
from engine.portfolio.settle import carry_quote, moved_quote
from engine.portfolio.taken import Taken
from engine.quote.two_books import TwoBooks

EDGE_STEP_BPS = Decimal("0.0001")


@dataclass(slots=True, kw_only=True)
class LimitRules:
    """How far a leg's limit price may lie behind the worst price walked; it may change.

    Attributes:
        slippage_bps: at most so far.
        edge_bps_floor: and never so far that the widening could bring the net edge of the route
            below this. The worst price walked is always allowed.
    """

    slippage_bps: Decimal
    edge_bps_floor: Decimal = Decimal(0)
    slips_ratio: Decimal = field(init=False)
    floor_ratio: Decimal = field(init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.slippage_bps < BPS_PER_UNIT:
            raise BadValueError(
                f"slippage is {self.slippage_bps} bps; it must be 0 or more and below "
                f"{BPS_PER_UNIT}"
            )
        self.slips_ratio = self.slippage_bps / BPS_PER_UNIT
        self.floor_ratio = self.edge_bps_floor / BPS_PER_UNIT

    def set(self, *, slippage_bps: Decimal, edge_bps_floor: Decimal) -> None:
        """Change the rules of all that is confirmed from now on."""
        self.slippage_bps, self.edge_bps_floor = slippage_bps, edge_bps_floor
        self.__post_init__()


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """An opportunity at an exact size.

    Attributes:
        size_base: what the first leg receives, before its fee.
        legs: of the route, in their order.
        profit_quote: net of fees and transfer cost; may be negative.
        net_edge_bps: relative to what the first leg pays before its fee, rounded down.
        touches_taken: whether the walk met liquidity that earlier paper trades took.
    """

    size_base: Decimal
    legs: tuple[Leg, ...]
    transfer_quote: Decimal
    profit_quote: Decimal
    net_edge_bps: Decimal
    touches_taken: bool


class Unconfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """No exact size exists: the reason and the numbers."""

    reason: Reason
    detail: str


class _Walk(msgspec.Struct, frozen=True, kw_only=True):
    filled_base: Decimal
    notional_quote: Decimal
    price_worst: Decimal
    touches_taken: bool
    frame_seq: int


class Confirmer:
    """Confirms opportunities on one board."""

    def __init__(self, board: Board, costs: Costs, taken: Taken, rules: LimitRules) -> None:
        self._board = board
        self._costs = costs
        self._taken = taken
        self._rules = rules
        self._two_books: dict[tuple[int, int], TwoBooks] = {}

    def take_fees(self, venues: Sequence[VenueId]) -> None:
        """Learn that venues have another fee: what was worked out once is no more."""
        del venues
        self._two_books.clear()

    def confirm(
        self, opportunity: Opportunity, size_base: Decimal, *, ignores_taken: bool = False
    ) -> Confirmed | Unconfirmed:
        """Walk both books of a gap at `size_base`, rounded down to what both venues accept.

        Args:
            opportunity: the gap.
            size_base: at most this is bought.
            ignores_taken: as if earlier paper trades had taken nothing: for comparison only.
        """
        rows = opportunity.hops[0].row, opportunity.hops[1].row
        books = self._two_books.get(rows) or self._find_books(rows)
        buy, sell = books.buy, books.sell
        buy_size, sell_size = self._sizes(books, size_base)
        for instrument, size in ((buy, buy_size), (sell, sell_size)):
            if size <= 0 or size < instrument.size_min_base:
                return Unconfirmed(
                    reason=Reason.SIZE_BELOW_MIN,
                    detail=f"size {size:f} {buy.pair.base}, least size "
                    f"{instrument.size_min_base:f} at {instrument.venue}",
                )
        bought = self._walk(rows[0], ASK, buy_size, ignores_taken=ignores_taken)
        sold = self._walk(rows[1], BID, sell_size, ignores_taken=ignores_taken)
        touches_taken = bought.touches_taken or sold.touches_taken
        for walk, size in ((bought, buy_size), (sold, sell_size)):
            if walk.filled_base < size:
                return Unconfirmed(
                    reason=Reason.LIQUIDITY_TAKEN if touches_taken else Reason.NOT_CONFIRMED,
                    detail=f"{walk.filled_base:f} of {size:f} {buy.pair.base} is there",
                )
        for instrument, walk in ((buy, bought), (sell, sold)):
            if walk.notional_quote < instrument.notional_min_quote:
                return Unconfirmed(
                    reason=Reason.SIZE_BELOW_MIN,
                    detail=f"notional {walk.notional_quote:f} {buy.pair.quote} at "
                    f"{instrument.venue}, least notional {instrument.notional_min_quote:f}",
                )
        return self._confirmed(books, bought, sold)

    def _find_books(self, rows: tuple[int, int]) -> TwoBooks:
        buy, sell = (self._board.instruments[row] for row in rows)
        books = self._two_books[rows] = TwoBooks.of(buy, sell, self._costs)
        return books

    def _sizes(self, books: TwoBooks, size_base: Decimal) -> tuple[Decimal, Decimal]:
        """Return what to buy and what to sell of it."""
        if not books.takes_base:
            size = books.lot.floor(size_base)
            return size, size
        buy, sell = books.buy, books.sell
        buy_most = buy.floor_to_lot(size_base)
        sell_size = sell.floor_to_lot(self._received(buy, buy_most))
        if sell_size <= 0:
            return buy_most, sell_size
        # The least lots that leave enough: about so many, the fee's rounding may ask for one more.
        buy_size = buy.floor_to_lot(self._costs.size_for(buy.venue, Side.BUY, sell_size))
        while self._received(buy, buy_size) < sell_size:
            buy_size += buy.lot_base
        return buy_size, sell_size

    def _received(self, buy: Instrument, size_base: Decimal) -> Decimal:
        fee = self._costs.fee(buy.venue, Side.BUY, size_base=size_base, notional_quote=Decimal(0))
        return EXACT.subtract(size_base, fee.base)

    def _confirmed(self, books: TwoBooks, bought: _Walk, sold: _Walk) -> Confirmed:
        buy, sell = books.buy, books.sell
        fee_buy, fee_sell = self._fee(buy, Side.BUY, bought), self._fee(sell, Side.SELL, sold)
        paid_quote, bought_base = bought.notional_quote, bought.filled_base
        transfer = moved_quote(
            sold.filled_base, paid_quote, bought_base, transfer_bps=self._costs.transfer_bps
        )
        profit = sold.notional_quote - paid_quote - fee_buy.quote - fee_sell.quote - transfer
        left_base = bought_base - fee_buy.base - sold.filled_base
        if left_base:
            profit += carry_quote(left_base, paid_quote, bought_base)
        # Half of the profit above the floor may be given up on each leg.
        floor_ratio = self._rules.floor_ratio
        spare = max(profit - floor_ratio * paid_quote, Decimal(0)) / 2
        affordable = (paid_quote + spare / (books.pays_ratio + floor_ratio)) / bought_base
        buy_limit = self._buy_limit(buy, bought, affordable=affordable)
        affordable = (sold.notional_quote - spare / books.gets_ratio) / sold.filled_base
        sell_limit = self._sell_limit(sell, sold, affordable=affordable)
        legs = (
            _leg(buy, Side.BUY, bought, price_limit=buy_limit, fee=fee_buy),
            _leg(sell, Side.SELL, sold, price_limit=sell_limit, fee=fee_sell),
        )
        edge = EXACT.divide(profit * BPS_PER_UNIT, bought.notional_quote)
        return Confirmed(
            size_base=bought.filled_base,
            legs=legs,
            transfer_quote=transfer,
            profit_quote=profit,
            net_edge_bps=edge.quantize(EDGE_STEP_BPS, ROUND_FLOOR, EXACT),
            touches_taken=bought.touches_taken or sold.touches_taken,
        )

    def _fee(self, instrument: Instrument, side: Side, walk: _Walk) -> Fee:
        return self._costs.fee(
            instrument.venue,
            side,
            size_base=walk.filled_base,
            notional_quote=walk.notional_quote,
        )

    def _buy_limit(self, instrument: Instrument, walk: _Walk, *, affordable: Decimal) -> Decimal:
        slipped = walk.price_worst * (1 + self._rules.slips_ratio)
        widened = instrument.floor_to_tick(min(slipped, affordable))
        return max(instrument.ceil_to_tick(walk.price_worst), widened)

    def _sell_limit(self, instrument: Instrument, walk: _Walk, *, affordable: Decimal) -> Decimal:
        slipped = walk.price_worst * (1 - self._rules.slips_ratio)
        widened = instrument.ceil_to_tick(max(slipped, affordable))
        return min(instrument.floor_to_tick(walk.price_worst), widened)

    def _walk(self, book: int, side: int, size_base: Decimal, *, ignores_taken: bool) -> _Walk:
        instrument = self._board.instruments[book]
        wanted = int(size_base.scaleb(instrument.size_decimals))
        has_taken = not ignores_taken and self._taken.has_any(book)
        left = wanted
        notional_steps = 0
        price = 0
        touches_taken = False
        levels = self._board.side(book, side)
        number_at = levels.item  # a row or a scalar of numpy costs more than what is done with it
        for row in range(len(levels) - 1, -1, -1):
            price_here, available = abs(number_at(row, KEY)), number_at(row, SIZE)
            if has_taken:
                taken = self._taken.steps_at(book, side, price_here)
                touches_taken = touches_taken or taken > 0
                available -= taken
            if available <= 0:
                continue
            take = min(available, left)
            price = price_here
            notional_steps += take * price
            left -= take
            if left == 0:
                break
        decimals = instrument.price_decimals + instrument.size_decimals
        return _Walk(
            filled_base=instrument.size_of(wanted - left),
            notional_quote=Decimal(notional_steps).scaleb(-decimals, EXACT),
            price_worst=instrument.price_of(price),
            touches_taken=touches_taken,
            frame_seq=self._board.state.item(book, FRAME_SEQ),
        )


def _leg(instrument: Instrument, side: Side, walk: _Walk, *, price_limit: Decimal, fee: Fee) -> Leg:
    return Leg(
        instrument=instrument,
        side=side,
        size_base=walk.filled_base,
        price_limit=price_limit,
        notional_quote=walk.notional_quote,
        fee_quote=fee.quote,
        fee_base=fee.base,
        frame_seq=walk.frame_seq,
    )
