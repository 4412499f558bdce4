"""What an approval of a plan allows: its terms are bounds, and a plan of now is cut to them."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

import msgspec

from engine.domain.opportunities import Leg, Side
from engine.domain.plans import AtomicPlan, GasBound, LeggedPlan, MixedPlan, Plan
from engine.portfolio.costs import EXACT, QUOTE_STEP

_RATIO: Final = Context(prec=28, rounding=ROUND_CEILING)
_RATIO_OUT: Final = Context(prec=100, rounding=ROUND_CEILING)
_NONE: Final = Decimal(0)


def worst_quote(plan: Plan) -> Decimal:
    """Return the profit if everything goes as badly as the plan's bounds allow, rounded down.

    Of legs: each fills whole at its limit price. Of a transaction: its last step gives the least,
    and it pays all of its gas. Of both the same; that one comes to its end and the other does not
    is no part of it, as it is none of legs.
    """
    if isinstance(plan, AtomicPlan):
        gain = EXACT.subtract(plan.steps[-1].amount_out_min, plan.steps[0].amount_in)
        return EXACT.subtract(EXACT.subtract(gain, plan.flash_fee), plan.gas.quote)
    parts = plan.parts if isinstance(plan, MixedPlan) else plan.legs
    first, last = parts[0], parts[-1]
    # What a leg loses is a share of about what the route carries; with it goes its fee.
    carried = max(first.given, last.received)
    lost_ratio = sum((_lost_ratio(leg) for leg in plan.legs), _NONE)
    if isinstance(plan, MixedPlan):
        end = plan.steps[-1]
        lost_ratio += _RATIO.divide(end.amount_out - end.amount_out_min, end.amount_out)
    lost = carried * lost_ratio
    if isinstance(plan, MixedPlan):
        # What its gas may cost beyond what is expected is not in its profit.
        lost += plan.gas.quote - plan.gas.usual_quote
    return EXACT.subtract(plan.profit_quote, lost).quantize(QUOTE_STEP, ROUND_FLOOR, EXACT)


def _lost_ratio(leg: Leg) -> Decimal:
    """Return what share of its worth a leg loses at its limit price, at most."""
    at_limit = EXACT.multiply(leg.size_base, leg.price_limit)
    fee_ratio = _RATIO.divide(leg.fee_quote, leg.notional_quote)
    behind_ratio = _RATIO.divide(abs(at_limit - leg.notional_quote), leg.notional_quote)
    return behind_ratio * (1 + fee_ratio)


def cut_to_terms(plan: Plan, terms: Plan, *, worst: Decimal) -> Plan | str:
    """Return the plan of now with no bound looser than the terms, or why it is not within them.

    Args:
        plan: the same route as it is now.
        terms: what was approved.
        worst: least profit that was approved.
    """
    if type(plan) is not type(terms) or plan.opportunity.hops != terms.opportunity.hops:
        return "it is another route"
    if plan.profit_quote < worst:
        return f"it gives {plan.profit_quote:f}, approved was {worst:f} at the least"
    if isinstance(plan, AtomicPlan):
        assert isinstance(terms, AtomicPlan)
        return _cut_atomic(plan, terms)
    if isinstance(plan, MixedPlan):
        assert isinstance(terms, MixedPlan)
        return _cut_mixed(plan, terms)
    assert isinstance(terms, LeggedPlan)
    legs = _cut_legs(plan.legs, terms.legs)
    return legs if isinstance(legs, str) else msgspec.structs.replace(plan, legs=legs)


def _cut_mixed(plan: MixedPlan, terms: MixedPlan) -> MixedPlan | str:
    legs = _cut_legs(plan.legs, terms.legs)
    if isinstance(legs, str):
        return legs
    if plan.before != terms.before or _pools(plan) != _pools(terms):
        return "it is another transaction"
    gas = _cut_gas(plan.gas, terms.gas)
    if gas is None:
        return f"gas is {plan.gas.amount:f} {plan.gas.asset} now"
    first, last, bound = plan.steps[0], plan.steps[-1], terms.steps[-1]
    if first.amount_in > terms.steps[0].amount_in:
        return f"it takes {first.amount_in:f} {first.source}"
    # A smaller one may give as much less; what a unit of it gives at the least was approved.
    share = EXACT.multiply(bound.amount_out_min, first.amount_in)
    unit = Decimal(1).scaleb(-last.decimals_out)
    own = _RATIO_OUT.divide(share, terms.steps[0].amount_in).quantize(unit, ROUND_CEILING, EXACT)
    least = max(last.amount_out_min, own)
    if last.amount_out < least:
        return f"it gives {last.amount_out:f} {last.target}"
    steps = (*plan.steps[:-1], msgspec.structs.replace(last, amount_out_min=least))
    # Which part goes first was approved too: it says what is at risk meanwhile.
    return msgspec.structs.replace(
        plan, legs=legs, steps=steps, gas=gas, first=terms.first, first_why=terms.first_why
    )


def _cut_legs(has: Sequence[Leg], bounds: Sequence[Leg]) -> tuple[Leg, ...] | str:
    if len(has) != len(bounds):
        return "it has another number of legs"
    legs = []
    for leg, bound in zip(has, bounds, strict=True):
        if (leg.instrument, leg.side) != (bound.instrument, bound.side):
            return "it has other orders"
        if leg.size_base > bound.size_base:
            return f"it takes {leg.size_base:f} {leg.instrument.pair.base} at {leg.venue}"
        if _is_beyond(leg, bound.price_limit):
            return f"{leg.instrument.pair} at {leg.venue} is behind {bound.price_limit:f}"
        is_buy = leg.side is Side.BUY
        limit = (min if is_buy else max)(leg.price_limit, bound.price_limit)
        legs.append(msgspec.structs.replace(leg, price_limit=limit))
    return tuple(legs)


def _is_beyond(leg: Leg, price_limit: Decimal) -> bool:
    """Say whether a leg, on average, is to be had only at a worse price than this."""
    at_limit = EXACT.multiply(leg.size_base, price_limit)
    if leg.side is Side.BUY:
        return leg.notional_quote > at_limit
    return leg.notional_quote < at_limit


def _cut_atomic(plan: AtomicPlan, terms: AtomicPlan) -> AtomicPlan | str:
    first, last, bound = plan.steps[0], plan.steps[-1], terms.steps[-1]
    if _pools(plan) != _pools(terms):
        return "it is another transaction"
    if plan.has_flash_loan and not terms.has_flash_loan:
        return "it has to be borrowed now"
    gas = _cut_gas(plan.gas, terms.gas)
    if plan.flash_fee > terms.flash_fee or gas is None:
        return f"gas is {plan.gas.amount:f} {plan.gas.asset} now"
    if first.amount_in > terms.steps[0].amount_in:
        return f"it takes {first.amount_in:f} {first.source}"
    # What it has to give back in the end is what was approved; on the way it may be otherwise.
    least = max(last.amount_out_min, bound.amount_out_min)
    if last.amount_out < least:
        return f"it gives back {last.amount_out:f} {last.target}"
    last = msgspec.structs.replace(last, amount_out_min=least)
    return msgspec.structs.replace(plan, steps=(*plan.steps[:-1], last), gas=gas)


def _cut_gas(gas: GasBound, bound: GasBound) -> GasBound | None:
    """Return what a transaction may pay within what was approved, None if that is too little.

    The most of one that is sent is for fees that may rise: it may be less than would be planned
    now, as long as what is expected is within it.
    """
    if gas.amount <= bound.amount:
        return gas
    if not gas.is_apart or gas.asset != bound.asset or gas.expected > bound.amount:
        return None
    return msgspec.structs.replace(
        gas,
        amount=bound.amount,
        quote=min(gas.quote, bound.quote),
        data_amount=min(gas.data_amount, bound.data_amount),
        bid=min(gas.bid, bound.bid),
    )


def _pools(plan: AtomicPlan | MixedPlan) -> list[tuple[str, str, str]]:
    return [(plan.chain, step.address, step.source) for step in plan.steps]
