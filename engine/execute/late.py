"""What is told of orders after their plan has ended: booked as a correction of its execution.

It is what the plan comes to with all that is known since, less what it came to as known before. So
the sum over an execution and its corrections is the same in whatever order things were told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.domain.exact import exact_product, exact_sum
from engine.domain.orders import Execution, Order, Receipt, Swap, Transaction
from engine.domain.plans import AtomicPlan, LeggedPlan, MixedPlan, Plan
from engine.domain.residuals import residual_changes
from engine.domain.stories import NO_WORTH, Cause, TradeStory
from engine.execute.executor import Late
from engine.execute.finished import Found, differences_of, worth_of
from engine.portfolio.settle import Settlement, settle
from engine.portfolio.settle_mixed import settle_mixed


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFinished:
    """A correction of an execution."""

    plan: Plan
    execution: Execution

    def booked(self, execution: Execution) -> "LateFinished":
        """Return it with the execution as it was booked."""
        return replace(self, execution=execution)

    def story(self, found: Found | None = None) -> TradeStory:
        """Tell what it changed, all by one cause: it was not known when the plan ended."""
        del found
        realised = worth_of(self.plan, self.execution.profit_quote)
        return TradeStory(
            found=NO_WORTH,
            to_sized=(),
            sized=NO_WORTH,
            to_realised=differences_of(NO_WORTH, [(Cause.LATE_FILL, realised)]),
            realised=realised,
            gross=realised,
            fee=NO_WORTH,
            transfer=NO_WORTH,
            orders=(),
        )


def correct(late: Late, *, number: int | str, transfer_bps: Decimal = Decimal(0)) -> LateFinished:
    """Make the correction of an execution that has that number, or is named so."""
    plan = late.plan
    execution_id = f"{plan.plan_id}-x"
    blank = Execution(
        execution_id=f"{execution_id}-late{number}",
        plan_id=plan.plan_id,
        opportunity_id=plan.opportunity.opportunity_id,
        closed_at_ns=late.at_ns,
        orders=(),
        quote=plan.opportunity.quote,
        profit_quote=Decimal(0),
        profit_usd=Decimal(0),
        expected_usd=Decimal(0),
        corrects=execution_id,
    )
    if isinstance(plan, AtomicPlan):
        execution = _correct_transaction(blank, late)
    else:
        execution = _correct_legs(blank, plan, late, transfer_bps)
    usd = exact_product(execution.profit_quote, plan.usd_per_quote)
    return LateFinished(plan=plan, execution=replace(execution, profit_usd=usd))


def _correct_legs(
    blank: Execution, plan: LeggedPlan | MixedPlan, late: Late, transfer_bps: Decimal
) -> Execution:
    known, since = _orders(late.before), _orders(late.orders)
    was, now = (_settled(plan, sendables, transfer_bps) for sendables in (late.before, late.orders))
    transaction, before = _transaction(late.orders), _transaction(late.before)
    return replace(
        blank,
        orders=tuple(
            replace(new, fills=new.fills[len(old.fills) :])
            for old, new in zip(known, since, strict=True)
            if len(new.fills) > len(old.fills)
        ),
        transaction=None if transaction == before else _changed(before, transaction),
        profit_quote=exact_sum((now.profit_quote, -was.profit_quote)),
        residuals=residual_changes(was.residuals, now.residuals),
    )


def _settled(
    plan: LeggedPlan | MixedPlan, sendables: Sequence[object], transfer_bps: Decimal
) -> Settlement:
    orders = _orders(sendables)
    if isinstance(plan, MixedPlan):
        return settle_mixed(plan, orders, _transaction(sendables), transfer_bps=transfer_bps)
    return settle(plan, orders, transfer_bps=transfer_bps)


def _changed(was: Transaction | None, now: Transaction | None) -> Transaction | None:
    """Return a transaction with what its receipt, or that there is none, changed of what counted.

    The first receipt is one whole.
    """
    if was is None or now is None or was.receipt is None:
        return now
    return replace(now, receipt=_since(was, now))


def _correct_transaction(blank: Execution, late: Late) -> Execution:
    (was,) = (one for one in late.before if isinstance(one, Transaction))
    (now,) = (one for one in late.orders if isinstance(one, Transaction))
    transaction = _changed(was, now)
    assert transaction is not None
    assert transaction.receipt is not None
    profit = exact_sum((transaction.gain, -transaction.receipt.gas_quote))
    return replace(blank, transaction=transaction, profit_quote=profit)


def _since(was: Transaction, now: Transaction) -> Receipt:
    """Return what another receipt, or that there is none any more, changed of what was counted."""
    before, after = was.receipt, now.receipt
    assert before is not None
    shown = after or before
    both = (Decimal(0), Decimal(0)) if after is None else (after.gas, after.gas_quote)
    return Receipt(
        why="" if after is None else after.why,
        swaps=_swaps_since(before, after, change=exact_sum((now.gain, -was.gain))),
        flash_fee=Decimal(0),
        gas_asset=shown.gas_asset,
        gas=exact_sum((both[0], -before.gas)),
        gas_quote=exact_sum((both[1], -before.gas_quote)),
        landed_at_ns=shown.landed_at_ns,
        block=shown.block,
        tip=exact_sum((Decimal(0) if after is None else after.tip, -before.tip)),
    )


def _swaps_since(before: Receipt, after: Receipt | None, *, change: Decimal) -> tuple[Swap, ...]:
    """Return as one swap what all of them turn more than they did, or less.

    Of a cycle that is the route's asset for itself, by `change`: what was gained more, or less.
    """
    now = () if after is None else after.swaps
    swaps = before.swaps or now
    if not swaps:
        return ()
    first, last = swaps[0], swaps[-1]
    if first.source == last.target:
        took, gave = max(-change, Decimal(0)), max(change, Decimal(0))
    else:
        took = exact_sum((_taken(now), -_taken(before.swaps)))
        gave = exact_sum((_given(now), -_given(before.swaps)))
    if not (took or gave):
        return ()
    return (replace(first, target=last.target, amount_in=took, amount_out=gave),)


def _taken(swaps: Sequence[Swap]) -> Decimal:
    return swaps[0].amount_in if swaps else Decimal(0)


def _given(swaps: Sequence[Swap]) -> Decimal:
    return swaps[-1].amount_out if swaps else Decimal(0)


def _orders(sendables: Sequence[object]) -> list[Order]:
    return [one for one in sendables if isinstance(one, Order)]


def _transaction(sendables: Sequence[object]) -> Transaction | None:
    return next((one for one in sendables if isinstance(one, Transaction)), None)
