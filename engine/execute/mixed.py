"""The way of mixed plans: one part, then the other by what the first came to, then the rest.

A transaction that goes first and does not land ends the plan: no order was sent. Where orders go
first, one that does not land leaves them to be unwound. What then is left over or owed is closed at
the books alone, each asset at the order that stands between it and an end of the route: what went
through a pool is not brought back through it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_sum
from engine.domain.orders import Sendable, Transaction, changes_by_asset
from engine.domain.plans import MixedPlan, Part
from engine.execute.book_executor import Books, LegOrder, Swaps, orders_of
from engine.execute.mixed_sizing import input_after, orders_after
from engine.execute.unwinding import Unwinding, close, other_side

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class MixedWay:
    """See `book_executor.Way`."""

    def first(self, plan: MixedPlan) -> Iterable[LegOrder | Swaps]:
        """The part that is less likely to come through, as the plan says."""
        if plan.first is Part.TRANSACTION:
            return [Swaps()]
        return [LegOrder(number, leg.size_base) for number, leg in enumerate(plan.legs)]

    def following(
        self, plan: MixedPlan, sendables: Sequence[Sendable]
    ) -> Iterable[LegOrder | Swaps]:
        """The other part, sized by what the first came to."""
        if plan.first is Part.ORDERS:
            amount = input_after(plan, orders_of(sendables))
            return [] if amount is None else [Swaps(amount)]
        (transaction,) = (one for one in sendables if isinstance(one, Transaction))
        return [LegOrder(number, size) for number, size in orders_after(plan, transaction)]

    def closing(
        self, plan: MixedPlan, sendables: Sequence[Sendable], books: Books, at_ns: int
    ) -> Unwinding | None:
        """Before the transaction by the order that received it, behind it by the one that gives it.

        Between it and the end of the route there is no pool.
        """
        for number, part in enumerate(plan.parts[:-1]):
            excess = left_over(part.target, sendables)
            if not excess:
                continue
            own = plan.legs[number].side
            is_back = (excess > 0) == (number < plan.before)
            side = other_side(own) if is_back else own
            found = close(
                plan,
                number,
                side,
                Amount(abs(excess), part.target),
                quotes=books.quotes,
                costs=books.costs,
                rules=books.rules,
                at_ns=at_ns,
            )
            if found is not None:
                return found
        return None


def left_over(asset: AssetCode, sendables: Sequence[Sendable]) -> Decimal:
    """Return what orders and a transaction changed of an asset in all, gas apart."""
    orders = orders_of(sendables)
    turned = [one.turned for one in sendables if isinstance(one, Transaction)]
    swapped = [amount for one in turned for of, amount in one if of == asset]
    return exact_sum((changes_by_asset(orders).get(asset, _ZERO), *swapped))
