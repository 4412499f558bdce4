"""Formulas against what real contracts answered, and forecasts against a real node's blocks."""

import asyncio
import json
import lzma

from engine.chains.gas.base_fee import FeeHeader, next_base_fee_wei
from engine.chains.gas.data_fee import Fork, L1Terms, unsigned_data_fee_wei
from engine.chains.gas.reader import GasReader, GasSeen
from engine.chains.gas.rules import GAS_RULES
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import open_pool
from engine.connectors.outbound import open_outbound
from engine.domain.chains import CHAINS
from tests.chains.gas.record_oracle import VECTORS
from tests.chains.local_world import LocalWorld


def test_the_real_oracle_s_fees_are_met_to_the_unit() -> None:
    with lzma.open(VECTORS, "rt") as file:
        lines = [json.loads(line) for line in file]
    assert {terms[0] for terms, _, _ in lines} == {"ecotone", "fjord"}

    for (fork, base_fee, blob_base_fee, scalar, blob_scalar), data, fee_wei in lines:
        terms = L1Terms(
            fork=Fork(fork),
            base_fee_wei=base_fee,
            blob_base_fee_wei=blob_base_fee,
            base_fee_scalar=scalar,
            blob_base_fee_scalar=blob_scalar,
        )
        assert unsigned_data_fee_wei(terms, bytes.fromhex(data)) == fee_wei


async def read(world: LocalWorld) -> GasSeen:
    access = Access(name="local", http_url=world.world.http_url)
    async with open_outbound(None) as way, open_pool([access], way) as node:
        return await GasReader(CHAINS["ethereum"], GAS_RULES["ethereum"], node).read()


def header(world: LocalWorld) -> FeeHeader:
    told = world.rpc.ask("eth_getBlockByNumber", "latest", False)
    assert isinstance(told, dict)
    names = ("number", "baseFeePerGas", "gasUsed", "gasLimit")
    number, base_fee, used, limit = (int(str(told[name]), 16) for name in names)
    return FeeHeader(number=number, base_fee_wei=base_fee, gas_used=used, gas_limit=limit)


def test_each_block_of_a_real_node_has_the_base_fee_that_was_foretold(world: LocalWorld) -> None:
    for step in range(12):
        before = header(world)
        if step % 3:
            world.transfer("USDC", world.made.accounts[3], 1)
        else:
            world.mine()

        assert header(world).base_fee_wei == next_base_fee_wei(
            before, GAS_RULES["ethereum"].base_fee
        )


def test_a_real_node_s_price_is_read(world: LocalWorld) -> None:
    before = header(world)

    seen = asyncio.run(read(world))
    world.mine()

    assert seen.block == before.number
    assert seen.base_fee_wei == header(world).base_fee_wei
    assert seen.price.gwei * 10**9 == seen.base_fee_wei + seen.tip_wei
    assert seen.doubt == ""
