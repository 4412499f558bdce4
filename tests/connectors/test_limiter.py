"""The pace at which a venue is spoken to."""

import asyncio

import pytest

from engine.connectors.limiter import PAUSE_S_MAX, Limiter
from engine.connectors.specs import all_specs
from engine.domain.instruments import VenueId
from engine.domain.traffic import Meter
from engine.ports import RequestBudget
from tests.simulation.virtual_time import virtual_loop
from tests.trading.work_world import in_virtual_time

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


def test_each_turn_is_counted_with_what_it_weighs() -> None:
    meter = Meter()
    limiter = Limiter(SPEC.budget, now_ns=lambda: NOON_NS, meter=meter)
    limiter.reserve(SNAPSHOT, 0.0)
    limiter.reserve(SNAPSHOT, 0.0, weight=3.0)

    assert (meter.requests, meter.units) == (2, 253.0)


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


async def test_what_only_asks_leaves_weight_for_what_must_not_wait() -> None:
    passed_s = 0.0
    budget = RequestBudget(weight_per_s=1.0, weight_burst=10.0)
    limiter = Limiter(budget, now_ns=lambda: NOON_NS, now_s=lambda: passed_s)
    for _ in range(8):
        await limiter.turn_behind(weight=1.0, kept=2.0)
    waiting = [asyncio.create_task(limiter.turn_behind(weight=3.0, kept=2.0)) for _ in range(3)]
    await asyncio.sleep(0)

    assert not any(one.done() for one in waiting)
    assert limiter.wait_s(2.0) <= 0
    assert limiter.wait_s(3.0) == 1.0
    limiter.take(2.0)
    assert limiter.wait_s(1.0) == 1.0
    passed_s = 1_000.0
    assert limiter.wait_s(10.0) <= 0
    for one in waiting:
        one.cancel()


async def test_what_weighs_nearly_all_there_is_still_gets_its_turn() -> None:
    budget = RequestBudget(weight_per_s=1.0, weight_burst=4.0)
    limiter = Limiter(budget, now_ns=lambda: NOON_NS, now_s=lambda: 0.0)

    await limiter.turn_behind(weight=4.0, kept=2.0)

    assert limiter.wait_s(1.0) == 1.0


def test_what_weighs_much_is_not_overtaken_for_ever_by_what_weighs_little() -> None:
    went: list[tuple[str, float]] = []

    async def go(limiter: Limiter, name: str, weight: float) -> None:
        await limiter.turn_behind(weight=weight, kept=2.0)
        went.append((name, virtual_loop().now_s))

    async def all_go() -> None:
        budget = RequestBudget(weight_per_s=1.0, weight_burst=10.0)
        limiter = Limiter(budget, now_ns=lambda: NOON_NS)
        limiter.take(10.0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(go(limiter, "much", 7.0))
            tasks.create_task(go(limiter, "little", 1.0))

    in_virtual_time(all_go)

    assert [(name, round(at_s, 3)) for name, at_s in went] == [("much", 9.0), ("little", 10.0)]
