"""What an engine knows of its positions is in the ledger, to the last digit, at any instant."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from engine.bus.records import EngineState, LoadState
from engine.bus.reports import PnlReport
from engine.domain.assets import Amount, AssetCode
from engine.domain.exact import exact_product, exact_sum
from engine.domain.holdings import Holding
from engine.domain.instruments import VenueId
from engine.domain.residuals import LastPrice, Residual
from engine.domain.units import NS_PER_DAY
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions
from engine.requests.money import GetPnl
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.effort import IS_DEEP
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.asking import trades as stored_trades
from tests.storage.conftest import Clock
from tests.storage.killing import REPOSITORY, end, wait_for_line
from tests.storage.model import put_empty_ledger
from tests.storage.random_trades import make_inventory, steps

TODAY_NS = makers.NOW_NS - makers.NOW_NS % NS_PER_DAY


async def restored(ledger: Ledger) -> Positions:
    state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)
    positions = Positions()
    positions.restore(
        residuals=state.residuals,
        realised_usd=Decimal(state.realised_today_usd),
        at_ns=makers.NOW_NS,
        drawdown_usd=state.drawdown_usd,
        gas_usd=state.gas_today_usd,
        edge=state.edge,
    )
    return positions


async def restored_holdings(ledger: Ledger) -> tuple[Holding, ...]:
    state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)
    return Inventory(holdings=state.holdings).holdings


def sums_of_rows(database_path: Path) -> dict[tuple[str, str], Decimal]:
    """Add up all deposits and fills as a person with the tables would."""
    sums: dict[tuple[str, str], list[Decimal]] = {}
    with closing(sqlite3.connect(database_path)) as database:
        for venue, asset, added in database.execute("SELECT venue, asset, added FROM deposits"):
            sums.setdefault((venue, asset), []).append(Decimal(added))
        rows = database.execute(
            "SELECT venue, pair, side, price, fills.size_base, fee_quote, fee_base "
            "FROM fills JOIN orders USING (client_order_id)"
        )
        for venue, pair, side, *figures in rows:
            base, _, quote = pair.partition("-")
            price, size, fee_quote, fee_base = map(Decimal, figures)
            sign = 1 if side == "buy" else -1
            paid = exact_product(price, size)
            sums.setdefault((venue, base), []).extend((sign * size, -fee_base))
            sums.setdefault((venue, quote), []).extend((-sign * paid, -fee_quote))
    return {place: exact_sum(parts) for place, parts in sums.items()}


def forget_carry(database_path: Path) -> None:
    """Leave the rows as an earlier version wrote them."""
    with closing(sqlite3.connect(database_path)) as database:
        database.execute("DROP TRIGGER keep_executions_update")
        database.execute("DROP TRIGGER keep_residuals_delete")
        database.execute("DELETE FROM residuals")
        database.execute(
            "UPDATE executions SET carry_quote = NULL, correction_quote = NULL, "
            "residual_sign = sign(CAST(residual_base AS REAL))"
        )
        database.commit()


def start_trading(data_dir: Path, seed: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.trading_child", data_dir, str(seed)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def gas_today_usd(positions: Positions) -> Decimal:
    """What counts as paid for gas today, whatever of it is dated later."""
    return exact_sum(positions.gas_usd(TODAY_NS + day * NS_PER_DAY) for day in range(3))


def realised_today_usd(positions: Positions) -> Decimal:
    """What counts as realised today: of what is dated later, losses only."""
    today, *later = (positions.realised_usd(TODAY_NS + day * NS_PER_DAY) for day in range(3))
    return exact_sum((today, min(exact_sum(later), Decimal(0))))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20))
@hypothesis_settings(max_examples=12 if IS_DEEP else 6, deadline=None)
async def test_after_any_record_the_restored_positions_equal_the_live_ones(
    seed: int, count: int
) -> None:
    live, inventory = Positions(), make_inventory()
    with TemporaryDirectory() as directory:
        settings = LedgerSettings(data_dir=Path(directory) / "var")
        await asyncio.to_thread(put_empty_ledger, settings.data_dir)
        async with open_ledger(settings, clock=lambda: makers.NOW_NS) as ledger:
            for records in steps(seed, live, inventory, count):
                await append(ledger, *records)
                await append(ledger, *records)  # as after an answer that was lost

                found = await restored(ledger)

                assert await restored_holdings(ledger) == inventory.holdings
                assert found.residuals == live.residuals
                assert found.realised_usd(makers.NOW_NS) == realised_today_usd(live)
                assert found.drawdown_usd == live.drawdown_usd
                assert found.gas_usd(makers.NOW_NS) == gas_today_usd(live)
                assert found.edge == live.edge
            pnl = await ask(ledger, GetPnl(days=30), PnlReport)
        assert sums_of_rows(settings.data_dir / "ledger.sqlite3") == {
            one.place: one.held.value for one in inventory.holdings
        }

    everything = (live.realised_usd(TODAY_NS + day * NS_PER_DAY) for day in range(-3, 3))
    assert pnl.realised_usd == exact_sum(everything)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [0, *[pytest.param(one, marks=pytest.mark.campaign) for one in (1, 2)]]
)
async def test_after_a_kill_the_restored_positions_equal_the_live_ones(
    sqlite_settings: LedgerSettings, clock: Clock, seed: int
) -> None:
    child = start_trading(sqlite_settings.data_dir, seed)
    ended = end(child, seen=wait_for_line(child, f"ack {7 + 13 * seed}\n".encode()))

    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        count = (await stored_trades(ledger)).total
        found = await restored(ledger)
        holdings = await restored_holdings(ledger)

    live, inventory = Positions(), make_inventory()
    assert len(list(steps(seed, live, inventory, count))) == count
    assert holdings == inventory.holdings
    assert count >= len(ended.acknowledged)
    assert found.residuals == live.residuals
    assert found.realised_usd(makers.NOW_NS) == realised_today_usd(live)
    assert found.drawdown_usd == live.drawdown_usd


async def test_what_an_earlier_version_left_over_is_valued_at_its_legs_price(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        for number, base in enumerate(("0.5", "-0.25", "0.25")):
            await append(
                ledger,
                makers.make_execution_record(number=number, residual_base=Decimal(base)),
            )
    forget_carry(sqlite_settings.data_dir / "ledger.sqlite3")

    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)

    assert state.residuals == [
        Residual(
            venue=VenueId("coinbase"), held=Amount.of("0.75", "BTC"), carry=Amount.of(45_000, "USD")
        ),
        Residual(
            venue=VenueId("gemini"), held=Amount.of("-0.25", "BTC"), carry=Amount.of(-15_120, "USD")
        ),
    ]


async def test_what_a_leftover_was_filled_for_is_known_after_a_restart(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number, held in enumerate(("0.5", "-0.25")):
            record = makers.make_execution_record(number=number, residual_base=Decimal(held))
            await append(ledger, record)

        state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)

    at_ns = makers.NOW_NS + 1_000
    btc, usd = state.last_prices
    assert (btc.asset, btc.at_ns) == ("BTC", at_ns)
    assert 60_000 <= btc.usd < Decimal("60000.0000001")
    assert usd == LastPrice(asset=AssetCode("USD"), usd=Decimal(1), at_ns=at_ns)


async def test_a_leftover_that_was_closed_needs_no_price(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        for number, held in enumerate(("0.5", "-0.5")):
            record = makers.make_execution_record(number=number, residual_base=Decimal(held))
            residual = replace(record.execution.residuals[0], venue=makers.BUY_VENUE)
            execution = replace(record.execution, residuals=(residual,))
            await append(ledger, msgspec.structs.replace(record, execution=execution))

        state = await ask(ledger, LoadState(day_start_ns=TODAY_NS), EngineState)

    assert state.residuals == []
    assert state.last_prices == []
