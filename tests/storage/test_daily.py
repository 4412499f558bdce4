"""The daily report: each UTC day once, whatever restarts, and none of a day without anything."""

from dataclasses import replace

import pytest

from engine.bus.notices import DayClosed
from engine.storage.daily import due_day
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.wiring.ledger_role import seconds_of_day
from tests.storage import makers
from tests.storage.asking import append, notices
from tests.storage.conftest import Clock

DAY_NS = makers.DAY_NS
FIVE_PAST_S = 300
TODAY_NS = makers.NOW_NS // DAY_NS * DAY_NS


async def told(ledger: Ledger) -> list[DayClosed]:
    """Return the reports that are stored."""
    report = await notices(ledger, reader="other", after_seq=0)
    return [one.notice for one in report.notices if isinstance(one.notice, DayClosed)]


@pytest.mark.parametrize(
    ("rest_s", "is_due"), [(0, False), (299, False), (300, True), (86_399, True)]
)
def test_a_day_is_due_from_its_hour_on(rest_s: int, *, is_due: bool) -> None:
    day = due_day(TODAY_NS + rest_s * makers.SECOND_NS, at_s=FIVE_PAST_S)

    assert day == ("2026-05-27" if is_due else None)


async def test_a_day_is_told_once_over_restarts(settings: LedgerSettings, clock: Clock) -> None:
    settings = replace(settings, daily_at_s=FIVE_PAST_S)
    clock.now_ns = TODAY_NS + 60 * makers.SECOND_NS
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger, makers.make_execution_record(number=1, closed_at_ns=TODAY_NS - DAY_NS // 2)
        )
        assert await ledger.tell_day() is None
        clock.now_ns = TODAY_NS + 301 * makers.SECOND_NS
        assert await ledger.tell_day() == "2026-05-27"
        assert await ledger.tell_day() is None
    async with open_ledger(settings, clock=clock) as ledger:
        assert await ledger.tell_day() is None
        clock.now_ns = TODAY_NS - 3_600 * makers.SECOND_NS  # the clock is set back
        assert await ledger.tell_day() is None
        clock.now_ns = TODAY_NS + DAY_NS + 400 * makers.SECOND_NS
        assert await ledger.tell_day() == "2026-05-28"  # the notice of the day before was of it
        (one, _) = await told(ledger)

    assert (one.day, one.sums.trades, one.differences) == ("2026-05-27", 1, 0)
    assert one.best is not None
    assert one.sums.realised == one.best.realised


async def test_no_day_is_told_before_there_was_anything(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    settings = replace(sqlite_settings, daily_at_s=FIVE_PAST_S)
    async with open_ledger(settings, clock=clock) as ledger:
        assert await ledger.tell_day() is None


async def test_a_report_that_is_off_never_comes(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(
            ledger, makers.make_execution_record(number=1, closed_at_ns=TODAY_NS - DAY_NS // 2)
        )
        assert await ledger.tell_day() is None
        assert await told(ledger) == []


@pytest.mark.parametrize(("text", "seconds"), [("00:05", 300), ("23:59", 86_340), ("off", None)])
def test_the_hour_is_read_from_the_setting(text: str, seconds: int | None) -> None:
    assert seconds_of_day(text) == seconds
