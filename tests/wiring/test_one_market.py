"""One market in one process, asked and told to do what a person does: its tests share it."""

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio
from msgspec.structs import replace

from bot.render.plain import write_plain
from bot.render.safety import render_limits
from engine.bus.command import seal
from engine.bus.notices import PaperTraded, Started
from engine.bus.reports import (
    Acknowledged,
    Declined,
    ExportReport,
    LimitsReport,
    OpportunitiesReport,
    OpportunityLine,
    PnlReport,
    StatusReport,
    TradesReport,
    Unknown,
    VenuesReport,
    VersionReport,
    WhyReport,
)
from engine.domain.mixed_routes import why_not_mixed
from engine.domain.modes import Mode
from engine.facade.client import BusFacade
from engine.requests.money import GetExport, GetPnl, GetTrades
from engine.requests.overview import GetLimits, GetOpportunities, GetStatus, GetVenues, GetVersion
from engine.requests.safety import Pause, Resume, SetMode
from engine.requests.why import GetWhy
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared
from tests.wiring.test_one_process import SETTINGS, told, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def facade(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BusFacade]:
    """Begin once; each test goes to the mode that it needs."""
    async with open_roles(SETTINGS, prepared(tmp_path_factory.mktemp("market"))) as facade:
        yield facade


async def go_to(facade: BusFacade, mode: Mode) -> None:
    """Be in a mode, whichever test went before."""
    done = await insist(
        facade, seal(SetMode(mode=mode, is_confirmed=True), by="me", at_ns=time.time_ns())
    )
    assert isinstance(done, Acknowledged)


async def test_observing_finds_opportunities_and_never_plans(facade: BusFacade) -> None:
    await go_to(facade, Mode.OBSERVE)
    before = await until(facade, lambda _status: True)
    status = await until(facade, lambda status: status.found >= before.found + 2)

    assert status.mode is Mode.OBSERVE
    assert status.planned == before.planned
    refused = {why for why, count in status.refused.items() if count > before.refused.get(why, 0)}
    assert refused <= {"observe_only", "edge_below_min"}
    assert isinstance(await told(facade, Started, reader="observing"), Started)


async def test_every_question_is_answered_with_its_basis(facade: BusFacade) -> None:
    await until(facade, lambda status: status.found >= 1)
    for command, kind in (
        (GetVenues(), VenuesReport),
        (GetOpportunities(), OpportunitiesReport),
        (GetLimits(), LimitsReport),
    ):
        report = await insist(facade, command)
        assert isinstance(report, kind)
        assert report.basis == "sandbox"
        assert "not a real market" in report.market_note
    assert isinstance(await insist(facade, GetVersion()), VersionReport)


async def test_the_phone_shows_every_limit_in_words(facade: BusFacade) -> None:
    await until(facade, lambda status: status.found >= 1)
    report = await insist(facade, GetLimits())
    assert isinstance(report, LimitsReport)

    often = [replace(line, refusals=12_345) for line in report.limits if not line.unit]
    often = [line for line in often if line.name != "balance"]  # it names its place beside
    rows = write_plain(render_limits(report)).splitlines()[1:]
    many = write_plain(render_limits(replace(report, limits=often)))

    for line in report.limits:
        (row,) = [row.strip() for row in rows if row.strip().startswith(f"{line.name} ")]
        assert "…" not in row
        assert "/" not in row
        assert not line.unit or " of " in row or "none yet" in row
    assert many.count("(12,345)") == len(often)


async def test_a_paper_trade_can_be_followed_from_the_notice_to_every_report(
    facade: BusFacade,
) -> None:
    await go_to(facade, Mode.OBSERVE)
    assert isinstance(
        await insist(facade, seal(SetMode(mode=Mode.PAPER), by="me", at_ns=0)), Declined
    ), "going up takes a second step"
    await go_to(facade, Mode.PAPER)

    notice = await told(facade, PaperTraded)
    assert isinstance(notice, PaperTraded)
    trades = await insist(facade, GetTrades(limit=100))
    why = await insist(facade, GetWhy(ref=notice.opportunity_id))
    pnl = await insist(facade, GetPnl(days=1))
    later = await insist(facade, GetTrades(limit=100))
    export = await insist(facade, GetExport(table="trades"))
    assert isinstance(trades, TradesReport)
    assert isinstance(later, TradesReport)
    assert isinstance(why, WhyReport)
    assert isinstance(pnl, PnlReport)
    assert isinstance(export, ExportReport)

    trade = next(one for one in trades.trades if one.execution_id == notice.execution_id)
    assert trade.profit_usd == notice.profit_usd == why.profit_usd
    assert {leg.side for leg in why.legs} >= {"buy", "sell"}
    assert why.values is not None
    assert why.values.profit_worst < why.values.profit_expected
    assert trades.total <= pnl.executions <= later.total  # trading goes on meanwhile
    assert notice.execution_id.encode() in export.content
    assert isinstance(await insist(facade, GetWhy(ref="nothing")), Unknown)


async def test_a_route_of_three_legs_is_shown_and_told_with_all_of_them(facade: BusFacade) -> None:
    await go_to(facade, Mode.PAPER)
    line = await long_route(facade)
    status = await insist(facade, GetStatus())
    assert isinstance(status, StatusReport)
    why = await insist(facade, GetWhy(ref=line.opportunity_id))
    assert isinstance(why, WhyReport)

    assert sum(status.found_by_legs.values()) == status.found
    assert sum(status.found_by_kind.values()) == status.found
    assert why.line.hops[0].source == why.line.hops[-1].target == line.quote
    for before, after in pairwise(why.line.hops):
        assert before.target == after.source
        assert before.amount_out == pytest.approx(after.amount_in)
    # Books are traded on paper, pools of one chain, and both; two transactions are watched.
    kinds = {hop.kind for hop in why.line.hops}
    is_watched = len(kinds) > 1 and bool(why_not_mixed(why.line.hops))
    assert (why.line.outcome == "no_executor") == is_watched
    assert ("watched, not traded" in why.line.detail) == is_watched
    assert why.values is not None
    assert why.values.profit_expected == pytest.approx(why.line.profit_quote)
    assert why.values.confidence == "uncalibrated"
    assert (why.exact_now is not None) == why.line.is_open
    assert why.split_now is None or why.line.is_open


async def long_route(facade: BusFacade) -> OpportunityLine:
    """Ask until a route of more than two legs was judged in paper mode.

    One that was found just before is told as observed only.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await insist(facade, GetOpportunities(limit=200))
            assert isinstance(report, OpportunitiesReport)
            for line in report.opportunities:
                if len(line.hops) > 2 and line.outcome != "observe_only":
                    return line
            await asyncio.sleep(0.02)


async def test_pausing_is_one_step_and_holds_plans_back(facade: BusFacade) -> None:
    await go_to(facade, Mode.PAPER)
    paused = await insist(facade, seal(Pause(), by="me", at_ns=time.time_ns()))
    assert isinstance(paused, Acknowledged)
    assert paused.is_paused

    planned = (await until(facade, lambda status: status.refused.get("paused", 0) > 0)).planned
    assert planned == (await until(facade, lambda _status: True)).planned
    await insist(facade, seal(Resume(), by="me", at_ns=time.time_ns()))
    await until(facade, lambda status: status.planned > planned)
