"""Whether a transaction does its part of a plan that has orders beside it: by its call's own bytes.

Two of them do: one allows our contract to take of the wallet what the other then trades. Neither is
of more than was planned, and what is traded gives the plan's least in proportion. A part that
follows is signed only where something of the first was.
"""

from typing import Final

from engine.domain.chains import DEADLINE_BLOCKS, block_ms
from engine.domain.errors import BadValueError
from engine.domain.plans import MixedPlan, Part, is_live
from engine.domain.routes_on_chain import ChainSwap
from engine.domain.signing import Purpose, RefusalKind, SignRefusal
from engine.domain.units import BPS_PER_UNIT, NS_PER_MS, NS_PER_S
from engine.sending.encoding import decode_swap
from engine.signing.gains import gained_ratio
from engine.signing.routes import (
    check_gas,
    check_hops,
    check_numbers,
    check_place,
    is_of,
    raw_ceil,
    raw_exact,
)
from engine.signing.rules import Given, read_approve, refused
from engine.signing.venue_permits import why_other_route
from engine.signing.worth import check_worth

LEAST_BPS_MAX: Final = 500
"""How far the least that a swap gives may lie behind what its plan reckons with."""


def check_mixed(given: Given, plan: MixedPlan, *, now_ns: int) -> SignRefusal | None:
    """Look at a transaction of a plan that has orders beside it."""
    try:
        of_call = _check_allowance if given.intent.purpose is Purpose.ALLOW else _check_swap
        return (
            check_numbers(plan)
            or _check_plan(plan)
            or _check_turn(plan, given, now_ns)
            or of_call(plan, given)
            or check_gas(plan, given)
            or check_worth(given)
        )
    except ArithmeticError:
        return refused(RefusalKind.PLAN, "its plan has numbers that cannot be reckoned with")


def _check_plan(plan: MixedPlan) -> SignRefusal | None:
    """The plan gains something by its own amounts, and the least is near what it reckons with."""
    if not is_live(plan):
        return refused(RefusalKind.PLAN, "its plan is on paper")
    if why := why_other_route(plan):
        return refused(RefusalKind.PLAN, why)
    last = plan.steps[-1]
    if last.amount_out_min < last.amount_out * (BPS_PER_UNIT - LEAST_BPS_MAX) / BPS_PER_UNIT:
        return refused(
            RefusalKind.PROFIT,
            f"its plan takes {last.amount_out_min:f} {last.target} for the {last.amount_out:f} that"
            f" it reckons with, {LEAST_BPS_MAX} bps less at the most",
        )
    gain_ratio = gained_ratio(plan)
    if gain_ratio is None:
        return refused(RefusalKind.PLAN, "its plan ends in another asset than it begins with")
    if plan.profit_quote <= 0 or gain_ratio <= 1:
        return refused(RefusalKind.PROFIT, "its plan gains nothing by its own amounts")
    return None


def _check_turn(plan: MixedPlan, given: Given, now_ns: int) -> SignRefusal | None:
    """What follows is signed where something of the first part was, and has as long again."""
    if plan.first is Part.ORDERS and not given.is_other_signed:
        return refused(RefusalKind.PLAN, "it follows on orders, of which none was signed")
    late_ns = now_ns - latest_ns_of(plan)
    # What is on its way is made dearer as long as a block can take it.
    if late_ns > 0 and given.intent.purpose is not Purpose.REPLACE:
        return refused(RefusalKind.DEADLINE, f"its time was over {late_ns // NS_PER_MS} ms ago")
    return None


def latest_ns_of(plan: MixedPlan) -> int:
    """Return the last instant at which its transaction is signed first (wall clock)."""
    if plan.first is Part.TRANSACTION:
        return plan.deadline_ns
    return plan.deadline_ns + max(plan.deadline_ns - plan.decided_at_ns, 0)


def _check_allowance(plan: MixedPlan, given: Given) -> SignRefusal | None:
    if refusal := check_place(plan, given.transaction.chain_id, given):
        return refusal
    first, token = plan.steps[0], given.transaction.to
    try:
        is_same = is_of(first.source, plan.chain, token, first.decimals_in)
    except BadValueError as error:
        return refused(RefusalKind.PLAN, str(error))
    if not is_same:
        return refused(RefusalKind.PLAN, f"it allows of {token}, the plan takes {first.source}")
    _, amount_raw = read_approve(given.transaction.data)
    return _check_amount(plan, amount_raw)


def _check_swap(plan: MixedPlan, given: Given) -> SignRefusal | None:
    try:
        swap = decode_swap(given.transaction.data, contract=given.transaction.to)
    except BadValueError as error:
        return refused(RefusalKind.CALL, str(error))
    return (
        check_place(plan, swap.chain_id, given)
        or check_hops(plan, swap.hops)
        or _check_amount(plan, swap.amount_in_raw)
        or _check_least(plan, swap)
        or _check_deadline(plan, swap)
    )


def _check_amount(plan: MixedPlan, amount_raw: int) -> SignRefusal | None:
    """What goes first is of all that was planned, what follows of no more."""
    first = plan.steps[0]
    planned_raw = raw_exact(first.amount_in, first.decimals_in)
    is_whole = plan.first is Part.TRANSACTION
    if planned_raw is None or amount_raw > planned_raw or (is_whole and amount_raw != planned_raw):
        return refused(
            RefusalKind.PLAN,
            f"it is of {amount_raw} units of {first.source}, the plan of {first.amount_in:f}"
            f" {first.source}",
        )
    return None


def _check_least(plan: MixedPlan, swap: ChainSwap) -> SignRefusal | None:
    first, last = plan.steps[0], plan.steps[-1]
    whole_raw = raw_ceil(first.amount_in, first.decimals_in)
    least_raw = raw_ceil(last.amount_out_min, last.decimals_out) * swap.amount_in_raw // whole_raw
    if swap.amount_out_min_raw < max(least_raw, 1):
        return refused(
            RefusalKind.PROFIT,
            f"it may give as little as {swap.amount_out_min_raw} units; the plan's least in"
            f" proportion is {least_raw}",
        )
    return None


def _check_deadline(plan: MixedPlan, swap: ChainSwap) -> SignRefusal | None:
    wait_ns = DEADLINE_BLOCKS * block_ms(plan.chain) * NS_PER_MS
    latest_ts = -((latest_ns_of(plan) + wait_ns) // -NS_PER_S)
    if swap.deadline_ts > latest_ts:
        return refused(
            RefusalKind.DEADLINE,
            f"it could land until {swap.deadline_ts}; the plan ends by {latest_ts}",
        )
    return None
