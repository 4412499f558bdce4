"""What is stored while the wall clock is set back keeps its order, and loosens nothing."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.bus.records import EngineState, LoadState
from engine.bus.reports import WhyReport
from engine.requests.why import GetStoredWhy
from engine.storage.backup import list_backups
from engine.storage.generations import make_run_id
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.storage.schedule import bring_forward, scheduled
from tests.patience import PATIENCE_S
from tests.storage import makers
from tests.storage.asking import append, ask, trades
from tests.storage.conftest import Clock

HOUR_NS = 3_600 * makers.SECOND_NS
TODAY_NS = makers.NOW_NS - makers.NOW_NS % makers.DAY_NS


async def test_the_newest_trade_is_the_one_that_was_stored_last(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number, hours in enumerate((0, 8, 1, 2)):
            at_ns = makers.NOW_NS + hours * HOUR_NS
            await append(ledger, makers.make_execution_record(number=number, closed_at_ns=at_ns))

        found = (await trades(ledger)).trades

    assert [trade.execution_id[-1] for trade in found] == ["3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("later_usd", "counted_usd"), [(Decimal(-30), Decimal(-40)), (Decimal(30), Decimal(-10))]
)
async def test_a_restart_after_a_step_back_to_yesterday_loosens_no_day(
    settings: LedgerSettings, clock: Clock, later_usd: Decimal, counted_usd: Decimal
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_execution_record(number=1, profit_usd=Decimal(-10)),
            makers.make_execution_record(
                number=2, profit_usd=later_usd, closed_at_ns=makers.NOW_NS + makers.DAY_NS
            ),
        )

        state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)

    assert Decimal(state.realised_today_usd) == counted_usd


async def test_a_run_is_named_after_the_one_before_it_whatever_the_clock_says(
    settings: LedgerSettings, clock: Clock
) -> None:
    later = make_run_id(makers.NOW_NS + HOUR_NS)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_notice_record(number=1, notice=makers.make_started(run_id="t00000")),
            makers.make_notice_record(number=2, notice=makers.make_started(run_id=later)),
            makers.make_notice_record(number=3),
        )
        state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)

    assert state.run_id == make_run_id(makers.NOW_NS + HOUR_NS + makers.SECOND_NS)


async def test_starts_within_one_second_never_share_a_name_though_none_left_a_record(
    settings: LedgerSettings, clock: Clock
) -> None:
    names = []
    for _ in range(3):
        async with open_ledger(settings, clock=clock) as ledger:
            for _ in range(2):
                state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)
                names.append(state.run_id)

    assert names == [make_run_id(makers.NOW_NS + s * makers.SECOND_NS) for s in range(6)]


@pytest.mark.parametrize("step_s", [0, -1, -28_800, -5_000_000])
def test_no_name_of_a_run_comes_again_and_they_sort_in_their_order(step_s: int) -> None:
    before = make_run_id(makers.NOW_NS)

    after = make_run_id(makers.NOW_NS + step_s * makers.SECOND_NS, after=(before,))

    assert after > before
    assert make_run_id(makers.NOW_NS + 10 * makers.SECOND_NS, after=(before,)) == make_run_id(
        makers.NOW_NS + 10 * makers.SECOND_NS
    )


async def test_an_opportunity_is_open_while_its_run_is_the_newest_though_dated_earlier(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(run_id="run1"))
        await append(
            ledger,
            makers.make_opportunity_record(run_id="run2", seen_at_ns=makers.NOW_NS - HOUR_NS),
        )
        before = await ask(ledger, GetStoredWhy(ref="run1-1"), WhyReport)
        newest = await ask(ledger, GetStoredWhy(ref="run2-1"), WhyReport)

    assert not before.line.is_open
    assert newest.line.is_open


async def test_the_newest_backups_are_kept_though_the_clock_was_set_back(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    settings = dataclasses.replace(sqlite_settings, backups_kept=2)
    taken = []
    async with open_ledger(settings, clock=clock) as ledger:
        for number in range(4):
            await append(ledger, makers.make_execution_record(number=number))
            taken.append(await ledger.backup())
            clock.now_ns -= HOUR_NS

    assert list_backups(settings.backups_dir) == taken[-2:]


class Jobs:
    """The jobs of a ledger, counted; obeys `schedule.Upkeep`."""

    def __init__(self) -> None:
        self.retained = 0
        self.backed_up = 0
        self.is_done = asyncio.Event()

    async def apply_retention(self) -> int:
        self.retained += 1
        self._look()
        raise ValueError("a fault that nobody foresaw")

    async def tell_day(self) -> object:
        raise AssertionError("no hour is set")

    async def tell_transfers(self) -> object:
        return None

    async def backup_if_changed(self) -> object:
        self.backed_up += 1
        self._look()
        return None

    def _look(self) -> None:
        if self.retained > 1 and self.backed_up > 1:
            self.is_done.set()


async def test_jobs_come_again_also_after_one_has_failed(sqlite_settings: LedgerSettings) -> None:
    settings = dataclasses.replace(sqlite_settings, backup_s=1, retention_s=1)
    jobs = Jobs()
    async with asyncio.timeout(PATIENCE_S), scheduled(jobs, settings=settings, is_sqlite=True):
        await jobs.is_done.wait()


async def test_no_job_waits_longer_than_its_interval_after_a_step_back(
    sqlite_settings: LedgerSettings,
) -> None:
    async with scheduled(Jobs(), settings=sqlite_settings, is_sqlite=True) as scheduler:
        for job in scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time + timedelta(days=1))

        bring_forward(scheduler)

        waits = [
            job.next_run_time - datetime.now(UTC) - job.trigger.interval
            for job in scheduler.get_jobs()
        ]
    assert len(waits) == 3
    assert max(waits) <= timedelta(0)
