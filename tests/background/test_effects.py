"""An effect is the difference between two ways of the same hours, with an interval that holds."""

import math
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec.structs import replace as replaced

from engine.background.effects import SPAN_NS, SPANS_MIN, Tally, compare
from engine.domain.discoveries import Effect, Verdict
from engine.domain.sequential import long_variance, mixture_interval
from tests.storage.makers import make_execution_record, make_opportunity_record

SINCE_NS = 1_780_000_000_000_000_000


def way(profits_usd: list[float]) -> Tally:
    """A way that earned so much in each span."""
    tally = Tally(since_ns=SINCE_NS)
    for number, profit_usd in enumerate(profits_usd):
        tally.take(
            make_execution_record(
                number=number + 1,
                closed_at_ns=SINCE_NS + number * SPAN_NS + 1,
                profit_usd=Decimal(repr(profit_usd)),
            )
        )
    return tally


def effect(given: list[float], withheld: list[float], *, spans: int | None = None) -> Effect:
    until_ns = SINCE_NS + (len(given) if spans is None else spans) * SPAN_NS
    return compare(way(given), way(withheld), until_ns=until_ns, measured_at_ns=1, run_id="run1")


def noise(count: int, *, seed: int = 1) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(2.0, 0.5) for _ in range(count)]


def test_profit_finds_captures_and_costs_are_counted_from_the_beginning_on() -> None:
    tally = Tally(since_ns=SINCE_NS)
    late = make_execution_record(closed_at_ns=SINCE_NS + 1, profit_usd=Decimal("1.5"))
    early = make_execution_record(closed_at_ns=SINCE_NS - 1, profit_usd=Decimal(100))
    for seen_at_ns in (SINCE_NS - 1, SINCE_NS, SINCE_NS + 1):
        tally.take(make_opportunity_record(seen_at_ns=seen_at_ns))
    tally.take(replaced(make_opportunity_record(seen_at_ns=SINCE_NS), profit_usd=-1.0))
    tally.take(replaced(make_opportunity_record(seen_at_ns=SINCE_NS), profit_usd=None))
    correction = replace(late.execution, corrects="exec-run1-1", profit_usd=Decimal("0.25"))
    for record in (early, late, replaced(late, execution=correction)):
        tally.take(record)

    sums = tally.sums()

    assert (sums.found, sums.captured, sums.profit_usd) == (2, 1, 1.75)
    story = late.execution.story
    assert story is not None
    assert sums.cost_usd == 2 * float(story.fee.usd + story.transfer.usd + story.gas.usd)


def test_the_same_twice_has_no_effect_and_no_width() -> None:
    profits = noise(SPANS_MIN)
    same = effect(profits, profits)

    assert same.verdict is Verdict.NO_EFFECT
    assert (same.gain_usd_hour, same.low_usd_hour, same.high_usd_hour) == (0.0, 0.0, 0.0)
    assert same.given == same.withheld


@pytest.mark.parametrize(("more", "verdict"), [(1.0, Verdict.EARNS), (-1.0, Verdict.COSTS)])
def test_what_earns_more_in_each_span_earns_and_what_earns_less_costs(
    more: float, verdict: Verdict
) -> None:
    withheld, wobble = noise(60), noise(60, seed=2)
    given = [one + more * (wobbled / 2) for one, wobbled in zip(withheld, wobble, strict=True)]

    found = effect(given, withheld)

    assert found.verdict is verdict
    assert found.low_usd_hour < found.gain_usd_hour < found.high_usd_hour
    assert found.gain_usd_hour == pytest.approx(30 * more * math.fsum(wobble) / 2 / 60)
    assert (found.hours, found.blocks, found.confidence) == (2.0, 60, 0.95)


def test_of_a_short_time_nothing_is_said() -> None:
    spans = SPANS_MIN - 1

    assert effect([2.0] * spans, [1.0] * spans).verdict is Verdict.TOO_LITTLE
    assert effect([2.0] * SPANS_MIN, [1.0] * SPANS_MIN).verdict is Verdict.EARNS
    assert effect([], []).verdict is Verdict.TOO_LITTLE


@pytest.mark.parametrize("lucky", [1, 2, 5, 7])
def test_a_few_lucky_spans_are_no_effect_that_is_believed(lucky: int) -> None:
    found = effect([1000.0] * lucky + [0.0] * (60 - lucky), [0.0] * 60)

    assert found.gain_usd_hour > 0
    assert found.verdict is Verdict.NO_EFFECT


def test_only_whole_spans_count() -> None:
    profits = [1.0] * 40

    assert effect(profits, [0.0] * 40, spans=35).blocks == 35


def test_an_effect_that_is_not_there_is_hardly_ever_seen_however_often_one_looks() -> None:
    alarms = 0
    for seed in range(80):
        rng = random.Random(seed)
        values = [rng.gauss(0.0, 1.0) for _ in range(400)]
        looks = (mixture_interval(values[:n], alpha=0.05, best_at=200) for n in range(30, 401, 10))
        alarms += any(not look.low <= 0 <= look.high for look in looks)

    assert alarms <= 80 * 0.05


def test_an_effect_that_is_there_is_seen() -> None:
    rng = random.Random(3)
    values = [rng.gauss(0.5, 1.0) for _ in range(200)]
    look = mixture_interval(values, alpha=0.05, best_at=200)

    assert 0 < look.low < look.mean < look.high


def test_the_interval_is_narrowest_in_units_of_the_fixed_one_where_it_was_asked_to_be() -> None:
    def width(count: int) -> float:
        values = [(-1.0) ** number for number in range(count)]
        look = mixture_interval(values, alpha=0.05, best_at=200)
        return (look.high - look.low) * math.sqrt(count)

    assert width(200) < width(50)
    assert width(200) < width(1000)
    assert width(200) / (2 * 1.96) == pytest.approx(1.55, abs=0.02)  # the price of looking often


def test_spans_that_go_on_in_the_next_widen_the_interval() -> None:
    rng = random.Random(1)
    values, last = [], 0.0
    for _ in range(1000):
        last = 0.7 * last + rng.gauss(0, 1)
        values.append(last)
    plain = sum((one - sum(values) / 1000) ** 2 for one in values) / 999

    assert long_variance(values) > 1.8 * plain
    assert long_variance([1.0]) == 0.0
    alternating = [(-1.0) ** number for number in range(100)]
    assert long_variance(alternating) == pytest.approx(100 / 99)
