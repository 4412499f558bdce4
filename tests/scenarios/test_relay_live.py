"""Live on the sandbox's Ethereum: our bundles win blocks among those of rivals, and are booked."""

import asyncio
import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.sending import GetTold
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import TransientError
from engine.domain.told import Fate, TransactionNews
from engine.sandbox.relay.rivals import COUNT, FIRST_ACCOUNT
from engine.sandbox.world.building import built
from engine.sandbox.world.rpc import Rpc
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from tests.chains.conftest import need_packages
from tests.patience import PATIENCE_S
from tests.scenarios.live_rig import WALLET, live_environment
from tests.scenarios.rig import running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(280)]

CHAIN = "ethereum"
SPEED = 6
"""Blocks of two seconds; the rivals look at each as ever."""

EARNS_S = 150.0


async def told(data_dir: Path) -> list[TransactionNews]:
    """Return all that the sender told."""
    caller = SocketCaller(Paths(data_dir).socket("sender"), role="sender")
    try:
        reply = await caller.call(GetTold(after=0), timeout_s=PATIENCE_S)
    except TransientError:
        return []
    finally:
        await caller.aclose()
    return [one.news for one in reply.news]


def profits(data_dir: Path) -> dict[str, Decimal]:
    """Return what each plan came to, by the ledger."""
    path = f"file:{data_dir}/ledger.sqlite3?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as database:
        found = database.execute("select plan_id, profit_quote from executions").fetchall()
    return {plan_id: Decimal(profit) for plan_id, profit in found}


async def test_a_bundle_of_ours_lands_among_those_of_rivals_and_is_booked(tmp_path: Path) -> None:
    need_packages()
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir, phone, speed=SPEED, **live_environment(data_dir, [CHAIN])
        ) as installation,
    ):
        await installation.until_live()
        await installation.go_up_to("live")
        accounts = built(CHAIN).made.accounts[FIRST_ACCOUNT : FIRST_ACCOUNT + COUNT]
        rivals = {account.lower() for account in accounts}
        landed: list[TransactionNews] = []
        by_rivals: set[str] = set()
        local = read_announcement(Paths(data_dir)).local_chains[CHAIN]
        builder = ""
        until = time.monotonic() + EARNS_S
        with Rpc(local.http_urls[0]) as rpc:
            while not (landed and by_rivals) and time.monotonic() < until:
                await asyncio.sleep(0.5)
                landed = [one for one in await told(data_dir) if one.fate is Fate.SUCCEEDED]
                newest = rpc.ask("eth_getBlockByNumber", "latest", True)
                by_rivals |= {
                    one["hash"] for one in newest["transactions"] if one["from"].lower() in rivals
                }
            assert landed, await told(data_dir)
            assert by_rivals, "no rival was ever in a block"
            for one in landed:
                shown = rpc.ask("eth_getTransactionReceipt", one.hash)
                assert (shown["status"], shown["from"]) == ("0x1", WALLET)
                block = rpc.ask("eth_getBlockByNumber", shown["blockNumber"], True)
                before = block["transactions"][: int(shown["transactionIndex"], 16)]
                assert {other["from"].lower() for other in before} <= rivals, "bids go first"
                builder = block["miner"]
        names = {one.client_order_id.removesuffix("-t") for one in landed}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                lines = (await installation.trades()).trades
                if names <= {one.execution_id.removesuffix("-x") for one in lines}:
                    break
                await asyncio.sleep(0.2)
    assert builder.endswith("b1d00d")
    booked = profits(data_dir)
    for one in landed:
        assert one.receipt is not None
        first, last = one.receipt.swaps[0], one.receipt.swaps[-1]
        gain = last.amount_out - first.amount_in - one.receipt.flash_fee
        assert booked[one.client_order_id.removesuffix("-t")] == gain - one.receipt.gas_quote
