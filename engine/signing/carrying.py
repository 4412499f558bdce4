"""Whether a transaction carries its plan out, or a part: each kind of plan by its own rules."""

from engine.domain.plans import MixedPlan
from engine.domain.signing import RefusalKind, SignRefusal
from engine.signing.routes import check_route
from engine.signing.rules import Given, refused
from engine.signing.swaps import check_mixed


def check_carrying(given: Given, *, now_ns: int) -> SignRefusal | None:
    """Look at what carries a plan out; nothing else has anything to do with one."""
    plan = given.intent.plan
    if not given.intent.purpose.has_plan:
        if plan is None:
            return None
        return refused(RefusalKind.PLAN, f"a {given.intent.purpose} carries no plan out")
    if plan is None:
        return refused(RefusalKind.PLAN, "no plan: nothing is carried out without one")
    if isinstance(plan, MixedPlan):
        if not given.terms.signs_mixed:
            return refused(
                RefusalKind.PLAN, "its plan has orders beside it, which nobody decides on"
            )
        return check_mixed(given, plan, now_ns=now_ns)
    return check_route(given, plan, now_ns=now_ns)
