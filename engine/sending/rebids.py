"""A nonce's next bid: more for what it carries, or enough to cancel it."""

from engine.domain.handed import Handed
from engine.sending.beginnings import DeskTerms, bound_beside
from engine.sending.calls import HeadNow
from engine.sending.facts import Draft, Drafted, Rebid
from engine.sending.fees import CANCEL_GAS, NoBid, bytes_wei, cancel_bid, raised_bid


def rebid(
    act: Rebid, handed: Handed | None, terms: DeskTerms, head: HeadNow, *, beside_wei: int = 0
) -> Drafted | NoBid:
    """Return what is to be signed next for a nonce, or why there is no bid to be had now.

    Args:
        act: what is to be outbid.
        handed: the plan that the nonce carries; without one it is cancelled.
        terms: of the desk.
        head: the newest block.
        beside_wei: what another transaction of the same plan may pay.
    """
    fees, rule, before = terms.fees(head), terms.rule, act.before.bid
    if act.is_cancel or handed is None:
        bid = cancel_bid(
            before,
            fees,
            rule,
            gas_limit=CANCEL_GAS,
            bound_wei=terms.policy.cancel_wei_max,
            is_far=act.is_far,
        )
    else:
        own_bytes_wei = bytes_wei(fees, act.before.raw, gas_limit=before.gas_limit)
        bound_wei = bound_beside(handed.plan, own_bytes_wei) - beside_wei
        bid = raised_bid(before, fees, rule, bound_wei=bound_wei, is_far=act.is_far)
    if isinstance(bid, NoBid):
        return bid
    return Drafted(Draft(bid=bid, is_cancel=act.is_cancel or handed is None, at_block=head.number))
