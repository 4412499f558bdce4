"""What happened, as background tasks are given it."""

import msgspec
import pytest

from engine.bus.past_reports import EpisodesReport, PastTradesReport
from engine.requests.past import GetEpisodes, GetPastTrades
from engine.storage import past
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


async def test_opportunities_come_oldest_first_with_what_became_of_them(
    settings: LedgerSettings, clock: Clock
) -> None:
    records = [
        makers.make_opportunity_record(number=number, seen_at_ns=makers.NOW_NS + number)
        for number in range(1, 4)
    ]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *records, makers.make_closed(number=2))
        report = await ask(
            ledger, GetEpisodes(since_ns=makers.NOW_NS + 2, most=100), EpisodesReport
        )

    second, third = report.episodes
    assert report.left_out == 0
    assert [one.opportunity_id for one in (second, third)] == [
        record.opportunity_id for record in records[1:]
    ]
    assert (second.closed_at_ns, third.closed_at_ns) == (makers.NOW_NS + makers.SECOND_NS, 0)
    assert second.legs == len(records[1].hops) or second.legs == 2
    assert second.peak_usd >= second.profit_usd
    assert set(second.reasons) == {reason for reason, _ in makers.make_closed().refusals}


async def test_when_there_are_more_the_newest_are_given_and_the_others_counted(
    settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "PAGE", 3)
    records = [
        makers.make_opportunity_record(number=number, seen_at_ns=makers.NOW_NS + number // 2)
        for number in range(1, 12)
    ]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *records)
        report = await ask(ledger, GetEpisodes(since_ns=0, most=7), EpisodesReport)
        none = await ask(
            ledger, GetEpisodes(since_ns=makers.NOW_NS + 10**12, most=7), EpisodesReport
        )
        absurd = await ask(ledger, GetEpisodes(since_ns=-(10**18), most=-5), EpisodesReport)

    seen = [one.seen_at_ns for one in report.episodes]
    assert (len(seen), report.left_out) == (7, 4)
    assert seen == sorted(record.seen_at_ns for record in records)[4:]
    assert len({one.opportunity_id for one in report.episodes}) == 7
    assert (none.episodes, none.left_out) == ([], 0)
    assert (len(absurd.episodes), absurd.left_out) == (1, 10)


async def test_trades_come_with_what_they_were_expected_to_be(
    settings: LedgerSettings, clock: Clock
) -> None:
    seen = makers.make_opportunity_record(number=1)
    traded = makers.make_execution_record(number=1)
    landed = makers.make_atomic_record(number=2)
    reverted = makers.make_atomic_record(number=3, why="it gains 1, least 2")
    seen = msgspec.structs.replace(
        seen, opportunity_id=traded.plan.opportunity.opportunity_id, net_edge_bps=12.5
    )
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, seen, traded, landed, reverted)
        report = await ask(ledger, GetPastTrades(since_ns=0, most=100), PastTradesReport)

    by_id = {one.execution_id: one for one in report.trades}
    first = by_id[traded.execution.execution_id]
    execution = traded.execution
    assert report.left_out == 0
    assert (first.outcome, first.net_edge_bps) == ("traded", 12.5)
    assert first.realised_usd == pytest.approx(float(execution.profit_usd))
    assert first.expected_usd == pytest.approx(float(execution.expected_usd))
    assert by_id[landed.execution.execution_id].outcome == "traded"
    last = by_id[reverted.execution.execution_id]
    assert (last.outcome, last.seen_at_ns) == ("reverted", 0)
    assert last.gas_usd > 0
    assert (first.chain, first.block) == ("", 0)
    for record, trade in ((landed, by_id[landed.execution.execution_id]), (reverted, last)):
        transaction = record.execution.transaction
        assert transaction is not None
        assert transaction.receipt is not None
        assert (trade.chain, trade.block) == (transaction.chain, transaction.receipt.block)
