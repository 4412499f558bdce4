"""What is used adds up by day over restarts, and a budget is told before it is spent."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bus.use_reports import BudgetLine
from engine.domain.traffic import Meters, Used
from engine.health.keeping import Kept
from engine.health.uses import DAYS_KEPT, Budget, Uses, day_of
from tests.effort import examples

S = 1_000_000_000
MB = 1_048_576
RPC = "rpc/base-mainnet.g.alchemy.com"
MONTH = Budget(name="alchemy.com", unit="units", period="month", most=3_000.0)
DAY = Budget(name="alchemy.com", unit="units", period="day", most=100.0)


def at(day: int, hour: float = 0.0, *, month: int = 9) -> int:
    moment = dt.datetime(2026, month, day, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
    return round(moment.timestamp()) * S


def used(units: float, *, name: str = RPC, mb: float = 0.0) -> Used:
    return Used(name=name, requests=round(units), units=units, received_bytes=round(mb * MB))


def budget_of(uses: Uses, budget: Budget, *, at_ns: int) -> BudgetLine:
    (line,) = uses.budgets([budget], at_ns=at_ns)
    return line


def test_what_is_counted_at_the_meter_of_a_name_is_counted_once_for_all_who_use_it() -> None:
    meters = Meters()
    meters.of(RPC).requests += 2
    meters.of(RPC).received_bytes += 10
    meters.of("venue/gemini").connections += 1

    assert meters.read() == [
        Used(name=RPC, requests=2, received_bytes=10),
        Used(name="venue/gemini", connections=1),
    ]


@given(lives=st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=6), min_size=1, max_size=4))
@settings(max_examples=examples(200), deadline=None)
def test_all_of_one_process_counts_and_a_new_one_counts_from_its_start(
    lives: list[list[int]],
) -> None:
    uses, total = Uses(), 0
    for number, steps in enumerate(lives):
        role, count = f"engine {number}", 0
        for step in steps:
            count += step
            uses.take(role, [used(count)], at_ns=at(5))
        total += count

    (line,) = uses.lines(at_ns=at(5))
    assert line.units_day == total
    assert line.requests_day == total


def test_a_role_that_was_started_anew_loses_nothing_that_was_counted() -> None:
    uses = Uses()
    uses.take("engine", [used(40)], at_ns=at(5))
    uses.take("engine", [used(3)], at_ns=at(5))

    assert uses.lines(at_ns=at(5))[0].units_day == 43


def test_days_stand_alone_months_are_their_sums_and_old_days_go() -> None:
    uses = Uses()
    for day in (1, 2, 3):
        uses.take("chains", [used(100.0 * day, mb=10.0 * day)], at_ns=at(day))

    (line,) = uses.lines(at_ns=at(3))
    assert (line.units_day, line.units_month) == (100.0, 300.0)
    assert (line.mb_day, line.mb_month) == (10.0, 30.0)
    (following,) = uses.lines(at_ns=at(1, month=10))
    assert following.units_month == 0.0
    late_ns = at(3) + (DAYS_KEPT + 1) * 86_400 * S
    assert uses.prune(at_ns=late_ns) == ["2026-09-01", "2026-09-02", "2026-09-03"]
    assert uses.days == {}


def test_a_budget_is_of_a_venue_by_its_name_or_of_every_host_that_ends_so() -> None:
    assert MONTH.is_of(RPC)
    assert MONTH.is_of("rpc/alchemy.com")
    assert not MONTH.is_of("rpc/notalchemy.com")
    assert not MONTH.is_of("venue/alchemy.com.example")
    assert Budget(name="gemini", unit="MB", period="day", most=1.0).is_of("venue/gemini")


@pytest.mark.parametrize(
    ("units", "hours", "is_short"), [(79.0, 23.9, False), (80.0, 23.9, True), (20.0, 2.0, True)]
)
def test_a_budget_is_short_at_four_fifths_or_when_its_pace_would_spend_it(
    *, units: float, hours: float, is_short: bool
) -> None:
    uses = Uses()
    uses.take("chains", [used(units)], at_ns=at(5, hours / 2))

    line = budget_of(uses, DAY, at_ns=at(5, hours))

    assert line.used == units
    assert line.is_short is is_short
    assert line.forecast == pytest.approx(units * 24 / hours)


def test_nothing_is_foretold_of_the_first_hour() -> None:
    uses = Uses()
    uses.take("chains", [used(50)], at_ns=at(5, 0.5))

    assert budget_of(uses, DAY, at_ns=at(5, 0.9)).forecast is None
    assert not budget_of(uses, DAY, at_ns=at(5, 0.9)).is_short


def test_the_pace_of_a_month_is_that_of_its_last_week() -> None:
    uses, count = Uses(), 0.0
    for day in range(1, 21):
        count += 10.0 if day < 12 else 150.0
        uses.take("chains", [used(count)], at_ns=at(day, 12))

    line = budget_of(uses, MONTH, at_ns=at(20, 12))

    assert line.used == 11 * 10 + 9 * 150
    pace = 8 * 150 / 7.5  # seven whole days and a half, of which eight were counted
    assert line.forecast == pytest.approx(line.used + pace * 10.5)
    assert line.is_short


def test_what_was_used_outlives_a_restart_of_whoever_adds_it_up(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    uses = kept.uses()
    uses.take("chains", [used(40)], at_ns=at(5))
    kept.used(uses)
    kept.close()

    again = Kept(tmp_path)
    uses = again.uses()
    uses.take("chains", [used(41)], at_ns=at(5))
    again.forget_days([day_of(at(4))])
    again.close()

    assert uses.lines(at_ns=at(5))[0].units_day == 41
