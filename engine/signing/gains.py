"""What plans gain by their own amounts, reckoned anew: no total that is told is taken."""

from decimal import Decimal

from engine.domain.plans import AtomicPlan, LeggedPlan, MixedPlan, Plan
from engine.domain.units import BPS_PER_UNIT


def net_edge_bps(plan: Plan) -> Decimal:
    """Return what a plan gains by its own amounts, all costs taken off, of what it begins with."""
    if isinstance(plan, LeggedPlan | MixedPlan):
        first = plan.parts[0]
        taken = first.given + first.fee_given
        ratio = gained_ratio(plan)
        if ratio is None or not taken:
            return Decimal(0)
        gas = plan.gas.quote if isinstance(plan, MixedPlan) else Decimal(0)
        return (ratio - 1 - (plan.transfer_quote + gas) / taken) * BPS_PER_UNIT
    return _of_steps(plan)


def _of_steps(plan: AtomicPlan) -> Decimal:
    first, last = plan.steps[0], plan.steps[-1]
    if not first.amount_in:
        return Decimal(0)
    gain = last.amount_out - first.amount_in - plan.flash_fee - plan.gas.quote
    return gain / first.amount_in * BPS_PER_UNIT


def gained_ratio(plan: LeggedPlan | MixedPlan) -> Decimal | None:
    """Return what a route gives of what it takes, by its own amounts; None if it is no cycle.

    Each part turns what the one before gives at the price that it was walked at, its fee within.
    """
    parts = plan.parts
    ratio, asset = Decimal(1), parts[0].source
    for part in parts:
        if part.source != asset:
            return None
        ratio *= (part.received - part.fee_received) / (part.given + part.fee_given)
        asset = part.target
    return ratio if asset == parts[0].source else None
