"""A whole installation trades for real on the sandbox chain: found, signed, mined, booked.

And with orders at the sandbox's exchanges beside a transaction: both halves, or neither.
"""

import asyncio
import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.reports import StatusReport
from engine.bus.sending import GetTold, GetUntold, SeeWallets
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import SyndicateError, TransientError
from engine.domain.modes import Mode
from engine.domain.told import Fate, TransactionNews
from engine.requests.transactions import GetTransactions
from engine.sandbox.world.building import built, start_world
from engine.sandbox.world.hands import Hands, created_address
from engine.sandbox.world.packages import NoWorldError, anvil_path, cannot_be_had
from engine.sandbox.world.rpc import Rpc
from engine.sending.contract_code import DIRECT, code_hash, creation_code
from engine.signing.curve import address_of_secret
from engine.signing.keystore import seal_key
from engine.signing.secret_files import write_secret_file
from engine.wiring.local_deploying import supply
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S
from tests.scenarios.rig import CALM, Installation, running_installation
from tests.scenarios.test_orders_live import until_compared
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SECRET = bytes.fromhex("5d2a559490d3c1b6aa4be2fd9b0f3c9bd2d0f3b2d8c5ae63a9a65c0b6bd4a1e7")
PASSWORD = b"zephyr quilt mahogany 41"
EARNS_S = 240.0
"""How long an opportunity may be waited for at the market's own speed."""

OWNER, RECOVERY = -1, -2
"""Accounts that nobody else of the sandbox acts for."""

PROTOCOLS = {
    "uniswap_v2@base",
    "uniswap_v3@base",
    "uniswap_v4@base",
    "balancer_weighted@base",
    "balancer_stable@base",
}


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


def is_round(one: TransactionNews) -> bool:
    """Say whether it is of a plan that is one transaction, and did what it was to do."""
    receipt = one.receipt if one.fate is Fate.SUCCEEDED else None
    return receipt is not None and receipt.swaps[0].source == receipt.swaps[-1].target


def stored(data_dir: Path, query: str) -> list[tuple[str, ...]]:
    """Return what the ledger has, once it is closed."""
    path = f"file:{data_dir}/ledger.sqlite3?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as database:
        return database.execute(query).fetchall()


def executions(data_dir: Path) -> dict[str, Decimal]:
    """Return what each live plan came to."""
    found = stored(data_dir, "select plan_id, profit_quote from executions where money = 'live'")
    return {plan_id: Decimal(profit) for plan_id, profit in found}


def first_nonce(account: str) -> int:
    """Return how many transactions an account made before the chain began to live."""
    node, _ = start_world(built("base"))
    try:
        with Rpc(node.url) as rpc:
            return int(rpc.ask("eth_getTransactionCount", account, "latest"), 16)
    finally:
        node.stop()


