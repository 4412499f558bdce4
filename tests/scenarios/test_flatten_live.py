"""What real trades left over is closed from the phone: shown, said yes to, sold, told, booked."""

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from engine.bus.closings import ClosingsReport
from engine.bus.trading import GetVenueOrders
from engine.domain.modes import Mode
from engine.domain.orders_told import OrderFate
from engine.requests.flatten import GetClosings
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.patience import insist
from tests.scenarios.rig import CALM, Installation, running_installation
from tests.scenarios.test_orders_live import ask_trader, stored, until_compared
from tests.storage import makers
from tests.storage.asking import append
from tests.storage.model import put_empty_ledger
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(400)]

LEFT = Decimal("0.01")
READY_S = 120.0


async def leave_over(data_dir: Path) -> None:
    """Let an earlier run have left a hundredth of a BTC over, of real money."""
    await asyncio.to_thread(put_empty_ledger, data_dir)
    record = makers.make_execution_record(residual_base=LEFT)
    live = structs.replace(
        record,
        plan=structs.replace(record.plan, is_live=True),
        execution=replace(record.execution, orders=()),
    )
    async with open_ledger(LedgerSettings(data_dir=data_dir), clock=time.time_ns) as ledger:
        await append(ledger, live)


async def until_offered(installation: Installation) -> ClosingsReport:
    """Wait until it can be closed: its book is live, and its venue takes orders."""
    async with asyncio.timeout(READY_S):
        while True:
            report = await insist(installation.facade, GetClosings())
            assert isinstance(report, ClosingsReport)
            if any(one.terms is not None for one in report.closings):
                return report
            await asyncio.sleep(0.3)


async def test_a_real_leftover_is_closed_by_a_tap_once_and_told_beside_what_was_shown(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    await leave_over(data_dir)
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir, phone, speed=CALM, SYNDICATE_EXCHANGES_TRADES="sandbox"
        ) as installation,
    ):
        await installation.until_live()
        below = await installation.say("/flatten", "Left over: 1")
        await installation.go_up_to("approve")
        await until_offered(installation)

        await installation.say("/flatten close", "Close 1 of 1?")
        phone.person_taps("Close 1")
        told = await installation.until_told("Leftover closed, sandbox live")
        gone = await installation.say("/flatten", "Nothing is left over")
        phone.person_writes("/mode paper")
        await installation.until_status(lambda status: status.mode == Mode.PAPER)
        shown = await until_compared(data_dir)
        placed = (await ask_trader(data_dir, GetVenueOrders(most=50))).orders

    assert "real orders leave in mode approve or live" in " ".join(below.split())
    assert f"{LEFT} of {LEFT} BTC" in told
    assert gone
    (order,) = placed
    assert order.news is not None
    assert order.news.fate is OrderFate.FILLED
    assert order.size_base == LEFT
    books = stored(data_dir, "select venue, asset, held from balances where money = 'live'")
    assert {(venue, asset): Decimal(held) for venue, asset, held in books if Decimal(held)} == shown
