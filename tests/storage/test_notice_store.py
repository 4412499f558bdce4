"""No notice is lost or repeated for a reader that confirms what it delivered."""

import asyncio
import contextlib
import sqlite3

import pytest

from engine.bus.health_reports import EndsHeard, HealthReport, NotWatched, RoleEnd
from engine.bus.notices import Notice
from engine.bus.records import LatchAct, Record
from engine.bus.reports import InboxStored, Thread, ThreadsReport
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.requests.chat import DoneNotices, GetThreads, PinThread
from engine.requests.health import GetHealth, TellEnds
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.storage.ledger_settings import DATABASE_NAME
from engine.storage.thread_store import KEPT
from tests.patience import PATIENCE_S
from tests.storage import makers
from tests.storage.asking import append, ask, notices
from tests.storage.conftest import Clock

KILL_AND_UNKILL = (LatchAct.KILL, LatchAct.UNKILL)


async def test_a_reader_gets_what_it_has_not_confirmed_after_a_restart(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *(makers.make_notice_record(number=number) for number in (1, 2, 3)))
        first = (await notices(ledger)).notices[0]
        await ask(ledger, DoneNotices(reader="phone", seq=first.seq), InboxStored)

    async with open_ledger(settings, clock=clock) as ledger:
        report = await notices(ledger)
        other = await notices(ledger, reader="terminal")

    assert [stamped.notice for stamped in report.notices] == [
        makers.make_notice(number=number) for number in (2, 3)
    ]
    assert report.delivered_seq == first.seq
    assert report.newest_seq == report.notices[-1].seq
    assert len(other.notices) == 3


