"""What a person approves on the phone is signed by that word alone, sent, and earns."""

import asyncio
import time
from pathlib import Path

import pytest

from engine.domain.told import Fate, TransactionNews
from engine.sandbox.world.building import built
from engine.sandbox.world.hands import created_address
from engine.sending.contract_code import DIRECT, code_hash
from engine.signing.curve import address_of_secret
from engine.signing.keystore import seal_key
from engine.signing.secret_files import write_secret_file
from tests.chains.conftest import need_packages
from tests.scenarios.rig import CALM, running_installation
from tests.scenarios.test_approvals import button_of, waiting
from tests.scenarios.test_sandbox_live import (
    OWNER,
    PASSWORD,
    RECOVERY,
    SECRET,
    deploy,
    first_nonce,
    told,
)
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(400)]

EARNS_S = 240.0
ON_CHAIN = "all or nothing"


def answer(phone: TelegramEmulator, tapped: set[int]) -> None:
    """Approve what is one transaction, and make room by rejecting what is not."""
    for entry, payload in waiting(phone, "Approve $"):
        if entry.message_id in tapped:
            continue
        tapped.add(entry.message_id)
        rejecting = button_of(entry, "Reject")
        assert rejecting is not None
        phone.tap_raw(entry, payload if ON_CHAIN in entry.text else rejecting)


async def test_a_transaction_that_was_approved_on_the_phone_earns(tmp_path: Path) -> None:
    need_packages()
    data_dir = tmp_path / "var"
    key, password = tmp_path / "key.json", tmp_path / "password"
    write_secret_file(key, seal_key(SECRET, PASSWORD, use="sandbox"), what="keystore")
    write_secret_file(password, PASSWORD, what="password file")
    made = built("base").made
    contract = created_address(made.accounts[OWNER], first_nonce(made.accounts[OWNER]))
    fixed = {"WRAPPED": made.contracts["wrapped"], "RECOVERY": made.accounts[RECOVERY]}
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
            SYNDICATE_SIGNER_CONTRACTS=f"base:{contract}={code_hash(DIRECT, fixed)}",
            SYNDICATE_SIGNER_GAS_DAY="base=0.5",
        ) as installation,
    ):
        (await deploy(data_dir, address_of_secret(SECRET), contract)).close()
        await installation.until_live()
        await installation.go_up_to("approve")

        landed: list[TransactionNews] = []
        everything: list[TransactionNews] = []
        tapped: set[int] = set()
        until = time.monotonic() + EARNS_S
        while not landed and time.monotonic() < until:
            answer(phone, tapped)
            everything = await told(data_dir)
            landed = [one for one in everything if one.fate is Fate.SUCCEEDED]
            await asyncio.sleep(0.3)
        assert tapped
        assert landed, [(one.fate.value, one.why) for one in everything]
        signed_by = {one.client_order_id for one in landed}
        assert all("-a" in one for one in signed_by), "each by an approval of its own"
