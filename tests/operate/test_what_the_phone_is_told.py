"""What the journal tells is what it records: the same trade, to the last cent, each once."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from engine.bus.notices import LateFill, LimitHit, OpportunitySeen, PaperTraded
from engine.bus.records import DepositRecord, ExecutionRecord, NoticeRecord
from engine.core.journal import Decided
from engine.detect.screening.episodes import Closed
from engine.domain.mixed_routes import ON_SEVERAL_CHAINS
from engine.domain.opportunities import HopKind, Opportunity, Reason, Refusal
from engine.execute.late import LateFinished
from engine.operate.journal.recent import RECENT_MAX
from tests.reference.engine import MS, Engine, header_of
from tests.reference.gaps import make_gap
from tests.reference.run_core import make_reports


def traded() -> Engine:
    """A trade of which the second leg found nothing and the first cannot be unwound."""
    engine = Engine(header_of())
    engine.fund()
    engine.show(0, [("100.00", "9")], [("100.10", "9")])
    engine.show(1, [("101.00", "9")], [("101.20", "9")])
    engine.show(1, [("99.00", "9")], [("101.20", "9")])
    engine.show(0, [("99.00", "0.001")], [("100.10", "9")])
    for _ in range(600):
        engine.tick(5)
    return engine


def test_a_trade_is_told_as_it_is_recorded() -> None:
    engine = traded()
    (record,) = engine.executions

    (told,) = [one for one in engine.notices if isinstance(one, PaperTraded)]

    execution = record.execution
    assert (told.execution_id, told.opportunity_id) == (
        execution.execution_id,
        execution.opportunity_id,
    )
    assert (told.profit_usd, told.expected_usd) == (execution.profit_usd, execution.expected_usd)
    assert told.profit_usd != told.expected_usd
    assert told.left_over == tuple(one.held for one in execution.residuals)
    assert [one.asset for one in told.left_over] == ["BTC"]
    assert told.left_over[0].value > 0
    assert told.at_ns == execution.closed_at_ns
    assert told.story == execution.story is not None


def test_no_two_records_have_one_name() -> None:
    engine = traded()

    for kind in (NoticeRecord, DepositRecord):
        names = [one.record_id for one in engine.records if isinstance(one, kind)]
        assert len(names) > 1
        assert len(set(names)) == len(names)


def test_what_came_late_is_told_with_what_it_changed() -> None:
    engine = traded()
    (record,) = engine.executions
    late = replace(
        record.execution,
        execution_id="late",
        corrects=record.execution.execution_id,
        profit_usd=Decimal("-1.25"),
        profit_quote=Decimal("-1.25"),
    )

    engine.core.journal.execution_finished(LateFinished(plan=record.plan, execution=late))

    (told,) = [one for one in engine.notices if isinstance(one, LateFill)]
    stored = [one.execution for one in engine.records if isinstance(one, ExecutionRecord)][-1]
    assert told.execution_id == stored.corrects == record.execution.execution_id
    assert told.profit_usd == stored.profit_usd == Decimal("-1.25")
    assert told.fills == sum(len(order.fills) for order in stored.orders) > 0
    assert told.left_over == tuple(one.held for one in stored.residuals)


def test_the_decision_log_has_the_whole_life_of_an_opportunity() -> None:
    engine = traded()

    events = [msgspec.json.decode(line)[0] for line in engine.lines]

    (entry,) = engine.core.journal.recent.newest
    life = [event for event in events if event != "deposited"]
    assert life == ["found", "decided", "closed", "executed"]
    closed_at_ns = entry.closed_at_ns
    assert closed_at_ns is not None
    seen_at_ns = entry.opportunity.seen_at_ns
    assert entry.line(engine.now_ns).lasted_ms == (closed_at_ns - seen_at_ns) // MS
    entry.closed_at_ns = None
    assert entry.line(seen_at_ns + 7 * MS).lasted_ms == 7
    assert entry.line(seen_at_ns - 7 * MS).lasted_ms == 0  # a report by a clock set back


def test_a_refusal_counts_once_for_each_reason_of_an_opportunity() -> None:
    engine = Engine(header_of())
    board = engine.core.board
    seen = make_gap(board.instruments[0], board.instruments[1])
    first, other = Reason.POSITION_LIMIT, Reason.EDGE_BELOW_MIN

    for number, reason in enumerate((first, first, other, other, first)):
        refusal = Refusal(
            opportunity_id=seen.opportunity_id,
            decided_at_ns=engine.now_ns + number,
            reason=reason,
            detail="no",
        )
        engine.core.journal.opportunity_decided(
            Decided(
                opportunity=seen,
                decision=refusal,
                is_first=number == 0,
                frame_seqs=(1, 2, 3),
                profit_usd=1.0,
            )
        )

    assert engine.core.journal.counts.refused == {first: 1, other: 1}


def test_a_limit_that_goes_on_to_be_hit_is_told_once_a_minute() -> None:
    engine = Engine(header_of())
    board = engine.core.board
    seen = make_gap(board.instruments[0], board.instruments[1])

    def refuse(at_ns: int, *, is_first: bool = False) -> None:
        engine.core.journal.opportunity_decided(
            Decided(
                opportunity=seen,
                decision=Refusal(
                    opportunity_id=seen.opportunity_id,
                    decided_at_ns=at_ns,
                    reason=Reason.POSITION_LIMIT,
                    detail="used 1 USD",
                ),
                is_first=is_first,
                frame_seqs=(1, 2, 3),
                profit_usd=1.0,
            )
        )

    def told() -> list[int]:
        return [one.at_ns - start_ns for one in engine.notices if isinstance(one, LimitHit)]

    start_ns, minute_ns = engine.now_ns, 60_000 * MS
    refuse(start_ns, is_first=True)
    refuse(start_ns + minute_ns - 1)
    assert told() == [0]
    refuse(start_ns + minute_ns)
    assert told() == [0, minute_ns]


def _see(engine: Engine, seen: Opportunity, *, number: int, usd: float | None, at_ns: int) -> None:
    """Have an opportunity found and refused."""
    seen = msgspec.structs.replace(seen, opportunity_id=f"r-{number}", seen_at_ns=at_ns)
    refusal = Refusal(
        opportunity_id=seen.opportunity_id,
        decided_at_ns=at_ns,
        reason=Reason.OBSERVE_ONLY,
        detail="no",
    )
    engine.core.journal.opportunity_found(seen)
    engine.core.journal.opportunity_decided(
        Decided(
            opportunity=seen,
            decision=refusal,
            is_first=True,
            frame_seqs=(1, 2, 3),
            profit_usd=usd,
        )
    )


def test_opportunities_of_a_minute_are_told_as_the_best_and_how_many() -> None:
    engine = Engine(header_of())
    board, start_ns = engine.core.board, engine.now_ns
    gap = make_gap(board.instruments[0], board.instruments[1])

    def told() -> list[tuple[str, int]]:
        seen = [one for one in engine.notices if isinstance(one, OpportunitySeen)]
        return [(one.opportunity_id, one.others) for one in seen]

    _see(engine, gap, number=1, usd=3.0, at_ns=start_ns)
    assert told() == [("r-1", 0)], "the first at once"
    for number, usd in ((2, 4.0), (3, 9.0), (4, 0.5), (5, 2.0)):
        _see(engine, gap, number=number, usd=usd, at_ns=start_ns + number * MS)
    engine.tick(59_999)
    assert told() == [("r-1", 0)]
    engine.tick(1)

    assert told() == [("r-1", 0), ("r-3", 2)], "0.5 USD is worth no word"
    engine.tick(120_000)
    assert len(told()) == 2, "nothing waited"
    _see(engine, gap, number=6, usd=2.0, at_ns=engine.now_ns)
    assert told()[2:] == [("r-6", 0)]


def test_an_opportunity_is_told_at_once_after_the_clock_was_set_back() -> None:
    engine = Engine(header_of())
    gap = make_gap(engine.core.board.instruments[0], engine.core.board.instruments[1])

    _see(engine, gap, number=1, usd=3.0, at_ns=engine.now_ns)
    _see(engine, gap, number=2, usd=3.0, at_ns=engine.now_ns - 3_600_000 * MS)

    seen = [one for one in engine.notices if isinstance(one, OpportunitySeen)]
    assert [one.opportunity_id for one in seen] == ["r-1", "r-2"]


def test_what_no_executor_carries_out_is_counted_by_its_reason_and_told_to_nobody() -> None:
    engine = Engine(header_of())
    gap = make_gap(engine.core.board.instruments[0], engine.core.board.instruments[1])
    apart = msgspec.structs.replace(
        gap,
        hops=tuple(
            msgspec.structs.replace(hop, kind=HopKind.POOL, chain=chain)
            for hop, chain in zip(gap.hops, ("base", "polygon"), strict=True)
        ),
    )

    _see(engine, gap, number=1, usd=3.0, at_ns=engine.now_ns)
    for number in range(2, 300):
        _see(engine, apart, number=number, usd=100.0 + number, at_ns=engine.now_ns)
    engine.tick(60_000)

    seen = [one for one in engine.notices if isinstance(one, OpportunitySeen)]
    assert [(one.opportunity_id, one.others) for one in seen] == [("r-1", 0)]
    journal, reports = engine.core.journal, make_reports(engine.core)
    assert (journal.counts.found, journal.counts.refused) == (1, {Reason.OBSERVE_ONLY: 1})
    listed = reports.opportunities(500, engine.now_ns)
    assert [line.opportunity_id for line in listed.opportunities] == ["r-1"]
    assert listed.watched is not None
    assert listed.watched.found == {ON_SEVERAL_CHAINS: 298}
    assert listed.watched.best is not None
    assert listed.watched.best.opportunity_id == "r-299"
    assert reports.status(engine.now_ns).watched == {ON_SEVERAL_CHAINS: 298}
    assert journal.recent.find("r-299") is not None, "/why knows it"


def _ids(engine: Engine, limit: int, *, is_newest_first: bool = False) -> list[str]:
    report = make_reports(engine.core).opportunities(
        limit, engine.now_ns, is_newest_first=is_newest_first
    )
    return [line.opportunity_id for line in report.opportunities]


def _with_worths(*worths: float | None) -> Engine:
    """An engine that found as many opportunities, of which the second and the last have ended."""
    engine = Engine(header_of())
    gap = make_gap(engine.core.board.instruments[0], engine.core.board.instruments[1])
    for number, usd in enumerate(worths, 1):
        _see(engine, gap, number=number, usd=usd, at_ns=engine.now_ns + number * MS)
    for number in (2, len(worths)):
        engine.core.journal.recent.closed(
            Closed(
                opportunity_id=f"r-{number}",
                closed_at_ns=engine.now_ns,
                lasted_ns=0,
                peak_profit_quote=0.0,
                is_stale=False,
            )
        )
    return engine


def test_opportunities_are_chosen_by_their_worth_and_shown_open_ones_first() -> None:
    engine = _with_worths(3.0, 9.0, None, 0.5, 4.0, -1.0, 2.0)

    assert _ids(engine, 3) == ["r-5", "r-1", "r-2"]
    assert _ids(engine, 6)[-2:] == ["r-2", "r-7"]
    assert _ids(engine, 7)[:5] == ["r-5", "r-1", "r-4", "r-6", "r-3"], "unvalued ones come last"
    assert _ids(engine, 0) == []


def test_the_newest_opportunities_are_a_choice() -> None:
    engine = _with_worths(3.0, 9.0, None, 0.5, 4.0, -1.0, 2.0)

    assert _ids(engine, 3, is_newest_first=True) == ["r-6", "r-5", "r-7"]


def test_what_a_list_leaves_out_is_counted_with_what_of_it_is_open() -> None:
    reports = make_reports(_with_worths(3.0, 9.0, None, 0.5, 4.0, -1.0, 2.0).core)
    few, newest, whole = (
        reports.opportunities(limit, 0, is_newest_first=is_newest)
        for limit, is_newest in ((3, False), (3, True), (7, False))
    )

    assert (few.left_out, few.left_out_open, few.is_newest_first) == (4, 3, False)
    assert (newest.left_out, newest.left_out_open, newest.is_newest_first) == (4, 3, True)
    assert (whole.left_out, whole.left_out_open) == (0, 0)


def test_what_is_open_is_listed_though_many_came_behind_it() -> None:
    engine = _with_worths(50.0, *[1.0] * RECENT_MAX)
    report = make_reports(engine.core).opportunities(1, engine.now_ns)

    assert [line.opportunity_id for line in report.opportunities] == ["r-1"]
    assert report.left_out == RECENT_MAX
