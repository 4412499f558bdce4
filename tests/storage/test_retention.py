"""Age takes opportunities, read notices and done updates, and never money."""

import asyncio
import dataclasses

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.reports import ExportReport, InboxStored, Unknown
from engine.requests.chat import DoneNotices
from engine.requests.money import GetExport
from engine.requests.why import GetStoredWhy
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.retention import BATCH_ROWS
from tests.patience import PATIENCE_S
from tests.storage import makers
from tests.storage.asking import append, ask, notices, trades
from tests.storage.conftest import Clock


async def pass_days(ledger: Ledger, clock: Clock, days: int) -> None:
    """Let days pass in which something was stored now and then."""
    clock.now_ns += days * makers.DAY_NS
    at_ns = clock.now_ns - 2 * makers.DAY_NS
    await append(ledger, makers.make_state_record(number=99, at_ns=at_ns))


async def test_only_what_is_older_than_the_retention_goes(
    settings: LedgerSettings, clock: Clock
) -> None:
    limit_ns = 30 * makers.DAY_NS
    clock.now_ns = makers.NOW_NS + limit_ns
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_opportunity_record(number=1, seen_at_ns=makers.NOW_NS - 1),
            makers.make_opportunity_record(number=2, seen_at_ns=makers.NOW_NS),
        )
        assert await ledger.apply_retention() == 1

        await ask(ledger, GetStoredWhy(ref="run1-1"), Unknown)
        export = await ask(ledger, GetExport(table="opportunities", days=900), ExportReport)

    assert export.rows == 1


async def test_money_is_never_deleted_by_age(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_execution_record(), makers.make_state_record())
        await append(ledger, makers.make_opportunity_record())
        await pass_days(ledger, clock, 10_000)

        assert await ledger.apply_retention() == 1, "the opportunity alone"
        assert (await trades(ledger)).total == 1
        fills = await ask(ledger, GetExport(table="fills", days=20_000), ExportReport)
        audit = await ask(ledger, GetExport(table="audit", days=20_000), ExportReport)

    assert (fills.rows, audit.rows) == (4, 2)


async def test_a_notice_stays_until_the_slowest_reader_has_it(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *(makers.make_notice_record(number=number) for number in (1, 2)))
        first, second = (stamped.seq for stamped in (await notices(ledger)).notices)
        await ask(ledger, DoneNotices(reader="phone", seq=second), InboxStored)
        await ask(ledger, DoneNotices(reader="terminal", seq=first), InboxStored)
        clock.now_ns += 31 * makers.DAY_NS

        assert await ledger.apply_retention() == 1
        waiting = await notices(ledger, reader="terminal")
        await pass_days(ledger, clock, 366)
        assert await ledger.apply_retention() == 1

    assert [stamped.seq for stamped in waiting.notices] == [second]


async def test_more_than_a_batch_goes_in_several_transactions(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    count = 2 * BATCH_ROWS + 1
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(
            ledger, *(makers.make_opportunity_record(number=number) for number in range(count))
        )
        clock.now_ns += 31 * makers.DAY_NS

        assert await ledger.apply_retention() == count
        assert await ledger.apply_retention() == 0


async def test_the_retention_job_runs_by_itself(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    settings = dataclasses.replace(sqlite_settings, retention_s=1)
    async with open_ledger(settings, clock=clock) as ledger, asyncio.timeout(PATIENCE_S):
        await append(ledger, makers.make_opportunity_record())
        clock.now_ns += 31 * makers.DAY_NS
        while not isinstance(await ledger.answer(GetStoredWhy(ref="run1-1")), Unknown):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM executions WHERE closed_at_ns >= 1", "ix_executions_closed_at_ns"),
        (
            "SELECT * FROM executions ORDER BY closed_at_ns DESC, execution_id DESC LIMIT 9",
            "ix_executions_closed_at_ns",
        ),
        ("SELECT * FROM executions WHERE opportunity_id = 'x'", "ix_executions_opportunity_id"),
        ("SELECT * FROM executions WHERE residual_sign <> 0", "ix_executions_residual"),
        ("SELECT * FROM orders WHERE execution_id = 'x'", "ix_orders_execution_id"),
        ("SELECT * FROM fills WHERE client_order_id = 'x'", "ix_fills_client_order_id"),
        ("SELECT 1 FROM opportunities WHERE seen_at_ns < 1", "ix_opportunities_seen_at_ns"),
        (
            "SELECT * FROM inbox WHERE source = 'x' AND done_at_ns IS NULL ORDER BY update_id",
            "ix_inbox_waiting",
        ),
        ("SELECT 1 FROM inbox WHERE done_at_ns < 1", "ix_inbox_done_at_ns"),
    ],
)
async def test_a_query_over_a_growing_table_uses_its_index(
    sqlite_settings: LedgerSettings, clock: Clock, query: str, index: str
) -> None:
    async def explain(connection: AsyncConnection) -> str:
        plan = await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))
        return "; ".join(row[3] for row in plan)

    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        plan = await ledger._writer.transact(explain)

    assert index in plan
