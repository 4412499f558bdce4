"""Whichever role is killed while orders are under way: in the end the books are the accounts."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from engine.bus.trading import GetVenueOrders
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.gateways.gateway_list import GATEWAYS, gateway_of
from engine.requests.transactions import GetTransactions
from engine.trading.proof import Waits, proven_within_ms
from engine.wiring.paths import Paths
from tests.chains.conftest import need_packages
from tests.patience import PATIENCE_S
from tests.scenarios.live_rig import live_environment
from tests.scenarios.rig import CALM, running_installation
from tests.scenarios.test_orders_live import ask_trader, stored, until_compared
from tests.scenarios.test_sandbox_live import until_seen
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


UNENDED = (
    "select plan_id from intents where money = 'live'"
    " and plan_id not in (select plan_id from executions)"
)


async def between_halves(data_dir: Path) -> set[str]:
    """Return plans of which a swap has a nonce and nobody knows yet what became of it."""
    caller = SocketCaller(Paths(data_dir).socket("sender"), role="sender")
    try:
        report = await caller.call(GetTransactions(most=20), timeout_s=PATIENCE_S)
    except TransientError:
        return set()
    finally:
        await caller.aclose()
    allowed = {one.ref.removesuffix("-t-allow") for one in report.transactions}
    return {one.ref for one in report.transactions if one.ref in allowed and not one.fate}


@pytest.mark.parametrize("role", ["engine", "sender", "trader", "signer"])
async def test_what_is_booked_is_what_accounts_and_wallet_have_after_kills_between_both_halves(
    tmp_path: Path, role: str
) -> None:
    need_packages()
    data_dir = tmp_path / "var"
    live = live_environment(data_dir, ["base"]) | {"SYNDICATE_EXCHANGES_TRADES": "sandbox"}
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(data_dir, phone, speed=CALM, **live) as installation,
    ):
        await installation.until_live()
        await installation.go_up_to("live")
        hit: set[str] = set()
        until = time.monotonic() + PLAY_S
        while len(hit) < KILLS and time.monotonic() < until:
            under_way = await between_halves(data_dir)
            if under_way - hit:
                hit |= under_way
                await installation.kill_role(role)
                if role == "engine":
                    await installation.until_live()
                    await installation.go_up_to("live")
            await asyncio.sleep(0.05)
        phone.person_writes("/mode paper")
        await installation.until_status(lambda status: status.mode == Mode.PAPER)
        async with asyncio.timeout(PATIENCE_S + PROVEN_S):
            while any(
                one.open_count
                for one in (await ask_trader(data_dir, GetVenueOrders(most=1))).venues
            ):
                await asyncio.sleep(1)
        shown = await until_seen(data_dir) | await until_compared(data_dir)
    assert hit
    books = stored(data_dir, "select venue, asset, held from balances where money = 'live'")
    assert {(venue, asset): Decimal(held) for venue, asset, held in books if Decimal(held)} == shown
    deposits = stored(data_dir, "select why from deposits where money = 'live'")
    assert all(why.endswith("the books begin with it") for (why,) in deposits)
    assert not stored(data_dir, UNENDED)
    ended = stored(data_dir, "select plan_id from executions where corrects is null")
    assert hit <= {plan_id for (plan_id,) in ended}
    assert len(ended) == len(set(ended)), "each plan ends once"
