"""What a single transaction answers: figures and decisions, and the chat's durable inbox."""

from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.commands import (
    DoneInbox,
    DoneNotices,
    GetThreads,
    GetTrades,
    GetWhy,
    PutInbox,
    TakeInbox,
)
from engine.bus.records import EngineState, LoadState
from engine.bus.reports import (
    InboxItems,
    InboxStored,
    ThreadsReport,
    TradesReport,
    Unknown,
    WhyReport,
)
from engine.domain.units import NS_PER_DAY
from engine.storage import inbox_store, notice_store, thread_store
from engine.storage.ledger_settings import LedgerSettings
from engine.storage.totals import load_state, load_trades
from engine.storage.why import load_why

DAYS_MAX = 36_500

MoneyRequest = LoadState | GetTrades | GetWhy
MoneyReply = EngineState | TradesReport | WhyReport | Unknown
ChatRequest = PutInbox | TakeInbox | DoneInbox | DoneNotices | GetThreads


async def load(
    connection: AsyncConnection, request: MoneyRequest, *, now_ns: int, settings: LedgerSettings
) -> MoneyReply:
    """Load what is asked about executions, state and decisions."""
    match request:
        case LoadState():
            return await load_state(
                connection,
                day_start_ns=request.day_start_ns,
                at_ns=now_ns,
                basis=settings.basis,
            )
        case GetTrades():
            return await load_trades(connection, limit=request.limit)
        case GetWhy():
            return await load_why(
                connection, ref=request.ref, now_ns=now_ns, market_note=settings.market_note
            )
    assert_never(request)


async def chat(
    connection: AsyncConnection, request: ChatRequest, *, now_ns: int, own_ids: set[int]
) -> InboxStored | InboxItems | ThreadsReport:
    """Store, load or mark as done what a front-end received or delivered.

    `own_ids` is an empty set that is kept over runs of one request, see `inbox_store.put`.
    """
    match request:
        case PutInbox():
            return await inbox_store.put(
                connection,
                source=request.source,
                updates=request.updates,
                now_ns=now_ns,
                own_ids=own_ids,
            )
        case TakeInbox():
            return await inbox_store.load_waiting(connection, source=request.source)
        case DoneInbox():
            return await inbox_store.mark_done(
                connection, source=request.source, update_id=request.update_id, now_ns=now_ns
            )
        case DoneNotices():
            await notice_store.confirm(connection, reader=request.reader, seq=request.seq)
            await thread_store.keep(
                connection, chat=request.chat, threads=request.threads, seq=request.seq
            )
            return InboxStored()
        case GetThreads():
            return await thread_store.load_threads(connection, chat=request.chat)
    assert_never(request)


def bounded_days(days: int) -> int:
    """Bound a number of days that a person asked for: 1 to `DAYS_MAX`."""
    return max(1, min(days, DAYS_MAX))


def since(now_ns: int, *, days: int) -> int:
    """Return the instant that many days ago."""
    return now_ns - bounded_days(days) * NS_PER_DAY
