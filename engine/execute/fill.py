"""Fills an immediate-or-cancel limit order against the board as it is.

The fee is rounded up once for the whole order, as it was decided on, and shared among its fills.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from engine.domain.instruments import Instrument
from engine.domain.opportunities import Side
from engine.domain.orders import Fill, Order, OrderState
from engine.execute.traded import NOTHING, Met, Traded
from engine.kernels.layout import ASK, BID, FRAME_SEQ, KEY, SIZE
from engine.market.board import Board
from engine.portfolio.costs import EXACT, Costs, Fee
from engine.portfolio.taken import Share, Taken


class PaperVenue:
    """All venues, as far as paper orders reach them."""

    def __init__(self, board: Board, costs: Costs, taken: Taken, *, age_ns_max: int) -> None:
        self._board = board
        self._costs = costs
        self._taken = taken
        self._age_ns_max = age_ns_max

    def row_of(self, instrument: Instrument) -> int | None:
        """Return the row of an instrument's book, the newest of several; None if there is none."""
        found = None
        for row, one in enumerate(self._board.instruments):
            if (one.venue, one.wire_name) == (instrument.venue, instrument.wire_name):
                found = row
        return found

    def fill(self, order: Order, book: int) -> Order:
        """Fill an order that arrives now (`arrives_at_ns`); a stale book fills nothing."""
        fills: tuple[Fill, ...] = ()
        if self._board.is_fresh(book, at_ns=order.arrives_at_ns, age_ns_max=self._age_ns_max):
            fills = tuple(fill for fill, _ in self._walk(order, book))
        filled = sum(fill.size_base for fill in fills)
        state = OrderState.FILLED if filled == order.size_base else OrderState.EXPIRED
        return replace(order, state=state, fills=fills)

    def expect(self, order: Order, book: int) -> tuple[Share, ...]:
        """Remember what a real order will take of a book, until the venue shows it there.

        So nothing is planned on it a second time meanwhile. Returns what is to be given back if it
        takes nothing.
        """
        return tuple(share for _, share in self._walk(order, book))

    def give_back(self, shares: tuple[Share, ...]) -> None:
        """Forget what an order was expected to take, as it ended without a fill."""
        for share in shares:
            self._taken.give_back(share)

    def taken_on(self, order: Order, book: int) -> dict[int, int]:
        """Return what other trades have taken of what an order would meet, by price."""
        return self._taken.of_side(book, ASK if order.side is Side.BUY else BID)

    def meet(self, order: Order, book: int, taken_before: Mapping[int, int]) -> Met:
        """Say what an order meets that arrives now; to be called before it is filled.

        Args:
            order: that arrives.
            book: where.
            taken_before: what was taken when it was sent.
        """
        if not self._board.is_fresh(book, at_ns=order.arrives_at_ns, age_ns_max=self._age_ns_max):
            return Met(is_live=False, untaken=NOTHING, there=NOTHING)
        taken = self.taken_on(order, book)
        there = self._there(order, book, taken)
        before = {price: min(steps, taken_before.get(price, 0)) for price, steps in taken.items()}
        untaken = there if before == taken else self._there(order, book, before)
        return Met(is_live=True, untaken=untaken, there=there)

    def _there(self, order: Order, book: int, taken: Mapping[int, int]) -> Traded:
        instrument = order.instrument
        side = ASK if order.side is Side.BUY else BID
        wanted = left = int(order.size_base.scaleb(instrument.size_decimals))
        notional_steps = 0
        for level in self._board.side(book, side)[::-1]:
            price = abs(int(level[KEY]))
            take = min(int(level[SIZE]) - taken.get(price, 0), left)
            if take > 0:
                notional_steps += take * price
                left -= take
            if left == 0:
                break
        decimals = instrument.price_decimals + instrument.size_decimals
        return Traded(
            base=instrument.size_of(wanted - left),
            quote=Decimal(notional_steps).scaleb(-decimals, EXACT),
        )

    def _walk(self, order: Order, book: int) -> list[tuple[Fill, Share]]:
        instrument = order.instrument
        side = ASK if order.side is Side.BUY else BID
        frame_seq = int(self._board.state[book, FRAME_SEQ])
        left = int(order.size_base.scaleb(instrument.size_decimals))
        size_sum = notional_sum = Decimal(0)
        charged = Fee()
        fills: list[tuple[Fill, Share]] = []
        for level in self._board.side(book, side)[::-1]:
            price_steps, rests = abs(int(level[KEY])), int(level[SIZE])
            price = instrument.price_of(price_steps)
            is_beyond = price > order.price_limit if side == ASK else price < order.price_limit
            if left == 0 or is_beyond:
                break
            take = min(rests - self._taken.steps_at(book, side, price_steps), left)
            if take <= 0:
                continue
            share = self._taken.take(book, side, price_steps, take)
            left -= take
            size = instrument.size_of(take)
            size_sum = EXACT.add(size_sum, size)
            notional_sum = EXACT.add(notional_sum, EXACT.multiply(price, size))
            fee = self._costs.fee(
                instrument.venue, order.side, size_base=size_sum, notional_quote=notional_sum
            )
            fill = Fill(
                fill_id=f"{order.client_order_id}-f{len(fills) + 1}",
                client_order_id=order.client_order_id,
                filled_at_ns=order.arrives_at_ns,
                price=price,
                size_base=size,
                fee_quote=EXACT.subtract(fee.quote, charged.quote),
                fee_base=EXACT.subtract(fee.base, charged.base),
                frame_seq=frame_seq,
            )
            fills.append((fill, share))
            charged = fee
        return fills

    def best_price(self, book: int, side: Side, at_ns: int) -> Decimal | None:
        """Return the best price that an order of this side would meet, None if stale."""
        if not self._board.is_fresh(book, at_ns=at_ns, age_ns_max=self._age_ns_max):
            return None
        best = self._board.best(book, ASK if side is Side.BUY else BID)
        return None if best is None else self._board.instruments[book].price_of(best[0])
