"""Whether any chat reaches the operator, by the signs that chats give; none is no sign.

A chat says with each sign how long it could not hear or tell the operator.
"""

import time
from collections.abc import Callable, Sequence

from engine.domain.recovery import Tallied


class ChatSight:
    """When a chat last reached the operator, by a clock that nobody sets.

    The start counts as a sign: a chat has so much time to open.

    Attributes:
        tallied: what the chat's process recovered from, as it told with its newest sign.
    """

    def __init__(self, blind_s: float, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._blind_s = blind_s
        self._now_s = now_s
        self._seen_s = now_s()
        self.tallied: list[Tallied] = []

    def sign(self, silent_s: float, tallied: Sequence[Tallied] = ()) -> None:
        """Take a chat's sign; of several chats the one that sees best counts."""
        self.tallied = list(tallied) or self.tallied
        self._seen_s = max(self._seen_s, self._now_s() - max(silent_s, 0.0))

    @property
    def is_blind(self) -> bool:
        """Whether no chat has reached the operator for too long."""
        return self._now_s() - self._seen_s >= self._blind_s
