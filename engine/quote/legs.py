"""Confirmation of a route of any number of books: an exact order for each leg.

The size goes forward through the legs, each in whole lots of what the one before gives; then back,
each cut to the least that the one after it takes. So no leg buys what the next cannot use but for
what makes no lot. A gap between two books has a faster way of its own (`confirm`).
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from engine.domain.errors import BadValueError
from engine.domain.instruments import Instrument, VenueId
from engine.domain.opportunities import Hop, Leg, Opportunity, Reason, Side
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.layout import FRAME_SEQ
from engine.market.board import Board
from engine.market.book_leg import OrderBookLeg, Walked
from engine.portfolio.costs import EXACT, Costs, Fee
from engine.portfolio.settle import expect
from engine.portfolio.taken import Taken
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import EDGE_STEP_BPS, Confirmed, Confirmer, LimitRules, Unconfirmed
from engine.quote.route import to_raw

_NONE: Final = Decimal(0)


class LegsConfirmer:
    """Confirms routes of books on one board.

    Attributes:
        rules: of the prices of orders; they may change between two inputs.
    """

    def __init__(self, board: Board, costs: Costs, taken: Taken, rules: LimitRules) -> None:
        self._board = board
        self._costs = costs
        self._taken = taken
        self.rules = rules
        self._gaps = Confirmer(board, costs, taken, rules)
        self._legs = ExactLegs(board, costs, taken, {})
        self._untaken_legs = ExactLegs(board, costs, Taken(board), {})

    def take_fees(self, venues: Sequence[VenueId]) -> None:
        """Learn that venues have another fee."""
        self._gaps.take_fees(venues)

    def confirm(
        self, opportunity: Opportunity, size_base: Decimal, *, ignores_taken: bool = False
    ) -> Confirmed | Unconfirmed:
        """Return the orders of a route whose first leg receives about `size_base`.

        Args:
            opportunity: a route of books alone.
            size_base: that the first leg receives at most, but for what rounding to lots asks.
            ignores_taken: as if earlier paper trades had taken nothing: for comparison only.
        """
        if opportunity.is_gap:
            return self._gaps.confirm(opportunity, size_base, ignores_taken=ignores_taken)
        source = self._untaken_legs if ignores_taken else self._legs
        touches_taken = not ignores_taken and any(
            self._taken.has_any(hop.row) for hop in opportunity.hops
        )
        try:
            decimals = source.decimals(opportunity.hops)
            books = [source.book_leg(hop, decimals) for hop in opportunity.hops]
            first = opportunity.hops[0]
            paid = Decimal(first.amount_in) * size_base / Decimal(opportunity.size_base)
            amounts = _fit(books, to_raw(float(paid), decimals[opportunity.quote]))
            walks = [book.walked(amount) for book, amount in zip(books, amounts, strict=True)]
        except BadValueError as error:
            reason = Reason.LIQUIDITY_TAKEN if touches_taken else Reason.NOT_CONFIRMED
            return Unconfirmed(reason=reason, detail=str(error))
        fees = [
            self._costs.fee(
                book.instrument.venue,
                book.side,
                size_base=walk.size_base,
                notional_quote=walk.notional_quote,
            )
            for book, walk in zip(books, walks, strict=True)
        ]
        expected = expect(
            [
                walked_leg(self._board, *one, allow_bps=_NONE)
                for one in zip(opportunity.hops, books, walks, fees, strict=True)
            ],
            transfer_bps=self._costs.transfer_bps,
            venue_changes=opportunity.venue_changes,
        )
        edge_bps = EXACT.divide(expected.profit_quote * BPS_PER_UNIT, expected.paid_quote)
        # Each leg may give up its part of what is above the least edge.
        spare_bps = max(edge_bps - self.rules.edge_bps_floor, _NONE) / len(books)
        allow_bps = min(self.rules.slippage_bps, spare_bps)
        return Confirmed(
            size_base=expected.received_base,
            legs=tuple(
                walked_leg(self._board, *one, allow_bps=allow_bps)
                for one in zip(opportunity.hops, books, walks, fees, strict=True)
            ),
            transfer_quote=expected.transfer_quote,
            profit_quote=expected.profit_quote,
            net_edge_bps=edge_bps.quantize(EDGE_STEP_BPS, ROUND_FLOOR, EXACT),
            touches_taken=touches_taken,
        )


def walked_leg(
    board: Board, hop: Hop, book: OrderBookLeg, walk: Walked, fee: Fee, *, allow_bps: Decimal
) -> Leg:
    """Return the order of a walk through a book, whose price may be worse by so much."""
    return Leg(
        instrument=book.instrument,
        side=book.side,
        size_base=walk.size_base,
        price_limit=_limit(book.instrument, book.side, walk.price_worst, allow_bps),
        notional_quote=walk.notional_quote,
        fee_quote=fee.quote,
        fee_base=fee.base,
        frame_seq=int(board.state[hop.row, FRAME_SEQ]),
    )


def _fit(books: Sequence[OrderBookLeg], input_raw: int) -> list[int]:
    """Return what each leg spends, in raw units of its source.

    Raises:
        BadValueError: it makes too little for a venue's least order on the way.
    """
    amounts = [input_raw]
    for book in books[:-1]:
        amounts.append(book.amount_out(amounts[-1]))
    for number in range(len(books) - 1, 0, -1):
        amounts[number] = books[number].amount_spent(amounts[number])
        amounts[number - 1] = books[number - 1].amount_in(amounts[number])
    return amounts


def _limit(instrument: Instrument, side: Side, worst: Decimal, allow_bps: Decimal) -> Decimal:
    """Return the worst price walked, widened as far as is allowed, on a tick."""
    share = allow_bps / BPS_PER_UNIT
    if side is Side.BUY:
        widened = instrument.floor_to_tick(worst * (1 + share))
        return max(instrument.ceil_to_tick(worst), widened)
    widened = instrument.ceil_to_tick(worst * (1 - share))
    return min(instrument.floor_to_tick(worst), widened)