async def deploy(data_dir: Path, wallet: str, contract: str) -> Rpc:
    """Deploy our contract on the sandbox's chain and fund the wallet; return who is asked."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                local = read_announcement(Paths(data_dir)).local_chains["base"]
                break
            except (SyndicateError, KeyError, OSError):
                await asyncio.sleep(0.1)
    made = built("base").made
    rpc = Rpc(local.http_urls[0])
    # First: what is ours is read once the contract is there.
    supply(rpc, "base", wallet, now_s=int(time.time()))
    owner = Hands(rpc, made.accounts[OWNER])
    recovery = made.accounts[RECOVERY]
    code = "0x" + creation_code(DIRECT, made.contracts["wrapped"], recovery, owner.me).hex()
    assert owner.deploy(code) == contract
    owner.send(contract, "setExecutor(address,bool)", wallet, True)
    await asyncio.to_thread(owner.flush)
    return rpc


async def until_landed(data_dir: Path) -> list[TransactionNews]:
    """Wait until some round did what it was to do; return those that did."""
    everything: list[TransactionNews] = []
    until = time.monotonic() + EARNS_S
    while time.monotonic() < until:
        everything = await told(data_dir)
        if landed := [one for one in everything if is_round(one)]:
            return landed
        await asyncio.sleep(0.5)
    raise AssertionError([(one.fate.value, one.why) for one in everything])


async def until_booked(installation: Installation, landed: list[TransactionNews]) -> None:
    """Wait until the plans of these are booked."""
    names = {one.client_order_id.removesuffix("-t") for one in landed}
    async with asyncio.timeout(PATIENCE_S):
        while True:
            lines = (await installation.trades()).trades
            if names <= {one.execution_id.removesuffix("-x") for one in lines}:
                return
            await asyncio.sleep(0.2)


async def until_mixed(installation: Installation) -> None:
    """Wait until a plan is booked of which a transaction swapped and orders traded."""
    async with asyncio.timeout(EARNS_S):
        while True:
            for one in (await installation.trades()).trades:
                places = [one.buy_venue, one.sell_venue]
                is_mixed = len({"@" in place for place in places}) == len(places)
                if is_mixed and one.story is not None and one.story.orders:
                    return
            await asyncio.sleep(0.5)


async def until_seen(data_dir: Path) -> dict[tuple[str, str], Decimal]:
    """Wait until all transactions have ended and are booked; return what a block shows of ours."""
    caller = SocketCaller(Paths(data_dir).socket("sender"), role="sender")
    until, why = time.monotonic() + PATIENCE_S, "it never answered"
    try:
        while time.monotonic() < until:
            try:
                sent = await caller.call(GetTransactions(most=50), timeout_s=PATIENCE_S)
                untold = await caller.call(GetUntold(engine="main", after=0), timeout_s=PATIENCE_S)
                seen = (await caller.call(SeeWallets(), timeout_s=PATIENCE_S)).seen
            except TransientError:
                await asyncio.sleep(0.2)
                continue
            is_open = [one for one in sent.transactions if not one.fate]
            if seen and not untold.news and not is_open:
                held = {(one.venue, one.asset): one.amount for one in seen[0].held}
                return {place: amount for place, amount in held.items() if amount}
            why = f"open {is_open}, to be booked {untold.news}, seen {seen}"
            await asyncio.sleep(0.2)
    finally:
        await caller.aclose()
    raise AssertionError(why)


async def until_pools_of_the_real_chain_are_live_and_move(installation: Installation) -> None:
    """Wait until each kind of pool is live, and one of them has changed four times since."""
    seen: set[int] = set()

    def moves(status: StatusReport) -> bool:
        live = {str(one.venue): one.frames for one in status.venues if one.books_live}
        if live.keys() >= PROTOCOLS:
            seen.add(live["uniswap_v3@base"])
        return len(seen) >= 5

    status = await installation.until_status(moves)
    assert "real contracts on local nodes" in status.market_note
    assert not any(one.venue.endswith("@ethereum") for one in status.venues)


async def test_pools_of_a_local_chain_move_and_what_is_earned_there_is_booked_to_the_wei(
    tmp_path: Path,
) -> None:
    try:
        anvil_path()
    except NoWorldError as error:
        if not cannot_be_had():
            raise
        pytest.skip(str(error))
    data_dir = tmp_path / "var"
    key, password = tmp_path / "key.json", tmp_path / "password"
    write_secret_file(key, seal_key(SECRET, PASSWORD, use="sandbox"), what="keystore")
    write_secret_file(password, PASSWORD, what="password file")
    made = built("base").made
    contract = created_address(made.accounts[OWNER], first_nonce(made.accounts[OWNER]))
    wallet = address_of_secret(SECRET)
    hash_there = code_hash(
        DIRECT,
        {"WRAPPED": made.contracts["wrapped"], "RECOVERY": made.accounts[RECOVERY]},
    )
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir,
            phone,
            speed=CALM,
            SYNDICATE_MARKETS_SANDBOX_CHAINS="base",
            SYNDICATE_SIGNER_SIGNS="sandbox",
            SYNDICATE_SIGNER_KEYSTORE=str(key),
            SYNDICATE_SIGNER_PASSWORD_FILE=str(password),
            SYNDICATE_SIGNER_CONTRACTS=f"base:{contract}={hash_there}",
            SYNDICATE_SIGNER_GAS_DAY="base=0.5",
            SYNDICATE_EXCHANGES_TRADES="sandbox",
        ) as installation,
    ):
        rpc = await deploy(data_dir, wallet, contract)
        await installation.until_live()
        await installation.go_up_to("live")

        landed = await until_landed(data_dir)
        await until_pools_of_the_real_chain_are_live_and_move(installation)
        await until_booked(installation, landed)
        await until_mixed(installation)
        phone.person_writes("/mode paper")
        await installation.until_status(lambda status: status.mode == Mode.PAPER)
        shown = await until_seen(data_dir) | await until_compared(data_dir)
        with rpc:
            for one in landed:
                there = rpc.ask("eth_getTransactionReceipt", one.hash)
                assert there["status"] == "0x1"
                assert there["from"] == wallet
    booked = executions(data_dir)
    for one in landed:
        assert one.receipt is not None
        first, last = one.receipt.swaps[0], one.receipt.swaps[-1]
        gain = last.amount_out - first.amount_in - one.receipt.flash_fee
        assert booked[one.client_order_id.removesuffix("-t")] == gain - one.receipt.gas_quote
    opened = stored(data_dir, "select venue, asset, why from deposits where money = 'live'")
    assert ("base", "ETH") in {one[:2] for one in opened}
    assert all(why.endswith("the books begin with it") for _, _, why in opened), opened
    books = stored(data_dir, "select venue, asset, held from balances where money = 'live'")
    assert {(venue, asset): Decimal(held) for venue, asset, held in books if Decimal(held)} == shown
