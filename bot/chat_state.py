"""How a chat itself is doing, as far as it can know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatState:
    """What a chat knows of its way to the operator.

    Attributes:
        waiting: messages on their way.
        answered_s: seconds since the far side last answered; None before it ever did, or where
            there is no far side.
        ahead_s: by how much this machine's clock was ahead of the far side's at the newest
            message, in whole seconds; None before the first.
    """

    waiting: int = 0
    answered_s: float | None = None
    ahead_s: int | None = None
