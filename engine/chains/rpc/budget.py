"""What a key may still ask now: a bucket of its provider's units, and the waits it asks for.

Unlike a venue's limiter it never waits itself: whoever asks has other providers to go to.
"""

from collections.abc import Callable
from typing import Final

from engine.chains.rpc.plans import Plan
from engine.domain.backoff import wait_after

PAUSE_S_MAX: Final = 86_400.0
BUSY_S_MIN: Final = 1.0
BUSY_S_MAX: Final = 60.0
"""Waits after refusals that say nothing themselves, doubled from one to the next."""


class Budget:
    """The bucket of one key.

    Args:
        plan: its rate, its size, and what each method costs.
        now_s: the time that waits are measured by.
    """

    def __init__(self, plan: Plan, now_s: Callable[[], float]) -> None:
        self.plan: Final = plan
        self._now_s = now_s
        self._full_again_s = 0.0
        self._paused_until_s = 0.0
        self._refusals = 0

    def wait_s(self, cost: int) -> float:
        """Return how long it takes until so much may be asked, 0 if it may now."""
        now_s = self._now_s()
        wait_s = max(0.0, self._paused_until_s - now_s)
        rate = self.plan.units_per_s
        if rate is None:
            return wait_s
        # What costs more than the bucket holds goes out when it is full.
        needed_s = min(cost / rate, self.plan.burst_s)
        return max(wait_s, self._full_again_s + needed_s - self.plan.burst_s - now_s)

    def take(self, cost: int) -> None:
        """Spend so much."""
        if self.plan.units_per_s is not None:
            spent_s = cost / self.plan.units_per_s
            self._full_again_s = max(self._full_again_s, self._now_s()) + spent_s

    def refused(self, asked_s: float | None) -> None:
        """Obey a refusal for asking too often, for as long as it asks."""
        self._refusals += 1
        unsaid_s = wait_after(self._refusals, first=BUSY_S_MIN, longest=BUSY_S_MAX)
        # In this order, what is no number of seconds comes out as the least.
        wait_s = unsaid_s if asked_s is None else min(max(BUSY_S_MIN, asked_s), PAUSE_S_MAX)
        self._paused_until_s = max(self._paused_until_s, self._now_s() + wait_s)

    def answered(self) -> None:
        """Note an answer: the next refusal is the first again."""
        self._refusals = 0

    @property
    def used_ratio(self) -> float:
        """How much of the bucket is spent now, 1 while nothing may be asked."""
        now_s = self._now_s()
        if self._paused_until_s > now_s:
            return 1.0
        if self.plan.units_per_s is None:
            return 0.0
        return min(1.0, max(0.0, self._full_again_s - now_s) / self.plan.burst_s)
