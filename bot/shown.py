"""What is told of a prompt that a chat shows: its terms, reckoned from what is drawn."""

from engine.bus.notices import ApprovalAsked
from engine.bus.permit_reports import WaitingApproval
from engine.domain.plans import digest_of_plan, is_live
from engine.requests.presence import PromptShown


def shown_of(asked: ApprovalAsked | WaitingApproval) -> PromptShown:
    """Return what is told of it."""
    plan = asked.approval.plan
    return PromptShown(nonce=asked.nonce, digest=digest_of_plan(plan), is_sent=is_live(plan))
