"""The pace at which one venue is spoken to: by its weights, and by the waits that it asks for.

Everything that goes out to the venue takes a turn here: instrument lists, snapshots, audits and
attempts to connect. A wait that the venue asks for holds all of them, for its full length.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from engine.domain.backoff import asked_wait_s
from engine.domain.traffic import Meter
from engine.domain.units import NS_PER_S
from engine.ports import RequestBudget

PAUSE_S_MAX: Final = 3 * 86_400.0
"""Longest wait obeyed; the longest ban that Binance documents is three days."""

PAUSE_S_MIN: Final = 0.5

BANNED: Final = 418
"""By this Binance tells a client that went on after a 429."""

BAN_S: Final = 120.0
BUSY_S: Final = 5.0
"""Waits after a 418 and after any other refusal that says nothing itself."""

_DAY_S: Final = 86_400.0


def loop_s() -> float:
    """Return the time of the running loop, which nobody can set."""
    return asyncio.get_running_loop().time()


class Limiter:
    """Turns of one venue: a bucket of weight that fills at the venue's rate, and its bans.

    Args:
        budget: what may be asked of the venue.
        now_ns: wall clock, for what the venue says in its terms and for what is told in ours.
        now_s: the time that waits are measured by.
        meter: counts what goes out.
    """

    def __init__(
        self,
        budget: RequestBudget,
        *,
        now_ns: Callable[[], int],
        now_s: Callable[[], float] = loop_s,
        meter: Meter | None = None,
    ) -> None:
        self.meter = meter or Meter()
        self._budget = budget
        self._now_ns = now_ns
        self._now_s = now_s
        self._full_again_s = 0.0
        self._paused_until_s = 0.0
        self._why = ""
        self._behind = asyncio.Lock()

    async def turn(self, path: str = "", *, weight: float | None = None) -> None:
        """Wait until a request for this path, or an attempt to connect, may go out.

        `weight` is what it weighs, where whoever asks knows it.
        """
        now_s = self._now_s()
        turn_s = self.reserve(path, now_s, weight=weight)
        while (wait_s := max(turn_s, self._paused_until_s) - now_s) > 0:
            await asyncio.sleep(wait_s)
            now_s = self._now_s()

    async def turn_behind(self, *, weight: float, kept: float) -> None:
        """Wait until as much weight is there, and `kept` more that others may want meanwhile.

        Nothing is taken while it waits: whoever takes a turn in between does not wait for this one.
        Those that wait so go one after the other: else what weighs much would wait for ever.
        """
        budget = self._budget
        needed = weight + min(kept, max(budget.weight_burst - weight, 0.0))
        async with self._behind:
            wait_s = self.wait_s(needed)
            while wait_s > 0:
                await asyncio.sleep(wait_s)
                wait_s = self.wait_s(needed)
            self.take(weight)

    def take(self, weight: float) -> None:
        """Take weight that `wait_s` said is there."""
        self.reserve("", self._now_s(), weight=weight)

    def wait_s(self, weight: float) -> float:
        """Return how long a request of so much weight would wait now; 0 or less for not at all."""
        budget, now_s = self._budget, self._now_s()
        full_again_s = max(self._full_again_s, now_s) + weight / budget.weight_per_s
        turn_s = full_again_s - budget.weight_burst / budget.weight_per_s
        return max(turn_s, self._paused_until_s) - now_s

    def reserve(self, path: str, now_s: float, *, weight: float | None = None) -> float:
        """Take the path's weight out of the bucket; return when there is that much in it."""
        budget = self._budget
        weight = budget.weight_of(path) if weight is None else weight
        self.meter.requests += 1
        self.meter.units += weight
        weight_s = weight / budget.weight_per_s
        self._full_again_s = max(self._full_again_s, now_s) + weight_s
        return self._full_again_s - budget.weight_burst / budget.weight_per_s

    def refused(self, status: int, retry_after: str) -> None:
        """Obey a refusal: wait as its Retry-After says, or as its status suggests."""
        unsaid_s = BAN_S if status == BANNED else BUSY_S
        asked_s = asked_wait_s(retry_after, at_s=self._now_ns() / NS_PER_S)
        if asked_s is None:
            asked_s = unsaid_s
        # In this order, what is no number of seconds comes out as the least.
        self._pause(min(max(PAUSE_S_MIN, asked_s), PAUSE_S_MAX), f"status {status}")

    def answered(self, headers: Mapping[str, str]) -> None:
        """Take the weight that the venue has counted in this minute, if it says so.

        Other programs of the same address, and a run before this one, spend of the same budget.
        """
        budget = self._budget
        used = headers.get(budget.used_header, "") if budget.used_header else ""
        if not used.isdecimal() or int(used) + budget.heaviest <= budget.weight_per_minute_max:
            return
        rest_s = 60.0 - self._now_ns() / NS_PER_S % 60.0
        self._pause(rest_s, f"{used} of {budget.weight_per_minute_max:g} weight used")

    def note(self) -> str:
        """Say until when the venue wants to be left alone, and why; empty if it does not."""
        left_s = self._paused_until_s - self._now_s()
        if left_s <= 0:
            return ""
        until = datetime.fromtimestamp(round(self._now_ns() / NS_PER_S + left_s), UTC)
        is_far = left_s > _DAY_S
        shown = f"{until:%Y-%m-%d %H:%M}" if is_far else f"{until:%H:%M:%S}"
        return f"wants no requests until {shown} UTC ({self._why})"

    def _pause(self, pause_s: float, why: str) -> None:
        until_s = self._now_s() + pause_s
        if until_s > self._paused_until_s:
            self._paused_until_s = until_s
            self._why = why
