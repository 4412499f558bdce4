"""What closing a leftover would come to now: the order that unwinds, against its book as it is.

It reckons as an unwinding does that is under way, and changes nothing: no level counts as taken.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from engine.decide.closing import Reckoned
from engine.domain.assets import Amount
from engine.domain.exact import exact_product, exact_sum
from engine.domain.opportunities import Leg, Side
from engine.domain.orders import Order, OrderState, Purpose
from engine.domain.residuals import Residual
from engine.execute.fill import PaperVenue
from engine.execute.unwinding import UnwindRules, is_order, size_and_limit
from engine.market.board import Board
from engine.portfolio.costs import EXACT, Costs, floor_to_quote_step
from engine.portfolio.taken import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """An order that closes, with the fills that it would have now.

    Attributes:
        realised: what these gain against what the leftover was filled for, after the fee, in the
            asset that it was traded against.
        reckoned: as much of it as the book has, as an order of that size; None if that is none.
    """

    order: Order
    realised: Decimal
    reckoned: Reckoned | None


def reckon_closing(
    left: Residual,
    board: Board,
    *,
    costs: Costs,
    rules: UnwindRules,
    age_ns_max: int,
    at_ns: int,
    most_quote: Decimal | None = None,
) -> Closing | str:
    """Return what closes a leftover at its own venue, or in words why nothing does now.

    Args:
        left: the leftover.
        board: the books as they are.
        costs: with whose fees it is reckoned.
        rules: how far behind the best price it may go.
        age_ns_max: of a book that is live.
        at_ns: now.
        most_quote: that one order may turn at the best price; None for any.
    """
    found = _book_of(left, board)
    if found is None:
        return f"{left.venue} has no book of {left.held.asset}-{left.carry.asset} here"
    instrument = board.instruments[found]
    side = Side.SELL if left.held.value > 0 else Side.BUY
    venue = PaperVenue(board, costs, Taken(board), age_ns_max=age_ns_max)
    best = venue.best_price(found, side, at_ns)
    if best is None:
        return "its book is not live"
    base = abs(left.held.value)
    if most_quote is not None:
        base = min(base, EXACT.divide(most_quote, best))
    excess = Amount(base, left.held.asset)
    wanted = size_and_limit(instrument, side, excess, best=best, costs=costs, rules=rules)
    if wanted is None:
        return "the venue takes no order so small"
    sent = Order(
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
    )
    order = part = venue.fill(sent, found)
    size = instrument.floor_to_lot(order.filled_base)
    if size != order.size_base:
        if not is_order(instrument, size, sent.price_limit):
            return Closing(order=order, realised=_realised(left, order), reckoned=None)
        untaken = PaperVenue(board, costs, Taken(board), age_ns_max=age_ns_max)
        part = untaken.fill(replace(sent, size_base=size), found)
    return Closing(
        order=order,
        realised=_realised(left, order),
        reckoned=_reckoned(left, part, found),
    )


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


def _reckoned(left: Residual, order: Order, book: int) -> Reckoned:
    return Reckoned(
        left=left,
        leg=Leg(
            instrument=order.instrument,
            side=order.side,
            size_base=order.size_base,
            price_limit=order.price_limit,
            notional_quote=order.notional_quote,
            fee_quote=exact_sum(one.fee_quote for one in order.fills),
            fee_base=exact_sum(one.fee_base for one in order.fills),
            frame_seq=order.fills[0].frame_seq,
        ),
        row=book,
        profit_quote=floor_to_quote_step(_realised(left, order)),
    )


def _realised(left: Residual, order: Order) -> Decimal:
    """What came in, less the part of the carry that belongs to what was closed."""
    closed = exact_product(left.carry.value, -order.base_change)
    return exact_sum((order.cash_quote, -EXACT.divide(closed, left.held.value)))
