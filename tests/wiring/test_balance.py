"""Paper money from the settings to the phone, over restarts."""

import asyncio
import re
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.command import seal
from engine.bus.reports import (
    Acknowledged,
    BalanceReport,
    Declined,
    ExportReport,
    OpportunitiesReport,
    StatusReport,
    WhyReport,
)
from engine.domain.errors import FatalError
from engine.domain.modes import Mode
from engine.facade.client import BusFacade
from engine.requests.balance import GetBalance
from engine.requests.money import GetExport
from engine.requests.overview import GetOpportunities, GetStatus
from engine.requests.safety import ResetBalance, SetMode
from engine.requests.why import GetWhy
from engine.settings.schema import MarketsSettings, PaperSettings, Settings
from engine.wiring.capital import capital_of, check_capital, wallet_capital
from engine.wiring.one_process import open_roles
from tests.execute.mixed_worlds import pool_of
from tests.patience import PATIENCE_S, insist
from tests.reference.world import make_instrument
from tests.storage.model import prepared

MARKETS = MarketsSettings(sandbox_speed=5.0)
INSTRUMENTS = [
    make_instrument("coinbase", "BTC-USD"),
    make_instrument("coinbase", "ETH-USD"),
    make_instrument("binance", "BTC-USDT"),
]


async def until(facade: BusFacade, is_met: Callable[[BalanceReport], bool]) -> BalanceReport:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await insist(facade, GetBalance())
            assert isinstance(report, BalanceReport)
            if is_met(report):
                return report
            await asyncio.sleep(0.02)


async def status(facade: BusFacade) -> StatusReport:
    report = await insist(facade, GetStatus())
    assert isinstance(report, StatusReport)
    return report


def is_funded(report: BalanceReport) -> bool:
    return bool(report.lines) and report.waiting == 0


def has_shifted(report: BalanceReport) -> bool:
    return any(line.held != line.started for line in report.lines)


def is_settled(report: BalanceReport) -> bool:
    return is_funded(report) and not any(line.reserved for line in report.lines)


def held(report: BalanceReport) -> dict[tuple[str, str], tuple[Decimal, Decimal, Decimal]]:
    return {
        (line.venue, line.asset): (line.held, line.started, line.started_usd)
        for line in report.lines
    }


@pytest.mark.slow
async def test_trades_draw_on_paper_money_that_outlives_restarts_and_is_set_back_on_request(
    tmp_path: Path,
) -> None:
    settings, paths = Settings(markets=MARKETS), prepared(tmp_path)
    async with open_roles(settings, paths) as facade:
        at_start = await until(facade, is_funded)
        await insist(
            facade, seal(SetMode(mode=Mode.PAPER, is_confirmed=True), by="me", at_ns=time.time_ns())
        )
        await until(facade, has_shifted)
        await insist(facade, seal(SetMode(mode=Mode.OBSERVE), by="me", at_ns=time.time_ns()))
        traded = await until(facade, is_settled)
    async with open_roles(settings, paths) as facade:
        restarted = await until(facade, is_settled)
        assert isinstance(
            await insist(facade, seal(ResetBalance(), by="me", at_ns=time.time_ns())), Declined
        )
        assert held(await until(facade, is_settled)) == held(restarted)
        done = await insist(
            facade, seal(ResetBalance(is_confirmed=True), by="me", at_ns=time.time_ns())
        )
        reset = await until(facade, is_settled)
        audit = await insist(facade, GetExport(table="audit"))
    async with open_roles(settings, paths) as facade:
        again = await until(facade, is_settled)

    exchanges = {line.venue for line in at_start.lines} - {"ethereum"}
    assert sum(line.started_usd for line in at_start.lines) == pytest.approx(
        100_000 * len(exchanges) + 100_000 + 1_000
    )
    assert not has_shifted(at_start)
    assert held(restarted) == held(traded)
    assert isinstance(done, Acknowledged)
    assert not has_shifted(reset)
    assert held(again) == held(reset)
    assert isinstance(audit, ExportReport)
    assert b"balance reset" in audit.content


@pytest.mark.slow
async def test_a_venue_that_ran_out_refuses_and_why_says_what_it_holds(tmp_path: Path) -> None:
    settings = Settings(
        markets=MARKETS,
        paper=PaperSettings(capital_usd=Decimal(0), capital_usd_at={"binance": Decimal(90)}),
    )
    async with open_roles(settings, prepared(tmp_path)) as facade:
        await insist(
            facade, seal(SetMode(mode=Mode.PAPER, is_confirmed=True), by="me", at_ns=time.time_ns())
        )
        async with asyncio.timeout(PATIENCE_S):
            while not (await status(facade)).refused.get("balance_too_low"):
                await asyncio.sleep(0.02)
        seen = await insist(facade, GetOpportunities(limit=200))
        assert isinstance(seen, OpportunitiesReport)
        refused = next(line for line in seen.opportunities if line.outcome == "balance_too_low")
        why = await insist(facade, GetWhy(ref=refused.opportunity_id))

    assert isinstance(why, WhyReport)
    said = r"[A-Z][a-z]+ holds [0-9.]+ [A-Z]+ of the [0-9.]+ needed"
    assert re.fullmatch(said, why.line.detail), why.line.detail


def test_capital_is_split_evenly_over_a_venues_assets_unless_told_otherwise() -> None:
    settings = PaperSettings(
        capital_usd=Decimal(900),
        capital_usd_at={"binance": Decimal(100), "coinbase:USD": Decimal(5)},
    )

    found = {(one.venue, one.asset): one.usd for one in capital_of(settings, INSTRUMENTS)}

    assert found == {
        ("binance", "BTC"): 50,
        ("binance", "USDT"): 50,
        ("coinbase", "BTC"): 300,
        ("coinbase", "ETH"): 300,
        ("coinbase", "USD"): 5,
    }


def test_capital_for_an_asset_that_a_venue_does_not_trade_refuses_the_start() -> None:
    settings = PaperSettings(capital_usd_at={"binance:USD": Decimal(100)})

    with pytest.raises(FatalError, match="none of the pairs in use at binance has USD; it has BTC"):
        check_capital(settings, INSTRUMENTS)


def test_each_chain_starts_with_money_for_gas_in_its_own_asset() -> None:
    settings = PaperSettings(gas_usd=Decimal(7), wallet_usd=Decimal(0))
    found = wallet_capital(settings, (), ["polygon", "ethereum", "ethereum"])

    assert [f"{one.venue} {one.asset} {one.usd}" for one in found] == [
        "ethereum ETH 7",
        "polygon POL 7",
    ]


def test_a_wallet_has_what_books_trade_too_and_gas_money_beside_it() -> None:
    settings = PaperSettings(gas_usd=Decimal(7), wallet_usd=Decimal(100))
    made_up = pool_of(("BTC", 1), ("ETH", 20)).pool

    found = wallet_capital(settings, INSTRUMENTS, ["polygon"], [made_up])

    # Of the books' BTC, ETH, USD and USDT no token of Polygon is known.
    assert {f"{one.venue} {one.asset}": one.usd for one in found} == {
        "ethereum BTC": Decimal("33.33333333"),
        "ethereum ETH": Decimal("40.33333333"),
        "ethereum USDT": Decimal("33.33333333"),
        "polygon POL": Decimal(7),
    }
