"""Approvals: plans that wait for a person's word, and what became of them."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.domain.plans import Plan, worth_usd


class ApprovalAct(StrEnum):
    """What a person may say to a plan that waits."""

    APPROVE = "approve"
    REJECT = "reject"
    HALVE = "halve"
    """Ask again, with half of it."""
    SNOOZE = "snooze"
    """Ask nothing of this route for a while."""


class ApprovalState(StrEnum):
    """Where an approval is in its life; all but `PENDING` are its end."""

    PENDING = "pending"
    EXECUTED = "executed"
    """Approved, and its plan was started within the terms."""
    STALE = "stale"
    """Approved, but the market had left the terms: nothing was done."""
    REJECTED = "rejected"
    HALVED = "halved"
    SNOOZED = "snoozed"
    EXPIRED = "expired"
    COVERED = "covered"
    """A mandate that was granted meanwhile carried its route out."""
    VOID_KILL = "void_kill"
    VOID_MODE = "void_mode"
    """Paused, or the mode lowered, while it waited."""
    VOID_OFF = "void_off"
    """A venue or pair of its route was switched off while it waited."""
    VOID_RESTART = "void_restart"
    VOID_BLIND = "void_blind"
    """The chat could neither hear nor tell the operator."""
    UNDELIVERED = "undelivered"
    """No chat has shown it in time: nobody was asked."""
    OUTBID = "outbid"
    """As many waited as can be read, and a plan that is clearly worth more took its place."""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that waits for a person's word. What is approved are bounds, not prices.

    Attributes:
        plan: the terms, as they are shown.
        digest: of the terms.
        size_base: what its first leg receives.
        worst_quote: profit if everything goes as badly as the terms allow.
        why: why a person is asked, in one sentence.
        operators_needed: how many different people have to approve it.
        approved_by: who has so far, fewer than are needed.
        is_requested: whether it was made at a person's word, such as half of another.
    """

    approval_id: str
    plan: Plan
    digest: str
    size_base: Decimal
    worst_quote: Decimal
    why: str
    asked_at_ns: int
    expires_at_ns: int
    operators_needed: int = 1
    approved_by: tuple[str, ...] = ()
    is_requested: bool = False

    @property
    def worth_usd(self) -> Decimal:
        """What it was expected to give when it was asked."""
        return worth_usd(self.plan)


class ApprovalEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an approval.

    Attributes:
        by: whose word ended it; empty if nobody's did.
        why: in one sentence.
        now_quote: profit of the route as it was when that was decided; None if not known.
    """

    approval_id: str
    state: ApprovalState
    at_ns: int
    by: str
    why: str
    now_quote: Decimal | None = None


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A route that a person was not asked for, since enough waited.

    Attributes:
        worth_usd: the most that it was worth.
        at_ns: when it was left out last.
    """

    pair: str
    worth_usd: Decimal
    at_ns: int
