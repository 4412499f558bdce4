"""What a discovery changes: two ways that the same hours went, compared span by span."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.bus.records import ExecutionRecord, OpportunityRecord, Record
from engine.domain.discoveries import Effect, Sums, Verdict
from engine.domain.sequential import mixture_interval
from engine.domain.units import NS_PER_HOUR, NS_PER_S

SPAN_NS: Final = 120 * NS_PER_S
"""What is compared with itself: longer than plans take, so that few lie in two."""

SPANS_MIN: Final = 30
"""Below it nothing is said: the interval is that of a large number."""

BEST_AT: Final = 200
CONFIDENCE: Final = 0.95


@dataclass(slots=True)
class Tally:
    """What one way came to, in all and by span.

    Args:
        since_ns: from where it counts.
    """

    since_ns: int
    profit_usd: dict[int, float] = field(default_factory=dict)
    found: int = 0
    captured: int = 0
    cost_usd: float = 0.0

    def take(self, record: Record) -> None:
        """Add what a record tells; most tell nothing of it."""
        if isinstance(record, OpportunityRecord):
            is_worth = record.profit_usd is not None and record.profit_usd > 0
            self.found += is_worth and record.seen_at_ns >= self.since_ns
        elif isinstance(record, ExecutionRecord):
            self._take_execution(record)

    def sums(self) -> Sums:
        """Return all of it."""
        return Sums(
            profit_usd=math.fsum(self.profit_usd.values()),
            found=self.found,
            captured=self.captured,
            cost_usd=self.cost_usd,
        )

    def _take_execution(self, record: ExecutionRecord) -> None:
        execution = record.execution
        if execution.closed_at_ns < self.since_ns:
            return
        span = (execution.closed_at_ns - self.since_ns) // SPAN_NS
        profit_usd = float(execution.realised_usd)
        self.profit_usd[span] = self.profit_usd.get(span, 0.0) + profit_usd
        self.captured += execution.is_traded and not execution.corrects
        story = execution.story
        if story is not None:
            self.cost_usd += float(story.fee.usd + story.transfer.usd + story.gas.usd)


def compare(
    given: Tally, withheld: Tally, *, until_ns: int, measured_at_ns: int, run_id: str
) -> Effect:
    """Return what the one way brought more than the other, an hour, with its interval.

    Only whole spans count.
    """
    return judge(
        differences(given, withheld, until_ns=until_ns),
        given=given.sums(),
        withheld=withheld.sums(),
        measured_at_ns=measured_at_ns,
        run_id=run_id,
    )


def differences(given: Tally, withheld: Tally, *, until_ns: int) -> list[float]:
    """Return by how many USD the one way was better, by whole span."""
    assert given.since_ns == withheld.since_ns
    spans = max(0, until_ns - given.since_ns) // SPAN_NS
    return [
        given.profit_usd.get(span, 0.0) - withheld.profit_usd.get(span, 0.0)
        for span in range(spans)
    ]


def judge(
    gains_usd: Sequence[float],
    *,
    given: Sums,
    withheld: Sums,
    measured_at_ns: int,
    run_id: str,
    confidence: float = CONFIDENCE,
) -> Effect:
    """Return what differences come to an hour, with an interval.

    Args:
        gains_usd: by span, in their order; they may be of several recordings.
        given: what the one way came to in all.
        withheld: what the other did.
        measured_at_ns: when they were played.
        run_id: of which recording they are; the last of several.
        confidence: how often the interval is to hold the true gain.
    """
    spans, per_hour = len(gains_usd), NS_PER_HOUR / SPAN_NS
    mean = low = high = 0.0
    if gains_usd:
        interval = mixture_interval(gains_usd, alpha=1 - confidence, best_at=BEST_AT)
        mean, low, high = interval.mean, interval.low, interval.high
    return Effect(
        measured_at_ns=measured_at_ns,
        run_id=run_id,
        hours=spans / per_hour,
        blocks=spans,
        gain_usd_hour=mean * per_hour,
        low_usd_hour=low * per_hour,
        high_usd_hour=high * per_hour,
        confidence=confidence,
        given=given,
        withheld=withheld,
        verdict=_judge(spans, low, high),
    )


def _judge(spans: int, low: float, high: float) -> Verdict:
    if spans < SPANS_MIN:
        return Verdict.TOO_LITTLE
    if low <= 0 <= high:
        return Verdict.NO_EFFECT
    return Verdict.EARNS if low > 0 else Verdict.COSTS
