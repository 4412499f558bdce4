"""What closing a leftover would come to now: the order that unwinds, against its book as it is.

It reckons as an unwinding does that is under way, and changes nothing: no level counts as taken.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.domain.assets import Amount
from engine.domain.exact import exact_product, exact_sum
from engine.domain.opportunities import Side
from engine.domain.orders import Order, OrderState, Purpose
from engine.domain.residuals import Residual
from engine.execute.fill import PaperVenue
from engine.execute.unwinding import UnwindRules, size_and_limit
from engine.market.board import Board
from engine.portfolio.costs import EXACT, Costs
from engine.portfolio.taken import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An order that closes, with the fills that it would have now.

    Attributes:
        realised: what these gain against what the leftover was filled for, after the fee, in the
            asset that it was traded against.
    """

    order: Order
    realised: Decimal


def reckon_closing(
    left: Residual, board: Board, *, costs: Costs, rules: UnwindRules, age_ns_max: int, at_ns: int
) -> Closing | str:
    """Return what closes a leftover at its own venue, or in words why nothing does now."""
    found = _book_of(left, board)
    if found is None:
        return f"{left.venue} has no book of {left.held.asset}-{left.carry.asset} here"
    instrument = board.instruments[found]
    side = Side.SELL if left.held.value > 0 else Side.BUY
    venue = PaperVenue(board, costs, Taken(board), age_ns_max=age_ns_max)
    best = venue.best_price(found, side, at_ns)
    if best is None:
        return "its book is not live"
    excess = Amount(abs(left.held.value), left.held.asset)
    wanted = size_and_limit(instrument, side, excess, best=best, costs=costs, rules=rules)
    if wanted is None:
        return "the venue takes no order so small"
    order = venue.fill(
        Order(
            client_order_id="closing",
            plan_id="closing",
            purpose=Purpose.UNWIND,
            instrument=instrument,
            side=side,
            size_base=wanted[0],
            price_limit=wanted[1],
            sent_at_ns=at_ns,
            arrives_at_ns=at_ns,
            state=OrderState.SENT,
        ),
        found,
    )
    return Closing(order=order, realised=_realised(left, order))


def _book_of(left: Residual, board: Board) -> int | None:
    return next(
        (
            book
            for book, one in enumerate(board.instruments)
            if one.venue == left.venue
            and (one.pair.base, one.pair.quote) == (left.held.asset, left.carry.asset)
        ),
        None,
    )


def _realised(left: Residual, order: Order) -> Decimal:
    """What came in, less the part of the carry that belongs to what was closed."""
    closed = exact_product(left.carry.value, -order.base_change)
    return exact_sum((order.cash_quote, -EXACT.divide(closed, left.held.value)))
