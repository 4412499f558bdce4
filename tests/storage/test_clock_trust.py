"""A clock that is far ahead deletes no news early, and says so once."""

from engine.bus.notices import ClockCorrected, RetentionHeld
from engine.bus.records import NoticeRecord
from engine.bus.reports import ExportReport
from engine.domain.modes import Basis
from engine.requests.money import GetExport
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask, notices
from tests.storage.conftest import Clock

DAY_NS = makers.DAY_NS


async def opportunities(ledger: Ledger) -> int:
    return (await ask(ledger, GetExport(table="opportunities", days=20_000), ExportReport)).rows


async def held(ledger: Ledger) -> list[int]:
    found = (await notices(ledger)).notices
    return [one.notice.ahead_ns for one in found if isinstance(one.notice, RetentionHeld)]


def corrected(clock: Clock, step_ns: int) -> NoticeRecord:
    notice = ClockCorrected(
        at_ns=clock.now_ns, basis=Basis.SANDBOX, step_ns=step_ns, asleep_ns=9 * DAY_NS
    )
    return makers.make_notice_record(number=7, notice=notice)


async def test_a_clock_far_ahead_deletes_nothing_says_so_once_and_goes_on_when_set_right(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(number=1))
        clock.now_ns += 400 * DAY_NS
        await append(ledger, makers.make_opportunity_record(number=2, seen_at_ns=clock.now_ns))
        assert await ledger.apply_retention() == 0
    clock.now_ns += makers.SECOND_NS

    async with open_ledger(settings, clock=clock) as ledger:
        assert await ledger.apply_retention() == 0
        assert await held(ledger) == [400 * DAY_NS]
        clock.now_ns = makers.NOW_NS + 20 * DAY_NS
        await append(ledger, makers.make_opportunity_record(number=3, seen_at_ns=clock.now_ns))
        assert await ledger.apply_retention() == 0
        assert await opportunities(ledger) == 3

        clock.now_ns += 11 * DAY_NS
        assert await ledger.apply_retention() == 1
        assert await opportunities(ledger) == 2


async def test_after_a_long_rest_old_news_goes_a_day_later(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(number=1))
        clock.now_ns += 90 * DAY_NS
        await append(ledger, makers.make_opportunity_record(number=2, seen_at_ns=clock.now_ns))
        assert await ledger.apply_retention() == 0
        clock.now_ns += DAY_NS - 1
        assert await ledger.apply_retention() == 0

        clock.now_ns += 1
        assert await ledger.apply_retention() == 1
        assert len(await held(ledger)) == 1


async def test_a_step_ahead_is_believed_after_a_day(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_opportunity_record(number=1, seen_at_ns=clock.now_ns - 25 * DAY_NS),
            makers.make_opportunity_record(number=2, seen_at_ns=clock.now_ns - 5 * DAY_NS),
        )
        clock.now_ns += 10 * DAY_NS
        await append(ledger, corrected(clock, 10 * DAY_NS))
        assert await ledger.apply_retention() == 0
        assert await held(ledger) == [10 * DAY_NS]

        clock.now_ns += DAY_NS
        assert await ledger.apply_retention() == 1


async def test_a_small_step_a_sleep_and_a_step_that_was_taken_back_hold_nothing(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_opportunity_record(number=1, seen_at_ns=clock.now_ns - 31 * DAY_NS),
            makers.make_opportunity_record(number=2, seen_at_ns=clock.now_ns - 5 * DAY_NS),
            corrected(clock, 60 * makers.SECOND_NS),
        )
        clock.now_ns += 10 * DAY_NS
        back = corrected(clock, 10 * DAY_NS)
        await append(ledger, makers.make_notice_record(number=8, notice=back.notice))
        clock.now_ns -= 10 * DAY_NS

        assert await ledger.apply_retention() == 1
        assert await held(ledger) == []
