"""The pace at which a venue is spoken to."""

import pytest

from engine.connectors.limiter import PAUSE_S_MAX, Limiter
from engine.connectors.specs import all_specs
from engine.domain.instruments import VenueId
from engine.ports import RequestBudget

VENUES = all_specs()

NOON_NS = 1_795_003_200_000_000_000
SNAPSHOT = "/api/v3/depth?symbol=BTCUSDT&limit=5000"
SPEC = VENUES[VenueId("binance")]


def limiter_at(now_ns: int, budget: RequestBudget = SPEC.budget) -> Limiter:
    return Limiter(budget, now_ns=lambda: now_ns)


def test_no_minute_of_binance_spends_more_than_its_limit() -> None:
    limiter = limiter_at(NOON_NS)
    spent = [(limiter.reserve(SPEC.instruments_path, 0.0), 20.0)]
    spent += [(limiter.reserve(SNAPSHOT, 0.0), 250.0) for _ in range(100)]

    for start_s in range(120):
        minute = [weight for turn_s, weight in spent if start_s <= max(turn_s, 0) < start_s + 60]

        assert sum(minute) < 6_000


def test_the_snapshots_of_all_default_pairs_wait_for_nothing() -> None:
    limiter = limiter_at(NOON_NS)
    limiter.reserve(SPEC.instruments_path, 0.0)

    assert max(limiter.reserve(SNAPSHOT, 0.0) for _ in range(11)) <= 0.0


@pytest.mark.parametrize("status", [418, 429])
async def test_a_ban_of_twelve_minutes_is_obeyed_for_twelve_minutes(status: int) -> None:
    limiter = limiter_at(NOON_NS)

    limiter.refused(status, "720")

    assert limiter.note() == f"wants no requests until 12:12:00 UTC (status {status})"


@pytest.mark.parametrize("text", ["nan", "-5", "", "soon", "inf", "1e99", "-inf"])
async def test_no_retry_after_is_obeyed_for_less_than_a_moment_or_for_ever(text: str) -> None:
    now_ns = NOON_NS
    limiter = Limiter(SPEC.budget, now_ns=lambda: now_ns, now_s=lambda: now_ns / 1e9)

    limiter.refused(429, text)
    assert limiter.note()
    now_ns += int((PAUSE_S_MAX + 1) * 1e9)

    assert not limiter.note()


async def test_a_ban_beyond_a_day_is_told_with_its_date() -> None:
    limiter = limiter_at(NOON_NS)

    limiter.refused(418, "259200")

    assert "until 2026-11-21 12:00 UTC" in limiter.note()


async def test_weight_that_others_have_used_holds_us_until_the_minute_ends() -> None:
    limiter = limiter_at(NOON_NS + 15_000_000_000)

    limiter.answered({"X-MBX-USED-WEIGHT-1M": "5740"})
    assert not limiter.note()
    limiter.answered({"X-MBX-USED-WEIGHT-1M": "5751"})

    assert limiter.note() == "wants no requests until 12:01:00 UTC (5751 of 6000 weight used)"


async def test_a_wait_that_is_over_is_told_no_more() -> None:
    now_ns = NOON_NS
    limiter = Limiter(SPEC.budget, now_ns=lambda: now_ns, now_s=lambda: now_ns / 1e9)
    limiter.refused(418, "720")

    now_ns += 720_000_000_000

    assert not limiter.note()


@pytest.mark.parametrize("step_s", [28_800, -28_800])
async def test_a_wait_that_lasts_is_told_by_the_clock_as_it_is_after_a_step(step_s: int) -> None:
    wall_ns, passed_s = NOON_NS, 0.0
    limiter = Limiter(SPEC.budget, now_ns=lambda: wall_ns, now_s=lambda: passed_s)
    limiter.refused(418, "720")

    wall_ns += step_s * 1_000_000_000
    hour = 20 if step_s > 0 else 4

    assert limiter.note() == f"wants no requests until {hour:02}:12:00 UTC (status 418)"
    passed_s = 720.0
    assert not limiter.note()
