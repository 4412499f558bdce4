"""A whole installation trades for real on the sandbox chain: found, signed, mined, booked."""

import asyncio
import sqlite3
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.domain.errors import SyndicateError
from engine.domain.told import Fate, TransactionNews
from engine.sandbox.world.building import built
from engine.sandbox.world.hands import Hands, created_address
from engine.sandbox.world.packages import NoWorldError, anvil_path, cannot_be_had
from engine.sandbox.world.rpc import Rpc
from engine.sending.contract_code import DIRECT, code_hash, creation_code
from engine.signing.curve import address_of_secret
from engine.signing.keystore import seal_key
from engine.signing.secret_files import write_secret_file
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S
from tests.scenarios.rig import CALM, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

SECRET = bytes.fromhex("5d2a559490d3c1b6aa4be2fd9b0f3c9bd2d0f3b2d8c5ae63a9a65c0b6bd4a1e7")
PASSWORD = b"zephyr quilt mahogany 41"
OWNER, RECOVERY = -1, -2
"""Accounts that nobody else of the sandbox acts for."""


def told(data_dir: Path) -> list[TransactionNews]:
    """Return all that the sender told, by its own table."""
    path = data_dir / "sender" / "nonces.sqlite3"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        found = database.execute("select news from tellings order by number").fetchall()
    return [msgspec.json.decode(news, type=TransactionNews) for (news,) in found]


def executions(data_dir: Path) -> list[tuple[str, Decimal]]:
    with closing(sqlite3.connect(f"file:{data_dir}/ledger.sqlite3?mode=ro", uri=True)) as database:
        found = database.execute("select plan_id, profit_quote from executions").fetchall()
    return [(plan_id, Decimal(profit)) for plan_id, profit in found]


async def deploy(data_dir: Path, wallet: str, contract: str) -> tuple[Rpc, str]:
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
    owner = Hands(rpc, made.accounts[OWNER])
    recovery = made.accounts[RECOVERY]
    code = "0x" + creation_code(DIRECT, made.contracts["wrapped"], recovery, owner.me).hex()
    assert owner.deploy(code) == contract
    owner.send(contract, "setExecutor(address,bool)", wallet, True)
    await asyncio.to_thread(owner.flush)
    rpc.ask("anvil_setBalance", wallet, hex(10**18))
    return rpc, recovery


async def test_an_arbitrage_of_the_sandbox_is_carried_out_and_booked_to_the_wei(
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
    contract = created_address(made.accounts[OWNER], 0)
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
        ) as installation,
    ):
        rpc, recovery = await deploy(data_dir, wallet, contract)
        await installation.until_live()
        await installation.go_up_to("live")

        def landed() -> list[TransactionNews]:
            return [one for one in told(data_dir) if one.fate is Fate.SUCCEEDED]

        until = time.monotonic() + 150
        while len(landed()) < 2 and time.monotonic() < until:
            await asyncio.sleep(0.5)
        names = {one.client_order_id.removesuffix("-t") for one in landed()}
        print([(one.fate, one.why) for one in told(data_dir)])
        while not names <= {plan for plan, _ in executions(data_dir)}:
            assert time.monotonic() < until + 30
            await asyncio.sleep(0.2)

        booked = dict(executions(data_dir))
        assert names
        for one in landed():
            assert one.receipt is not None
            first, last = one.receipt.swaps[0], one.receipt.swaps[-1]
            gain = last.amount_out - first.amount_in - one.receipt.flash_fee
            assert booked[one.client_order_id.removesuffix("-t")] == gain - one.receipt.gas_quote
            shown = rpc.ask("eth_getTransactionReceipt", one.hash)
            assert shown["status"] == "0x1"
            assert shown["from"] == wallet
        assert recovery
