"""What a plan moves in USD, by what the plan says and by the least that the operator's terms say.

The signer asks nobody for prices. A plan that understates its worth is counted with the operator's
own least price of what it begins with, so that caps and mandates hold whatever a plan says.
"""

from decimal import Decimal

from engine.domain.networks import Network
from engine.domain.plans import AtomicPlan, OnChain
from engine.domain.signing import RefusalKind, SignRefusal
from engine.signing.rules import Given, refused
from engine.signing.terms import SigningTerms


def usd_of(plan: OnChain, terms: SigningTerms) -> Decimal:
    """Return what a plan is counted with: the most of what is said of it.

    What its transaction begins with need not be what its route is counted in, where orders stand
    before that.
    """
    first = plan.steps[0]
    least = terms.usd_least.get(first.source, Decimal(0))
    said = Decimal(0)
    if isinstance(plan, AtomicPlan) or first.source == plan.opportunity.quote:
        said = first.amount_in * plan.usd_per_quote
    return max(plan.notional_usd, said, first.amount_in * least)


def check_worth(given: Given) -> SignRefusal | None:
    """Where money is real, what a plan begins with has a least price in the operator's terms."""
    plan, terms = given.intent.plan, given.terms
    if plan is None or terms.network is not Network.MAIN:
        return None
    asset = plan.steps[0].source
    if asset in terms.usd_least:
        return None
    return refused(
        RefusalKind.CAP,
        f"nobody says what {asset} is worth at the least, so no cap in USD can hold:"
        " SYNDICATE_SIGNER_USD_LEAST names it",
    )
