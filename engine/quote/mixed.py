"""Confirmation of a mixed route: an exact order for each book, and the exact swaps between them.

Books go by whole lots and ticks and without what earlier trades took, pools in raw units as their
contracts round. The size goes forward through the route; then back, each book cut to the whole lots
that it takes and all before it to the least that gives them.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Final

import msgspec

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.sizing.exact import ExactLeg
from engine.domain.errors import BadValueError
from engine.domain.mixed_routes import custody_changes, pool_run, why_not_mixed
from engine.domain.opportunities import Hop, HopKind, Leg, Opportunity, Reason
from engine.domain.plans import GasBound, RoutePart, Step, Swaps
from engine.domain.units import BPS_PER_UNIT
from engine.market.board import Board
from engine.market.book_leg import OrderBookLeg
from engine.portfolio.costs import EXACT, Costs
from engine.portfolio.settle import expect
from engine.portfolio.taken import Taken
from engine.quote.atomic import AtomicConfirmer, too_dear
from engine.quote.exact_legs import ExactLegs
from engine.quote.gap import EDGE_STEP_BPS, LimitRules, Unconfirmed
from engine.quote.legs import walked_leg
from engine.quote.route import to_raw

_NONE: Final = Decimal(0)


class ConfirmedMixed(msgspec.Struct, frozen=True, kw_only=True):
    """A mixed route at an exact size.

    Attributes:
        size_base: what the first part receives, before its fee.
        legs: orders at books, in the order of the route.
        before: how many of them come before the transaction.
        steps: of the transaction.
        block: the newest block of the chain whose state it rests on, None if they have no numbers.
        transfer_quote: of going from venues to the wallet and back, included in the profit.
        profit_quote: net of fees, of gas as it is expected, and of transfers; may be negative.
        net_edge_bps: relative to what the first part gives before its fee, rounded down.
        touches_taken: whether a book was met from which earlier paper trades took.
    """

    chain: str
    size_base: Decimal
    legs: tuple[Leg, ...]
    before: int
    steps: tuple[Step, ...]
    gas: GasBound
    block: int | None
    transfer_quote: Decimal
    profit_quote: Decimal
    net_edge_bps: Decimal
    touches_taken: bool

    @property
    def why_too_dear(self) -> str:
        """Say why it is not sent if its gas may cost more than it gains; empty if it may not."""
        return too_dear(self.gas, self.profit_quote)

    @property
    def parts(self) -> tuple[RoutePart, ...]:
        """All of the route in its order."""
        swaps = Swaps.of(self.chain, self.steps)
        return (*self.legs[: self.before], swaps, *self.legs[self.before :])


class MixedConfirmer:
    """Confirms routes of books on one board and pools of one chain."""

    def __init__(
        self,
        board: Board,
        costs: Costs,
        taken: Taken,
        pools: Mapping[int, KnownPool],
        *,
        atomic: AtomicConfirmer,
        rules: LimitRules,
    ) -> None:
        self._board = board
        self._costs = costs
        self._taken = taken
        self._atomic = atomic
        self._rules = rules
        self._legs = ExactLegs(board, costs, taken, pools)
        self._untaken_legs = ExactLegs(board, costs, Taken(board), pools)

    def confirm(
        self,
        route: Opportunity,
        size_base: Decimal,
        at_ns: int,
        *,
        ignores_taken: bool = False,
        is_live: bool = False,
    ) -> ConfirmedMixed | Unconfirmed:
        """Return the orders and swaps of a route whose first part receives about `size_base`.

        Args:
            route: of books, and of pools of one chain that stand together.
            size_base: that the first part receives at most, but for what rounding to lots asks.
            at_ns: now: gas is counted at prices as they are.
            ignores_taken: as if earlier paper trades had taken nothing of books: for comparison.
            is_live: its transaction is signed and sent: gas is bound for the last block, with what
                allows the swap its token.
        """
        run = pool_run(route.hops)
        if run is None:
            why = why_not_mixed(route.hops)
            return Unconfirmed(reason=Reason.NOT_CONFIRMED, detail=why)
        gas = self._atomic.gas(route.hops[run.start : run.stop], route.quote, at_ns)
        if isinstance(gas, Unconfirmed):
            return gas
        books = [hop for hop in route.hops if hop.kind is HopKind.BOOK]
        touches_taken = not ignores_taken and any(self._taken.has_any(hop.row) for hop in books)
        source = self._untaken_legs if ignores_taken else self._legs
        try:
            decimals = source.decimals(route.hops)
            legs = [source.leg(hop, decimals) for hop in route.hops]
            paid = Decimal(route.hops[0].amount_in) * size_base / Decimal(route.size_base)
            amounts, swapped = _fit(legs, run, to_raw(float(paid), decimals[route.quote]))
            taking = [*zip(route.hops, legs, amounts, strict=True)]
            orders = self._orders(taking, allow_bps=_NONE)
        except BadValueError as error:
            reason = Reason.LIQUIDITY_TAKEN if touches_taken else Reason.NOT_CONFIRMED
            return Unconfirmed(reason=reason, detail=str(error))
        pools = route.hops[run.start : run.stop]
        chain = pools[0].chain
        steps = self._atomic.steps(pools, swapped, decimals, allow_bps=_NONE)
        expected = expect(
            [*orders[: run.start], Swaps.of(chain, steps), *orders[run.start :]],
            transfer_bps=self._costs.transfer_bps,
            venue_changes=custody_changes(route.hops),
        )
        if is_live:
            gain = expected.profit_quote
            gas = self._atomic.live_gas(gas, pools, route.quote, at_ns, gain=gain, is_swap=True)
            if isinstance(gas, Unconfirmed):
                return gas
        profit = EXACT.subtract(expected.profit_quote, gas.usual_quote)
        edge_bps = EXACT.divide(profit * BPS_PER_UNIT, expected.paid_quote)
        # Each leg and each swap may give up its part of what is above the least edge.
        spare_bps = max(edge_bps - self._rules.edge_bps_floor, _NONE) / len(legs)
        allow_bps = min(self._rules.slippage_bps, spare_bps)
        return ConfirmedMixed(
            chain=chain,
            size_base=expected.received_base,
            legs=self._orders(taking, allow_bps=allow_bps),
            before=run.start,
            steps=self._atomic.steps(pools, swapped, decimals, allow_bps=allow_bps),
            gas=gas,
            block=self._atomic.block(pools),
            transfer_quote=expected.transfer_quote,
            profit_quote=profit,
            net_edge_bps=edge_bps.quantize(EDGE_STEP_BPS, ROUND_FLOOR, EXACT),
            touches_taken=touches_taken,
        )

    def _orders(
        self, taking: Sequence[tuple[Hop, ExactLeg, int]], *, allow_bps: Decimal
    ) -> tuple[Leg, ...]:
        """Return the order of each book, from what it is to spend in raw units."""
        orders = []
        for hop, book, amount in taking:
            if isinstance(book, OrderBookLeg):
                walk = book.walked(amount)
                fee = self._costs.fee(
                    book.instrument.venue,
                    book.side,
                    size_base=walk.size_base,
                    notional_quote=walk.notional_quote,
                )
                orders.append(walked_leg(self._board, hop, book, walk, fee, allow_bps=allow_bps))
        return tuple(orders)


def _fit(legs: Sequence[ExactLeg], run: range, input_raw: int) -> tuple[list[int], list[int]]:
    """Return what each leg spends, and what is there before and after each swap, in raw units.

    Raises:
        BadValueError: it makes too little for a venue's least order on the way.
    """
    amounts = [input_raw]
    for leg in legs[:-1]:
        amounts.append(leg.amount_out(amounts[-1]))
    for number in range(len(legs) - 1, 0, -1):
        leg = legs[number]
        if isinstance(leg, OrderBookLeg):
            amounts[number] = leg.amount_spent(amounts[number])
        amounts[number - 1] = legs[number - 1].amount_in(amounts[number])
    swapped = [amounts[run.start]]
    for number in run:
        swapped.append(legs[number].amount_out(swapped[-1]))
    return amounts, swapped
