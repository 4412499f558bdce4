"""A newcomer takes the sandbox live by the steps of the operator's guide, and it earns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.bus.sending_reports import TransactionLine
from engine.domain.errors import TransientError
from engine.requests.transactions import GetContracts, GetTransactions
from engine.signing.secret_files import write_secret_file
from tests.chains.conftest import need_packages
from tests.patience import PATIENCE_S, insist
from tests.scenarios.rig import (
    CALM,
    Installation,
    environment,
    run_engine_command,
    running_installation,
)
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(280)]

EARNS_S = 120.0


@asynccontextmanager
async def made_run(data_dir: Path) -> AsyncIterator[Installation]:
    """`make run`, as the folder's `.env` says."""
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir, phone, speed=CALM, SYNDICATE_MARKETS_SANDBOX_CHAINS="base"
        ) as installation,
    ):
        await installation.until_live()
        yield installation


async def done(data_dir: Path, *arguments: str) -> str:
    """Run a command until what it needs is there; return what it said."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            code, said = await run_engine_command(
                data_dir, *arguments, SYNDICATE_MARKETS_SANDBOX_CHAINS="base"
            )
            if code == 0:
                return said
            await asyncio.sleep(0.5)


async def until_earned(installation: Installation) -> TransactionLine:
    """Wait until a transaction earned."""
    async with asyncio.timeout(EARNS_S):
        while True:
            try:
                report = await installation.facade.ask(GetTransactions(most=50))
            except TransientError:
                await asyncio.sleep(0.5)
                continue
            for one in report.transactions:
                if one.fate == "succeeded" and one.gain is not None and one.gain > 0:
                    return one
            await asyncio.sleep(0.5)


async def test_by_the_steps_of_the_guide_a_transaction_earns_and_the_contract_is_paused(
    tmp_path: Path,
) -> None:
    need_packages()
    data_dir = tmp_path / "var"
    password = tmp_path / "password"
    write_secret_file(password, b"zephyr quilt mahogany 41", what="password file")
    assert not environment(data_dir).get("SYNDICATE_SIGNER_SIGNS")

    async with made_run(data_dir):
        await done(data_dir, "keys", "make", "--password-file", str(password))
        said = await done(data_dir, "deploy", "--chain", "base", "--yes")
        assert "verified: 0x" in said
        code, refusal = await run_engine_command(data_dir, "self-test", "--chain", "base")
        assert code == 1
        assert "FAIL  the signer does not answer" in refusal

    async with made_run(data_dir) as installation:
        await done(data_dir, "keys", "unlock", "--password-file", str(password))
        said = await done(data_dir, "self-test", "--chain", "base")
        assert "FAIL" not in said
        await installation.go_up_to("live")

        earned = await until_earned(installation)
        assert earned.cost is not None
        assert "nonce" in await installation.say("/tx 1", "Transactions: ")

        await installation.say("/contract pause base", "Pause the contract on base?")
        installation.phone.person_taps("Pause the contract on base")
        async with asyncio.timeout(PATIENCE_S):
            while True:
                (line,) = (await insist(installation.facade, GetContracts())).contracts
                if line.is_paused:
                    break
                await asyncio.sleep(0.2)
        assert any(amount > 0 for amount in line.earned.values()), line
        await installation.say("/contract", "PAUSED")
