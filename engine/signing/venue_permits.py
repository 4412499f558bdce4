"""By whose word a plan of orders is carried out, where its mode asks for that; see `permits.py`.

What was allowed is looked up at a plan's first order and used up by it; those that follow are of
the same plan, and what trades back needs no word.
"""

from decimal import Decimal

from engine.domain.exact import exact_product
from engine.domain.opportunities import HopKind, Leg, Side
from engine.domain.permits import PermitKind
from engine.domain.plans import LeggedPlan, MixedPlan, closes_of, digest_of_plan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.gateways.venue_signing import BookPlan
from engine.signing.rules import refused
from engine.signing.same_swap import swap_of
from engine.signing.venue_rules import Placing, usd_of_plan
from engine.signing.words import Words


def check_venue_permit(given: Placing, words: Words, *, is_first: bool) -> SignRefusal | None:
    """Look whether a person allowed the plan, where its mode asks for that.

    To close a leftover it takes that in any mode: it may lose, and nobody decided on it but them.
    """
    permit = given.plan.permit
    if closes_of(given.plan) and (permit is None or permit.kind is not PermitKind.APPROVAL):
        return refused(RefusalKind.PERMIT, "what closes a leftover takes a person's word on it")
    if permit is None or given.is_unwinding:
        return None
    why = _why_not(given, words, is_first=is_first)
    return refused(RefusalKind.PERMIT, f"{permit.id}: {why}") if why else None


def use_venue_permit(given: Placing, words: Words, *, is_first: bool) -> None:
    """Use up what was looked up, before anything is signed by it."""
    permit = given.plan.permit
    if permit is None or given.is_unwinding or not is_first:
        return
    plan_digest = digest_of_plan(given.plan)
    if permit.kind is PermitKind.MANDATE:
        words.use_mandate(permit.id, plan_digest, usd_of_plan(given))
    else:
        words.use_approval(permit.digest, plan_digest)


def _why_not(given: Placing, words: Words, *, is_first: bool) -> str:
    plan, engine = given.plan, given.intent.engine
    permit = plan.permit
    assert permit is not None
    if permit.kind is PermitKind.MANDATE:
        if not is_first:
            return ""
        return why_other_route(plan) or words.why_not_mandated(
            permit.id, engine, plan, usd=usd_of_plan(given), now_ns=given.now_ns
        )
    terms = given.intent.approved
    if terms is None:
        return "the terms are not there"
    digest = digest_of_plan(terms)
    if digest != permit.digest:
        return "these are not its terms"
    why = looser_than(plan, terms)
    if why or not is_first:
        return why
    return words.why_not_approved(
        digest, engine, plan_digest=digest_of_plan(plan), usd=usd_of_plan(given)
    )


def why_other_route(plan: BookPlan) -> str:
    """Say in what the opportunity that a scope looks at is not what the plan does."""
    hops = [(hop.kind, hop.venue, hop.source, hop.target) for hop in plan.opportunity.hops]
    return "" if hops == _parts_of(plan) else "its opportunity is of another route than its parts"


def looser_than(plan: BookPlan, terms: BookPlan) -> str:
    """Say in what a plan asks for more than the terms allow; empty for nothing."""
    parts, allowed = ((_parts_of(one), closes_of(one)) for one in (plan, terms))
    if type(plan) is not type(terms) or parts != allowed:
        return "it is another route"
    if plan.deadline_ns > terms.deadline_ns:
        return "it may be sent later"
    if why := _looser_orders(plan, terms):
        return why
    if isinstance(plan, MixedPlan) and isinstance(terms, MixedPlan):
        return _looser_transaction(plan, terms)
    return ""


def _looser_orders(plan: BookPlan, terms: BookPlan) -> str:
    for leg, bound in zip(plan.legs, terms.legs, strict=True):
        if (leg.instrument, leg.side) != (bound.instrument, bound.side):
            return "it has other orders"
        if leg.size_base > bound.size_base:
            return f"it takes {leg.size_base:f} {leg.instrument.pair.base} at {leg.venue}"
        if _is_worse(leg, bound.price_limit):
            return f"it may pay {leg.price_limit:f} for {leg.instrument.pair} at {leg.venue}"
    return ""


def _looser_transaction(plan: MixedPlan, terms: MixedPlan) -> str:
    """Say in what the transaction beside the orders asks for more than the terms allow."""
    first, last = plan.steps[0], plan.steps[-1]
    taken, given = terms.steps[0].amount_in, terms.steps[-1].amount_out_min
    looser = (
        (
            (plan.chain, plan.before) != (terms.chain, terms.before)
            or [swap_of(one) for one in plan.steps] != [swap_of(one) for one in terms.steps],
            "it is another transaction",
        ),
        # That says what is at risk until the other part follows.
        (plan.first is not terms.first, f"its {plan.first} goes first"),
        (
            plan.gas.asset != terms.gas.asset or plan.gas.amount > terms.gas.amount,
            f"it may pay {plan.gas.amount:f} {plan.gas.asset} for gas",
        ),
        (first.amount_in > taken, f"it takes {first.amount_in:f} {first.source}"),
        # A smaller one may give as much less.
        (
            exact_product(last.amount_out_min, taken) < exact_product(given, first.amount_in),
            f"it may give as little as {last.amount_out_min:f} {last.target}",
        ),
        (plan.is_live is not terms.is_live, "one of the two is on paper"),
    )
    return next((what for is_looser, what in looser if is_looser), "")


def _parts_of(plan: BookPlan) -> list[tuple[object, ...]]:
    legs = [(HopKind.BOOK, leg.venue, leg.source, leg.target) for leg in plan.legs]
    if isinstance(plan, LeggedPlan):
        return list(legs)
    assert isinstance(plan, MixedPlan)
    steps = [(HopKind.POOL, step.venue, step.source, step.target) for step in plan.steps]
    return [*legs[: plan.before], *steps, *legs[plan.before :]]


def _is_worse(leg: Leg, bound: Decimal) -> bool:
    return leg.price_limit > bound if leg.side is Side.BUY else leg.price_limit < bound
