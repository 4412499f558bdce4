"""What a person of each rank may do: THE table of permissions.

What a command may do decides who may write it. What lets the engine do more for good is an admin's,
whichever command leads to it: that is checked where it is sent.
"""

from typing import Any, Final

from bot.command import Kind
from engine.bus.request import Request
from engine.domain.errors import SyndicateError
from engine.domain.people import Rank
from engine.requests.safety import Unkill

RANK_OF_KIND: Final = {
    Kind.READ: Rank.VIEWER,
    Kind.PROTECTIVE: Rank.OPERATOR,
    Kind.CHANGE: Rank.OPERATOR,
}


class NotPermittedError(SyndicateError):
    """Somebody asked for what their rank may not do."""

    def __init__(self, needed: Rank) -> None:
        super().__init__(f"this needs the rank {needed}")
        self.needed = needed


def rank_to_send(request: Request[Any]) -> Rank:
    """Return the rank that it takes to send a request, however it came to be sent.

    Whatever can take a one-time code lets more through once it has its second step.
    """
    if isinstance(request, Unkill):
        return Rank.ADMIN
    if hasattr(request, "code") and (
        request.code is not None or getattr(request, "is_confirmed", False)
    ):
        return Rank.ADMIN
    return Rank.VIEWER


def check_may_send(rank: Rank, request: Request[Any]) -> None:
    """Check that a person of this rank may send a request.

    Raises:
        NotPermittedError: it takes another rank.
    """
    needed = rank_to_send(request)
    if not rank.is_at_least(needed):
        raise NotPermittedError(needed)
