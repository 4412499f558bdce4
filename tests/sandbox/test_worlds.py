"""The sandbox's local chains: announced, fed with what the books say, ended with it."""

import asyncio

import pytest

from engine.sandbox.server import open_sandbox
from engine.sandbox.settings import SandboxSettings
from engine.sandbox.world.packages import NoWorldError, anvil_path, cannot_be_had
from engine.sandbox.world.rpc import Rpc
from tests.patience import PATIENCE_S


def need_packages() -> None:
    try:
        anvil_path()
    except NoWorldError as error:
        if not cannot_be_had():
            raise
        pytest.skip(str(error))


@pytest.mark.slow
async def test_a_local_chain_takes_the_place_of_the_made_up_one_and_ends_with_the_sandbox() -> None:
    need_packages()
    async with open_sandbox(SandboxSettings(chains=("base",), speed=10.0)) as sandbox:
        told = sandbox.announcement()
        assert told["chains"] == {}
        assert told["pools"] == []
        (name, chain), *_ = told["local_chains"].items()
        assert (name, chain.chain_id, chain.block_ms) == ("base", 8453, 200)
        assert {dex.chain for dex in chain.dexes} == {"base"}
        with Rpc(chain.http_urls[0]) as rpc:
            first = int(rpc.ask("eth_blockNumber"), 16)
            async with asyncio.timeout(PATIENCE_S):
                while int(rpc.ask("eth_blockNumber"), 16) < first + 5:
                    await asyncio.sleep(0.05)
    with Rpc(chain.http_urls[0]) as rpc, pytest.raises(OSError, match="refused"):
        rpc.ask("eth_blockNumber")


@pytest.mark.slow
async def test_without_a_local_chain_the_sandbox_makes_one_up_and_says_why() -> None:
    async with open_sandbox(SandboxSettings(chains=("atlantis",))) as sandbox:
        told = sandbox.announcement()
        assert told["local_chains"] == {}
        assert "atlantis is no chain of the sandbox" in told["why_no_local_chains"]
        assert told["chains"].keys() == {"ethereum"}
