"""A nonce carries one thing: a plan, or what protects; signed again only dearer, or to cancel it.

Of all that was ever signed for a nonce a chain takes one. So whatever is replaced has to be the
same plan, which then is carried out once, or nothing at all. Of two nonces it takes both: so a plan
is carried out with one, for ever, whatever became of that.
"""

from collections.abc import Sequence
from typing import Final

from engine.domain.signing import Purpose, RefusalKind, SigningIntent, SignRefusal
from engine.domain.units import BPS_PER_UNIT
from engine.signing.journal import Entry
from engine.signing.rules import refused

SIGNED_MAX: Final = 64
"""Of one nonce; a bid that is raised so often goes nowhere."""


def check_nonce(
    intent: SigningIntent,
    before: Sequence[Entry],
    *,
    plan_digest: str,
    is_carried_out: bool,
    bump_bps: int,
) -> SignRefusal | None:
    """Compare with what was signed for the nonce before.

    Args:
        intent: what is asked.
        before: all that was signed for its nonce, oldest first.
        plan_digest: of its plan, empty for none.
        is_carried_out: whether a transaction was signed that carries its plan out, with any nonce.
        bump_bps: how much higher both fees have to be than the highest before, at the least.
    """
    nonce, purpose = intent.transaction.nonce, intent.purpose
    if not before:
        if purpose is Purpose.REPLACE:
            return refused(RefusalKind.NONCE, f"nonce {nonce} has nothing that could be replaced")
        if purpose is Purpose.ROUTE and is_carried_out:
            return refused(RefusalKind.NONCE, "its plan was signed for another nonce")
        return None
    is_cancel = purpose is Purpose.CANCEL
    wrong = (
        (len(before) >= SIGNED_MAX, f"was signed {len(before)} times"),
        (
            not is_cancel and any(entry.purpose is Purpose.CANCEL for entry in before),
            "is being cancelled",
        ),
        (
            purpose not in {Purpose.CANCEL, Purpose.REPLACE},
            f"was signed before, for a {before[0].purpose}",
        ),
        (
            not is_cancel and any(entry.plan_digest != plan_digest for entry in before),
            "carries another plan",
        ),
        # A bid that is raised asks no person again: a swap would go out that nobody looked up.
        (
            not is_cancel and any(entry.purpose is Purpose.ALLOW for entry in before),
            "allows a token: that is cancelled, or stays as it is",
        ),
    )
    for is_wrong, why in wrong:
        if is_wrong:
            return refused(RefusalKind.NONCE, f"nonce {nonce} {why}")
    return _check_bump(intent, before, bump_bps)


def _check_bump(
    intent: SigningIntent, before: Sequence[Entry], bump_bps: int
) -> SignRefusal | None:
    given = intent.transaction
    for what, fee_wei, highest_wei in (
        ("fee", given.max_fee_per_gas_wei, max(entry.fee_wei for entry in before)),
        ("priority fee", given.max_priority_fee_per_gas_wei, max(e.tip_wei for e in before)),
    ):
        least_wei = -(highest_wei * (BPS_PER_UNIT + bump_bps) // -BPS_PER_UNIT)
        if fee_wei < max(least_wei, highest_wei + 1):
            return refused(
                RefusalKind.FEE,
                f"a {what} of {fee_wei} wei replaces nothing: nonce {given.nonce} was signed with"
                f" {highest_wei} wei, the least is {max(least_wei, highest_wei + 1)} wei",
            )
    return None
