"""A checkpoint of a core whose pools move: what follows is the same as without it."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from engine.core.inputs.gas_priced import GasPriced
from engine.core.inputs.pool_removed import PoolRemoved
from engine.domain.chains import BlockTerms
from engine.operate.core_parts import Core
from engine.pools.blocks import Block, PoolMoved
from engine.pools.moves import PairMove
from engine.sandbox.chain import MadeUpChain
from tests.core.test_checkpoint import restored, root_of
from tests.detect.test_pool_moves import check_same
from tests.reference.run_core import make_run_core
from tests.reference.state import differences, state_of
from tests.reference.world import START_NS
from tests.sandbox.test_chain import make_chain

BLOCK_NS = 2_000_000_000


def make_core(chain: MadeUpChain) -> Core:
    terms = BlockTerms(stale_ms=10_000, undo_blocks=8)
    return make_run_core([], chain.snapshots(), chains={chain.name: terms})


def take(core: Core, blocks: Sequence[Block]) -> None:
    for block in blocks:
        core.hot_path.command(block, START_NS + block.number * BLOCK_NS)
        core.hot_path.tick(START_NS + block.number * BLOCK_NS)


def test_what_gas_costs_and_since_when_is_in_a_checkpoint() -> None:
    chain = make_chain(seed=2)
    core = make_core(chain)
    take(core, [chain.next(number) for number in range(3)])
    told = GasPriced(
        chain=chain.name, gwei=Decimal("0.25"), data_fixed_raw=10**12, data_leg_raw=10**11
    )
    core.hot_path.command(told, START_NS + 3 * BLOCK_NS)

    other = restored(core)

    assert not differences(state_of(root_of(other)), state_of(root_of(core)))
    assert other.gas.price(chain.name) == told.price
    assert other.gas.age_ms(chain.name, START_NS + 4 * BLOCK_NS) == BLOCK_NS // 1_000_000
    for one in (core, other):
        one.hot_path.command(GasPriced(chain=chain.name, gwei=Decimal(3)), START_NS + 5 * BLOCK_NS)
    assert not differences(state_of(root_of(other)), state_of(root_of(core)))


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_core_that_is_restored_among_blocks_goes_on_as_the_one_that_ran(count: int) -> None:
    chain = make_chain(seed=1)
    core = make_core(chain)
    blocks = [chain.next(number) for number in range(count + 80)]
    assert any(block.undone for block in blocks[count:])
    take(core, blocks[:count])
    if count:
        lost, gone, *_ = core.moving_pools.numbers
        core.hot_path.command(PoolRemoved(pool_id=gone), START_NS + 1)
        bad = PoolMoved(address=lost.address, move=PairMove(reserve0_raw=0, reserve1_raw=0))
        newest = blocks[count - 1]
        blocks[count] = Block(
            chain=chain.name,
            number=newest.number + 1,
            hash=blocks[count].hash,
            parent_hash=newest.hash,
            made_at_ns=0,
            changes=(*blocks[count].changes, bad),
        )
        take(core, blocks[count : count + 1])

    other = restored(core)

    assert not differences(state_of(root_of(other)), state_of(root_of(core)))
    for one in (core, other):
        take(one, blocks[count + 1 :] if count else blocks)
    assert not differences(state_of(root_of(other)), state_of(root_of(core)))
    assert other.pools.keys() == core.pools.keys()
    for number, pool in core.pools.items():
        check_same(other.pools[number], pool)
