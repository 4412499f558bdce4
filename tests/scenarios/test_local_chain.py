"""An installation with a real chain on this machine: its pools are live, its blocks come."""

import asyncio
from pathlib import Path

import pytest

from engine.bus.reports import StatusReport
from engine.domain.errors import TransientError
from engine.requests.overview import GetStatus
from engine.sandbox.world.packages import NoWorldError, anvil_path, cannot_be_had
from tests.patience import PATIENCE_S
from tests.scenarios.rig import CALM, running_installation
from tests.telegram.emulator import TelegramEmulator

PROTOCOLS = {
    "uniswap_v2@base",
    "uniswap_v3@base",
    "uniswap_v4@base",
    "balancer_weighted@base",
    "balancer_stable@base",
}


@pytest.mark.slow
async def test_pools_of_a_real_local_chain_are_live_and_move(tmp_path: Path) -> None:
    try:
        anvil_path()
    except NoWorldError as error:
        if not cannot_be_had():
            raise
        pytest.skip(str(error))
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            tmp_path / "var", phone, speed=CALM, SYNDICATE_MARKETS_SANDBOX_CHAINS="base"
        ) as installation,
    ):
        seen: set[int] = set()
        async with asyncio.timeout(PATIENCE_S):
            while len(seen) < 5:
                try:
                    report = await installation.facade.ask(GetStatus())
                except TransientError:
                    await asyncio.sleep(0.1)
                    continue
                assert isinstance(report, StatusReport)
                live = {str(one.venue): one.frames for one in report.venues if one.books_live}
                if live.keys() >= PROTOCOLS:
                    seen.add(live["uniswap_v3@base"])
                await asyncio.sleep(0.1)
        assert "real contracts on local nodes" in report.market_note
        assert not any(one.venue.endswith("@ethereum") for one in report.venues)
