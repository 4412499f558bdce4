"""A whole installation trades at the sandbox's exchanges: found, signed, placed, booked."""

import asyncio
import os
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.bus.trading import GetVenueOrders, SeeVenues
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import TransientError
from engine.domain.modes import Basis, Mode, Money
from engine.domain.orders_told import OrderFate
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S
from tests.scenarios.rig import CALM, running_installation
from tests.telegram.emulator import TelegramEmulator

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

EARNS_S = 240.0
"""How long an opportunity may be waited for at the market's own speed."""


async def ask_trader(data_dir: Path, request: Any) -> Any:
    """Ask whoever places orders, again while that is away."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            caller = SocketCaller(Paths(data_dir).socket("trader"), role="trader")
            try:
                return await caller.call(request, timeout_s=PATIENCE_S)
            except TransientError:
                await asyncio.sleep(0.1)
            finally:
                await caller.aclose()


def stored(data_dir: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what the ledger has, once it is closed."""
    path = f"file:{data_dir}/ledger.sqlite3?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as database:
        return database.execute(query).fetchall()


async def until_traded(data_dir: Path) -> None:
    """Wait until both orders of a plan were filled, and all that there are are over."""
    async with asyncio.timeout(EARNS_S):
        while True:
            report = await ask_trader(data_dir, GetVenueOrders(most=200))
            filled: Counter[str] = Counter(
                one.plan_id
                for one in report.orders
                if one.news is not None and one.news.fate is OrderFate.FILLED
            )
            if any(count > 1 for count in filled.values()):
                return
            await asyncio.sleep(0.5)


async def tries(data_dir: Path, venue: str) -> None:
    """Try a venue as the operator does before going live."""
    done = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "engine", "exchange-test", "--venue", venue),
        cwd=ROOT,
        env=os.environ
        | {"SYNDICATE_DATA_DIR": str(data_dir), "SYNDICATE_EXCHANGES_TRADES": "sandbox"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await done.communicate()
    assert done.returncode == 0, said.decode()
    assert b"nothing of it was filled" in said
    assert b"all of it passes: /mode live" in said


async def until_compared(data_dir: Path) -> dict[tuple[str, str], Decimal]:
    """Wait until nothing is open and each venue was read after that; return what it has of ours."""
    since_ns = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await ask_trader(data_dir, GetVenueOrders(most=1))
            if any(one.open_count for one in report.venues):
                since_ns = 0
            elif not since_ns:
                since_ns = time.time_ns()
            seen = (await ask_trader(data_dir, SeeVenues())).seen
            is_whole = since_ns and len(seen) == len(report.venues)
            if is_whole and all(one.at_ns > since_ns for one in seen):
                break
            await asyncio.sleep(0.5)
    held = {
        (str(one.venue), str(held.asset)): held.free + held.held
        for one in seen
        for held in one.held
    }
    assert not any(one.why_not for one in seen)
    return {place: amount for place, amount in held.items() if amount}


async def test_a_plan_of_two_orders_is_placed_at_the_sandbox_and_booked_to_the_last_unit(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir, phone, speed=CALM, SYNDICATE_EXCHANGES_TRADES="sandbox"
        ) as installation,
    ):
        await installation.until_live()
        await tries(data_dir, "binance")
        await installation.go_up_to("live")
        await until_traded(data_dir)
        phone.person_writes("/mode paper")
        await installation.until_status(lambda status: status.mode == Mode.PAPER)
        shown = await until_compared(data_dir)
        lines = (await installation.trades()).trades
        told = await installation.say("/trades 20", "live")
    assert lines
    assert {one.money for one in lines if one.basis is Basis.SANDBOX_LIVE} == {Money.LIVE}
    assert "live" in told
    books = stored(data_dir, "select venue, asset, held from balances where money = 'live'")
    assert {(venue, asset): Decimal(held) for venue, asset, held in books if Decimal(held)} == shown
    deposits = stored(data_dir, "select why from deposits where money = 'live'")
    assert all(why.endswith("the books begin with it") for (why,) in deposits)
    orders = stored(
        data_dir,
        "select count(*), count(distinct orders.execution_id) from orders"
        " join executions on orders.execution_id = executions.execution_id"
        " where executions.money = 'live' and orders.version > 0",
    )
    assert orders[0][0] >= 2 * orders[0][1] > 0
