"""By whose word something is signed: looked up in the signer's own record of what persons said.

An approval is of terms, and known by their digest, which is reckoned here anew; a plan by it is in
nothing looser. What a mandate covers and has left is counted here, whatever the engine counts.
"""

from engine.domain.opportunities import HopKind
from engine.domain.permits import PermitKind
from engine.domain.plans import AtomicPlan, MixedPlan, OnChain, digest_of_plan
from engine.domain.signing import Purpose, RefusalKind, SignRefusal
from engine.signing import venue_permits
from engine.signing.rules import Given, refused
from engine.signing.same_swap import swap_of
from engine.signing.words import Words
from engine.signing.worth import usd_of


def check_permit(given: Given, words: Words, *, now_ns: int) -> SignRefusal | None:
    """Look whether a person allowed the plan, where its mode asks for that; or let routes be taken.

    What lets the contract run again takes a word in any mode, as it undoes what somebody stopped.
    """
    if given.intent.purpose is Purpose.UNPAUSE:
        why = words.why_not_run(given.chain, now_ns=now_ns)
        return refused(RefusalKind.PERMIT, why) if why else None
    plan = given.intent.plan
    if plan is None or plan.permit is None:
        return None
    why = _why_not(plan, given, words, now_ns)
    return refused(RefusalKind.PERMIT, f"{plan.permit.id}: {why}") if why else None


def use_permit(given: Given, words: Words) -> None:
    """Use up what was looked up, before anything is signed by it; a pause voids what let it run."""
    if given.intent.purpose is Purpose.UNPAUSE:
        words.let_runs.use(given.chain)
    elif given.intent.purpose is Purpose.PAUSE:
        words.let_runs.take_back(given.chain)
    plan = given.intent.plan
    if plan is None or plan.permit is None or given.intent.purpose is not Purpose.ROUTE:
        return
    plan_digest = digest_of_plan(plan)
    if plan.permit.kind is PermitKind.MANDATE:
        words.use_mandate(plan.permit.id, plan_digest, usd_of(plan, given.terms))
    else:
        words.use_approval(plan.permit.digest, plan_digest)


def _why_not(plan: OnChain, given: Given, words: Words, now_ns: int) -> str:
    permit, engine = plan.permit, given.intent.engine
    assert permit is not None
    is_first = given.intent.purpose is Purpose.ROUTE
    usd = usd_of(plan, given.terms)
    if permit.kind is PermitKind.MANDATE:
        # A bid that is raised is of a plan that was looked up when it was signed first.
        if not is_first:
            return ""
        return _other_route(plan) or words.why_not_mandated(
            permit.id, engine, plan, usd=usd, now_ns=now_ns
        )
    terms = given.intent.approved
    if terms is None:
        return "the terms are not there"
    digest = digest_of_plan(terms)
    if digest != permit.digest:
        return "these are not its terms"
    why = _looser(plan, terms)
    if why or not is_first:
        return why
    return words.why_not_approved(digest, engine, plan_digest=digest_of_plan(plan), usd=usd)


def _other_route(plan: OnChain) -> str:
    return (
        venue_permits.why_other_route(plan)
        if isinstance(plan, MixedPlan)
        else why_other_route(plan)
    )


def _looser(plan: OnChain, terms: OnChain) -> str:
    if isinstance(plan, MixedPlan) and isinstance(terms, MixedPlan):
        return venue_permits.looser_than(plan, terms)
    if isinstance(plan, AtomicPlan) and isinstance(terms, AtomicPlan):
        return looser_than(plan, terms)
    return "it is another route"


def why_other_route(plan: AtomicPlan) -> str:
    """Say in what the opportunity that a scope looks at is not what the steps do."""
    hops = plan.opportunity.hops
    is_same = len(hops) == len(plan.steps) and all(
        hop.kind is HopKind.POOL
        and hop.chain == plan.chain
        and (hop.venue, hop.source, hop.target) == (step.venue, step.source, step.target)
        for hop, step in zip(hops, plan.steps, strict=True)
    )
    return "" if is_same else "its opportunity is of another route than its steps"


def looser_than(plan: AtomicPlan, terms: AtomicPlan) -> str:
    """Say in what a plan asks for more than the terms allow; empty for nothing."""
    first, last, bound = plan.steps[0], plan.steps[-1], terms.steps[-1]
    looser = (
        (
            plan.chain != terms.chain
            or [swap_of(one) for one in plan.steps] != [swap_of(one) for one in terms.steps],
            "it is another route",
        ),
        (plan.has_flash_loan and not terms.has_flash_loan, "it borrows"),
        (plan.flash_fee > terms.flash_fee, f"its lender may take {plan.flash_fee:f}"),
        (
            plan.gas.asset != terms.gas.asset or plan.gas.amount > terms.gas.amount,
            f"it may pay {plan.gas.amount:f} {plan.gas.asset} for gas",
        ),
        (
            first.amount_in > terms.steps[0].amount_in,
            f"it takes {first.amount_in:f} {first.source}",
        ),
        (
            last.amount_out_min < bound.amount_out_min,
            f"it may give back as little as {last.amount_out_min:f} {last.target}",
        ),
        (
            plan.profit_min_quote < terms.profit_min_quote,
            f"it may gain as little as {plan.profit_min_quote:f}",
        ),
        (plan.deadline_ns > terms.deadline_ns, "it may be sent later"),
        (plan.is_live is not terms.is_live, "one of the two is on paper"),
    )
    return next((what for is_looser, what in looser if is_looser), "")
