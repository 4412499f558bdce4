"""Whichever role is killed while orders are under way: in the end the books are the accounts."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from engine.bus.trading import GetVenueOrders
from engine.domain.modes import Mode
from engine.gateways.gateway_list import GATEWAYS, gateway_of
from engine.trading.proof import Waits, proven_within_ms
from tests.patience import PATIENCE_S
from tests.scenarios.rig import CALM, running_installation
from tests.scenarios.test_orders_live import ask_trader, stored, until_compared
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(900)]

KILLS = 3
PLAY_S = 240.0
PROVEN_S = max(proven_within_ms(gateway_of(one).rules, Waits()) for one in GATEWAYS) / 1_000
"""So long an order may stay unknown after the last of the trader's ends, by the venues' rules."""


@pytest.mark.parametrize("role", ["engine", "trader", "ledger", "signer"])
async def test_what_is_booked_is_what_the_accounts_have_after_kills_at_any_moment(
    tmp_path: Path, role: str
) -> None:
    data_dir, random = tmp_path / "var", Random(role)
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir, phone, speed=CALM, SYNDICATE_EXCHANGES_TRADES="sandbox"
        ) as installation,
    ):
        await installation.until_live()
        await installation.go_up_to("live")
        kills, until = 0, time.monotonic() + PLAY_S
        while kills < KILLS and time.monotonic() < until:
            report = await ask_trader(data_dir, GetVenueOrders(most=1))
            if any(one.open_count for one in report.venues):
                await installation.kill_role(role)
                kills += 1
                if role == "engine":
                    await installation.until_live()
                    await installation.go_up_to("live")
                await asyncio.sleep(random.random() * 3)
            await asyncio.sleep(0.02)
        # It goes down, so that it is carried out while the ledger is away, too.
        phone.person_writes("/mode paper")
        await installation.until_status(lambda status: status.mode == Mode.PAPER)
        # At Bitstamp it takes nearly three minutes until a request can be told to come no more.
        async with asyncio.timeout(PATIENCE_S + PROVEN_S):
            while any(
                one.open_count
                for one in (await ask_trader(data_dir, GetVenueOrders(most=1))).venues
            ):
                await asyncio.sleep(1)
        shown = await until_compared(data_dir)
    assert kills
    books = stored(data_dir, "select venue, asset, held from balances where money = 'live'")
    assert {(venue, asset): Decimal(held) for venue, asset, held in books if Decimal(held)} == shown
    deposits = stored(data_dir, "select why from deposits where money = 'live'")
    assert all(why.endswith("the books begin with it") for (why,) in deposits)
    assert not stored(
        data_dir,
        "select plan_id from intents where money = 'live'"
        " and plan_id not in (select plan_id from executions)",
    )
