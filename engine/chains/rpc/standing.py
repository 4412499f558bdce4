"""What is known of a provider from what it did: how quick it is, how far behind, how honest."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from engine.chains.ports import Refusal
from engine.chains.rpc.budget import Budget
from engine.chains.rpc.health import ProviderHealth, ProviderState
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.provider import Provider
from engine.chains.rpc.troubles import ProviderError
from engine.domain.backoff import wait_after
from engine.domain.recovery import PROVIDER_QUARANTINE, Recovery

SAMPLES_MAX: Final = 64
SAMPLES_MIN: Final = 8
"""Fewer say nothing of what is usual."""

METHODS_MAX: Final = 64
PULSE_SHARE: Final = 0.2
"""Of the newest pulse in the averages: a dozen of them forget what was."""

REST_S_MIN: Final = 0.1
REST_S_MAX: Final = 30.0
QUARANTINE_S_MIN: Final = 60.0
QUARANTINE_S_MAX: Final = 3_600.0
FORGIVEN_S: Final = 6 * 3_600.0
"""After so long without a lie the next one counts as the first."""

UNKNOWN_PULSE_S: Final = 0.1
"""Who has not answered yet is taken to be as quick as a usual provider."""


class Standing:
    """What is known of one provider.

    Attributes:
        head: number of its newest block, None if it has not told one.
        lag: how many blocks less it knew than the best, at the newest pulse.
        answered: answers that were of use.
        why: what speaks against it.
    """

    def __init__(self, provider: Provider, budget: Budget, now_s: Callable[[], float]) -> None:
        self.provider: Final = provider
        self.budget: Final = budget
        self.head: int | None = None
        self.lag = 0
        self._lag_mean = 0.0
        self.answered = 0
        self.quarantines = 0
        self.why = ""
        self._now_s = now_s
        self._is_checked = False
        self._pulse_s = UNKNOWN_PULSE_S
        self._taken_s: dict[str, deque[float]] = {}
        self._failures = 0
        self._outruns = 0
        self._rests_until_s = 0.0
        self._quarantined_until_s: float | None = None
        self._caught_at_s = float("-inf")
        self._parole = Recovery(PROVIDER_QUARANTINE, now_s=now_s)

    # ---- what it may be asked ----------------------------------------------------------------

    @property
    def is_trusted(self) -> bool:
        """Whether it said of which chain it is and has not been caught since."""
        return self._is_checked and self._quarantined_until_s is None

    @property
    def is_check_due(self) -> bool:
        """Whether it is to be checked, for the first time or on parole."""
        if self._quarantined_until_s is not None:
            return self._now_s() >= self._quarantined_until_s
        return not self._is_checked

    @property
    def is_resting(self) -> bool:
        """Whether it failed just now."""
        return self._now_s() < self._rests_until_s

    def score(self) -> tuple[bool, float]:
        """Return what providers are ranked by, the least first."""
        # A budget that is nearly spent counts like slowness: keys of one host take turns.
        missed = self._outruns + 0.5 * self._failures + 0.25 * self._lag_mean
        strain = 1.0 + self.budget.used_ratio + missed
        return self.is_resting, self._pulse_s * strain

    def usual_s(self, asked: Sequence[Asked]) -> float | None:
        """Return how long 19 of 20 such questions take at most, None if it is not known yet."""
        taken_s = self._taken_s.get(_kind(asked))
        if taken_s is None or len(taken_s) < SAMPLES_MIN:
            return None
        return sorted(taken_s)[len(taken_s) * 95 // 100]

    # ---- what it did -------------------------------------------------------------------------

    def spend(self, asked: Sequence[Asked]) -> None:
        """Take what these questions cost from its budget, and count it."""
        cost = self.budget.plan.cost_of(asked)
        self.budget.take(cost)
        self.provider.meter.requests += len(asked)
        self.provider.meter.units += cost

    def checked(self) -> None:
        """Note that it is of the right chain, and agrees with the others."""
        self._is_checked = True
        self._quarantined_until_s = None
        self._parole.works()
        self.why = ""

    def took(self, asked: Sequence[Asked], taken_s: float) -> None:
        """Note how long an answer took."""
        kind = _kind(asked)
        if kind in self._taken_s or len(self._taken_s) < METHODS_MAX:
            self._taken_s.setdefault(kind, deque(maxlen=SAMPLES_MAX)).append(taken_s)

    def outrun(self, asked: Sequence[Asked], waited_s: float) -> None:
        """Note that nobody waited any longer than this, who would seem quick else."""
        self._outruns += 1
        usual_s = self.usual_s(asked)
        if usual_s is None or waited_s > usual_s:
            self.took(asked, waited_s)

    def pulsed(self, taken_s: float) -> None:
        """Note how long the one question took that all are asked alike."""
        self._pulse_s += PULSE_SHARE * (taken_s - self._pulse_s)

    def lags(self, blocks: int) -> None:
        """Note how many blocks it lacks of what is to be believed."""
        self.lag = blocks
        self._lag_mean += PULSE_SHARE * (blocks - self._lag_mean)

    def answered_well(self) -> None:
        """Note an answer that was of use."""
        self.answered += 1
        self._failures = 0
        self._outruns = 0
        self._rests_until_s = 0.0
        self.budget.answered()
        if self.is_trusted:
            self.why = ""

    def failed(self, error: ProviderError) -> None:
        """Note that there was no answer: it rests, longer from one time to the next."""
        if error.refusal is Refusal.LIMITED:
            return  # its budget knows until when
        self._failures += 1
        rest_s = wait_after(self._failures, first=REST_S_MIN, longest=REST_S_MAX)
        self._rests_until_s = self._now_s() + rest_s
        if self._quarantined_until_s is None:
            self.why = str(error)

    def quarantine(self, why: str) -> None:
        """Take nothing of it any more until it was checked, each time for twice as long."""
        now_s = self._now_s()
        if now_s - self._caught_at_s > FORGIVEN_S:
            self.quarantines = 0
        self.quarantines += 1
        self._caught_at_s = now_s
        term_s = wait_after(self.quarantines, first=QUARANTINE_S_MIN, longest=QUARANTINE_S_MAX)
        self._quarantined_until_s = now_s + term_s
        self._parole.failed()
        self.why = why

    def knows(self, number: int) -> None:
        """Note that it has told a block of this number as its newest."""
        self.head = number

    # ---- what is shown -----------------------------------------------------------------------

    def health(self, *, lag_max: int) -> ProviderHealth:
        """Return how it is."""
        state, state_s = self._state(lag_max)
        taken_s = sorted(one for samples in self._taken_s.values() for one in samples)
        plan = self.budget.plan
        return ProviderHealth(
            name=self.provider.name,
            state=state,
            state_s=round(max(0.0, state_s), 1),
            why=self.why,
            has_subscriptions=self.provider.has_subscriptions,
            latency_ms_p50=round(taken_s[len(taken_s) // 2] * 1_000, 1) if taken_s else 0.0,
            head=self.head,
            lag_blocks=None if self.head is None else self.lag,
            budget_used_ratio=round(self.budget.used_ratio, 3),
            budget_unit=plan.unit,
            budget_per_s=plan.units_per_s or 0.0,
            answered=self.answered,
            troubles={str(kind): count for kind, count in self.provider.troubles.items()},
            quarantines=self.quarantines,
        )

    def _state(self, lag_max: int) -> tuple[ProviderState, float]:
        now_s = self._now_s()
        if self._quarantined_until_s is not None:
            return ProviderState.QUARANTINED, self._quarantined_until_s - now_s
        if not self._is_checked:
            return ProviderState.UNCHECKED, 0.0
        if (wait_s := self.budget.wait_s(1)) > 0:
            return ProviderState.LIMITED, wait_s
        if self.is_resting:
            return ProviderState.RESTING, self._rests_until_s - now_s
        if self.lag > lag_max:
            return ProviderState.BEHIND, 0.0
        return ProviderState.GOOD, 0.0


def _kind(asked: Sequence[Asked]) -> str:
    """Return under which name the times of such questions are kept."""
    method = asked[0][0]
    return method if len(asked) == 1 else f"{method} and others"