class Faulty(NotWatched):
    """Answers that all is well, and fails at one role's end."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def ended(self, end: RoleEnd) -> None:
        if end.role == "bot":
            raise KeyError("a fault of the watch")
        self.heard.append(end.role)

    def health(self) -> HealthReport:
        return HealthReport(
            basis=Basis.SANDBOX,
            at_ns=makers.NOW_NS,
            components=[],
            open_incidents=[],
            incidents=0,
            failures=0,
            watched_since_ns=0,
        )


async def test_a_fault_of_the_watch_at_one_roles_end_is_shown_and_loses_no_other(
    settings: LedgerSettings, clock: Clock
) -> None:
    ends = [
        RoleEnd(number=number, at_ns=makers.NOW_NS, role=role, why="killed")
        for number, role in enumerate(("bot", "engine", "bot", "sandbox"), 7)
    ]
    async with open_ledger(settings, clock=clock) as ledger:
        with pytest.raises(TransientError):  # and is told again: nobody watches yet
            await ask(ledger, TellEnds(ends=ends), EndsHeard)
        desk = ledger.health_desk = Faulty()
        told = await ask(ledger, TellEnds(ends=ends), EndsHeard)
        health = await ask(ledger, GetHealth(), HealthReport)

    assert told.number == 10
    assert desk.heard == ["engine", "sandbox"]
    assert health.trouble == "the watch failed at 2 ends of roles: see log"


async def test_every_kind_of_notice_comes_back_equal(
    settings: LedgerSettings, clock: Clock
) -> None:
    news: list[Notice] = [makers.make_started(), makers.make_paper_traded(), makers.make_notice()]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            *(
                makers.make_notice_record(number=number, notice=notice)
                for number, notice in enumerate(news)
            ),
        )

        report = await notices(ledger)

    assert [stamped.notice for stamped in report.notices] == news


async def test_a_notice_of_another_version_does_not_stop_those_after_it(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *(makers.make_notice_record(number=number) for number in (1, 2)))
        await ledger._writer.transact(
            lambda connection: connection.exec_driver_sql(
                "UPDATE notices SET notice = '{\"type\":\"Later\"}' WHERE record_id = 'notice-1'"
            )
        )

        report = await notices(ledger)

    assert [stamped.notice for stamped in report.notices] == [makers.make_notice(number=2)]


@pytest.mark.parametrize(
    "record",
    [makers.make_notice_record(), *(makers.make_latch_record(act=act) for act in KILL_AND_UNKILL)],
    ids=["notice", *KILL_AND_UNKILL],
)
async def test_a_waiting_reader_is_told_as_soon_as_a_notice_is_stored(
    settings: LedgerSettings, clock: Clock, record: Record
) -> None:
    async with (
        open_ledger(settings, clock=clock) as ledger,
        asyncio.timeout(PATIENCE_S),
        asyncio.TaskGroup() as tasks,
    ):
        news = ledger.chats._news
        waiting = tasks.create_task(notices(ledger, wait_ms=60_000))
        # The reader has looked, found nothing, and waits.
        while not news._waiters:
            await asyncio.sleep(0)
        await append(ledger, record)

    assert len(waiting.result().notices) == 1


async def test_waiting_ends_empty_after_the_time_asked(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        report = await notices(ledger, wait_ms=1)

    assert not report.notices


async def test_a_cursor_never_moves_back_nor_past_the_newest_notice(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_notice_record(number=1))
        newest_seq = (await notices(ledger)).newest_seq
        await ask(ledger, DoneNotices(reader="phone", seq=newest_seq + 500), InboxStored)
        await ask(ledger, DoneNotices(reader="phone", seq=0), InboxStored)
        await append(ledger, makers.make_notice_record(number=2))

        report = await notices(ledger)

    assert report.delivered_seq == newest_seq
    assert [stamped.notice for stamped in report.notices] == [makers.make_notice(number=2)]


async def test_a_reader_ahead_of_a_restored_database_starts_from_what_it_confirmed(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_notice_record())

        report = await notices(ledger, after_seq=900)

    assert len(report.notices) == 1


async def test_a_notice_number_is_never_given_twice(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_notice_record(number=1))
        used_seq = (await notices(ledger)).newest_seq
        await ask(ledger, DoneNotices(reader="phone", seq=used_seq), InboxStored)
        clock.now_ns += 31 * makers.DAY_NS
        assert await ledger.apply_retention() == 1

    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_notice_record(number=2))
        report = await notices(ledger)

    (stamped,) = report.notices
    assert stamped.seq > used_seq


async def test_threads_are_kept_by_chat_with_the_confirmation_and_only_the_newest(
    settings: LedgerSettings, clock: Clock
) -> None:
    def done(seq: int, *names: str, chat: str = "a") -> DoneNotices:
        threads = tuple(Thread(name=name, message_id=100 + seq) for name in names)
        return DoneNotices(reader="phone", seq=seq, chat=chat, threads=threads)

    async with open_ledger(settings, clock=clock) as ledger:
        await ask(ledger, done(1, "old", "moved"), InboxStored)
        await ask(ledger, done(2, "other", chat="b"), InboxStored)
        await ask(ledger, done(3, "moved"), InboxStored)
    async with open_ledger(settings, clock=clock) as ledger:
        of_a = await ask(ledger, GetThreads(chat="a"), ThreadsReport)
        of_b = await ask(ledger, GetThreads(chat="b"), ThreadsReport)
        for seq in range(4, 4 + KEPT - 1):
            await ask(ledger, done(seq, f"new {seq}"), InboxStored)
        newest = await ask(ledger, GetThreads(chat="a"), ThreadsReport)

    assert of_a.threads == [
        Thread(name="old", message_id=101),
        Thread(name="moved", message_id=103),
    ]
    assert of_b.threads == [Thread(name="other", message_id=102)]
    assert newest.threads[0] == Thread(name="moved", message_id=103)
    assert len(newest.threads) == KEPT


async def test_what_stands_for_good_stays_however_much_follows(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for message_id in (7, 8):
            await ask(ledger, PinThread(chat="a", name="card", message_id=message_id), InboxStored)
        for seq in range(1, KEPT + 20):
            threads = (Thread(name=f"new {seq}", message_id=seq),)
            done = DoneNotices(reader="phone", seq=seq, chat="a", threads=threads)
            await ask(ledger, done, InboxStored)
        kept = await ask(ledger, GetThreads(chat="a"), ThreadsReport)

    assert len(kept.threads) == KEPT
    assert kept.threads[-1] == Thread(name="card", message_id=8)


async def test_threads_beyond_the_newest_leave_the_database(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        for seq in range(1, KEPT + 20):
            threads = (Thread(name=f"new {seq}", message_id=seq),)
            done = DoneNotices(reader="phone", seq=seq, chat="a", threads=threads)
            await ask(ledger, done, InboxStored)

    with contextlib.closing(sqlite3.connect(sqlite_settings.data_dir / DATABASE_NAME)) as database:
        ((count,),) = database.execute("SELECT count(*) FROM threads")
    assert count == KEPT
