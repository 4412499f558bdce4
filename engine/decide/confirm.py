"""Confirmation: the exact re-check of a screened gap between two books in whole numbers.

Both books are walked again, without what earlier paper trades have taken, at a size that both
venues accept. Fees and transfer cost are rounded up; profit and edge are therefore never above
what the walk is worth.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument
from engine.domain.opportunities import Leg, Opportunity, Reason, Side
from engine.kernels.layout import ASK, BID, FRAME_SEQ, KEY, SIZE
from engine.market.board import Board
from engine.portfolio.costs import BPS_PER_UNIT, EXACT, Costs, ceil_share_quote
from engine.portfolio.taken import Taken

EDGE_STEP_BPS = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRules:
    """How far a leg's limit price may lie behind the worst price walked.

    Attributes:
        slippage_bps: at most so far.
        edge_bps_floor: and never so far that the widening could bring the net edge of the route
            below this. The worst price walked is always allowed.
    """

    slippage_bps: Decimal
    edge_bps_floor: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if not 0 <= self.slippage_bps < BPS_PER_UNIT:
            raise BadValueError(
                f"slippage is {self.slippage_bps} bps; it must be 0 or more and below "
                f"{BPS_PER_UNIT}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """An opportunity at an exact size.

    Attributes:
        legs: the buy leg and the sell leg.
        profit_quote: net of fees and transfer cost; may be negative.
        net_edge_bps: relative to the buy notional, rounded down.
        touches_taken: whether the walk met liquidity that earlier paper trades took.
    """

    size_base: Decimal
    legs: tuple[Leg, Leg]
    transfer_quote: Decimal
    profit_quote: Decimal
    net_edge_bps: Decimal
    touches_taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """No exact size exists: the reason and the numbers."""

    reason: Reason
    detail: str


@dataclass(slots=True, kw_only=True)
class _Walk:
    filled_base: Decimal
    notional_quote: Decimal
    price_worst: Decimal
    touches_taken: bool


class Confirmer:
    """Confirms opportunities on one board."""

    def __init__(self, board: Board, costs: Costs, taken: Taken, rules: LimitRules) -> None:
        self._board = board
        self._costs = costs
        self._taken = taken
        self._rules = rules
        self._lots: dict[tuple[int, int], CommonLot] = {}

    def confirm(self, opportunity: Opportunity, size_base: Decimal) -> Confirmed | Unconfirmed:
        """Walk both books of a gap at `size_base`, rounded down to what both venues accept."""
        buy, sell = self._instruments(opportunity)
        rows = opportunity.hops[0].row, opportunity.hops[1].row
        lot = self._lots.get(rows)
        if lot is None:
            lot = self._lots[rows] = CommonLot.of(buy, sell)
        size = lot.floor(size_base)
        size_min = max(buy.size_min_base, sell.size_min_base)
        if size <= 0 or size < size_min:
            return Unconfirmed(
                reason=Reason.SIZE_BELOW_MIN,
                detail=f"size {size:f} {buy.pair.base}, least size {size_min:f}",
            )
        bought = self._walk(opportunity.hops[0].row, ASK, size)
        sold = self._walk(opportunity.hops[1].row, BID, size)
        touches_taken = bought.touches_taken or sold.touches_taken
        depth = min(bought.filled_base, sold.filled_base)
        if depth < size:
            return Unconfirmed(
                reason=Reason.LIQUIDITY_TAKEN if touches_taken else Reason.NOT_CONFIRMED,
                detail=f"{depth:f} of {size:f} {buy.pair.base} is there",
            )
        for instrument, walk in ((buy, bought), (sell, sold)):
            if walk.notional_quote < instrument.notional_min_quote:
                return Unconfirmed(
                    reason=Reason.SIZE_BELOW_MIN,
                    detail=f"notional {walk.notional_quote:f} {buy.pair.quote} at "
                    f"{instrument.venue}, least notional {instrument.notional_min_quote:f}",
                )
        return self._confirmed(opportunity, size, bought, sold)

    def _instruments(self, gap: Opportunity) -> tuple[Instrument, Instrument]:
        buy, sell = (self._board.instruments[hop.row] for hop in gap.hops)
        return buy, sell

    def _confirmed(
        self, opportunity: Opportunity, size: Decimal, bought: _Walk, sold: _Walk
    ) -> Confirmed:
        buy, sell = self._instruments(opportunity)
        fee_bps_buy = self._costs.fee_bps(buy.venue)
        fee_bps_sell = self._costs.fee_bps(sell.venue)
        transfer_bps = self._costs.transfer_bps
        fee_buy = ceil_share_quote(bought.notional_quote, fee_bps_buy)
        fee_sell = ceil_share_quote(sold.notional_quote, fee_bps_sell)
        transfer = ceil_share_quote(bought.notional_quote, transfer_bps)
        profit = sold.notional_quote - bought.notional_quote - fee_buy - fee_sell - transfer
        # Half of the profit above the floor may be given up on each leg.
        floor_share = self._rules.edge_bps_floor / BPS_PER_UNIT
        spare = max(profit - floor_share * bought.notional_quote, Decimal(0)) / 2
        pays_ratio = 1 + (fee_bps_buy + transfer_bps) / BPS_PER_UNIT + floor_share
        gets_ratio = 1 - fee_bps_sell / BPS_PER_UNIT
        buy_limit = self._buy_limit(
            buy, bought, affordable=(bought.notional_quote + spare / pays_ratio) / size
        )
        sell_limit = self._sell_limit(
            sell, sold, affordable=(sold.notional_quote - spare / gets_ratio) / size
        )
        legs = (
            self._leg(
                opportunity.hops[0].row, Side.BUY, bought, price_limit=buy_limit, fee_quote=fee_buy
            ),
            self._leg(
                opportunity.hops[1].row, Side.SELL, sold, price_limit=sell_limit, fee_quote=fee_sell
            ),
        )
        edge = EXACT.divide(profit * BPS_PER_UNIT, bought.notional_quote)
        return Confirmed(
            size_base=size,
            legs=legs,
            transfer_quote=transfer,
            profit_quote=profit,
            net_edge_bps=edge.quantize(EDGE_STEP_BPS, ROUND_FLOOR, EXACT),
            touches_taken=bought.touches_taken or sold.touches_taken,
        )

    def _leg(
        self, book: int, side: Side, walk: _Walk, *, price_limit: Decimal, fee_quote: Decimal
    ) -> Leg:
        return Leg(
            instrument=self._board.instruments[book],
            side=side,
            size_base=walk.filled_base,
            price_limit=price_limit,
            notional_quote=walk.notional_quote,
            fee_quote=fee_quote,
            frame_seq=int(self._board.state[book, FRAME_SEQ]),
        )

    def _buy_limit(self, instrument: Instrument, walk: _Walk, *, affordable: Decimal) -> Decimal:
        slipped = walk.price_worst * (1 + self._rules.slippage_bps / BPS_PER_UNIT)
        widened = instrument.floor_to_tick(min(slipped, affordable))
        return max(instrument.ceil_to_tick(walk.price_worst), widened)

    def _sell_limit(self, instrument: Instrument, walk: _Walk, *, affordable: Decimal) -> Decimal:
        slipped = walk.price_worst * (1 - self._rules.slippage_bps / BPS_PER_UNIT)
        widened = instrument.ceil_to_tick(max(slipped, affordable))
        return min(instrument.floor_to_tick(walk.price_worst), widened)

    def _walk(self, book: int, side: int, size_base: Decimal) -> _Walk:
        instrument = self._board.instruments[book]
        wanted = int(size_base.scaleb(instrument.size_decimals))
        has_taken = self._taken.has_any(book)
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
        )


@dataclass(frozen=True, slots=True)
class CommonLot:
    """The least size that is whole in lots of two instruments, in steps of 10^-decimals."""

    steps: int
    decimals: int

    @classmethod
    def of(cls, first: Instrument, second: Instrument) -> "CommonLot":
        """Work it out."""
        decimals = max(first.size_decimals, second.size_decimals)
        lots = [int(one.lot_base.scaleb(decimals)) for one in (first, second)]
        return cls(math.lcm(*lots), decimals)

    def floor(self, size_base: Decimal) -> Decimal:
        """Round a size down to a whole number of it."""
        steps = int(size_base.scaleb(self.decimals).to_integral_value(ROUND_FLOOR))
        return Decimal(steps // self.steps * self.steps).scaleb(-self.decimals)
