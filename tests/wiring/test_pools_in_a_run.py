"""In a run as the engine builds it the decider knows how fresh pools are."""

import dataclasses
import json
from typing import Any

from msgspec.structs import replace

from engine.core.inputs.switched import ControlState
from engine.domain.assets import AssetCode
from engine.domain.chains import BlockTerms
from engine.domain.modes import Mode
from engine.domain.opportunities import Reason
from engine.operate.world import LiveWorld
from engine.pools.blocks import Block, PoolMoved
from engine.pools.moves import PairMove
from engine.wiring.core import build_core
from tests.detect.test_live_pools import pair_of
from tests.reference.run_core import make_header, make_surroundings
from tests.reference.world import START_NS

CHAINS = {"ethereum": BlockTerms(stale_ms=36_000, undo_blocks=4)}


def test_a_route_through_pools_of_the_newest_block_is_not_refused_as_stale() -> None:
    pools = [pair_of(1_000, 2_000_000), pair_of(1_000, 2_000_000, address="0xother")]
    header = make_header([], [replace(pool, block=1) for pool in pools], chains=CHAINS)
    header = replace(header, control=ControlState(mode=Mode.PAPER, is_paused=False))
    lines: list[bytes] = []
    world = LiveWorld(is_killed=lambda: False, is_ledger_behind=lambda: False, recorder=None)
    around = dataclasses.replace(make_surroundings(log=lines.append), world=world)
    core = build_core(header, around)
    core.detector._graph.set_values({AssetCode("ETH"): 2_000.0, AssetCode("USDT"): 1.0})
    move = PairMove(reserve0_raw=10**21, reserve1_raw=2_200_000 * 10**6)
    made = Block(
        chain="ethereum",
        number=2,
        hash="b",
        parent_hash="a",
        made_at_ns=0,
        changes=(PoolMoved(address="0xother", move=move),),
    )

    core.hot_path.command(made, START_NS + 1)

    decided: list[Any] = [one for line in lines if (one := json.loads(line))[0] == "decided"]
    assert decided, "ten percent between two pools are an opportunity"
    # Behind the age of pools comes what the asset is worth, which no book says here.
    assert Reason.STALE_POOL.value not in str(decided)
    assert Reason.NO_USD_PRICE.value in str(decided)
