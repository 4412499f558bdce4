"""Reorganisations of a real node by the thousand: after each, pools here and at the node are equal.

Half of them put empty blocks in the place of the newest ones, half of them other trades. A follower
and the engine's own pools hear of them; then every pool is read from the node at the newest block.
A pool of the engine's that is known and is not as the node has it is a failure, and so is one that
does not come back.

    python -m tests.chains.following.reorg_campaign --count 1000 --seed 1
"""

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from engine.chains.following.counts import Count
from engine.chains.following.machine import Rhythm
from engine.chains.rpc.reader import ChainReader
from engine.pools.moves import row_now
from tests.chains.conftest import start_local
from tests.chains.following.node import Followed, differing, following, pools_of
from tests.chains.following.test_any_order import Engine
from tests.chains.following.test_real_node import access_to, trade
from tests.chains.local_world import LocalWorld
from tests.patience import PATIENCE_S

DEPTH_MAX = 20
UNDO = 64
SETTLED_S = 5.0
ROUNDS_PER_NODE = 50
"""A node keeps all that it ever undid."""


@dataclass
class Tally:
    """What happened."""

    rounds: int = 0
    depths: Counter[int] = field(default_factory=Counter)
    compared: int = 0
    moves: int = 0
    differing: list[str] = field(default_factory=list)
    counts: Counter[Count] = field(default_factory=Counter)
    longest_s: float = 0.0


async def campaign(world: LocalWorld, rounds: int, rng: random.Random, tally: Tally) -> None:
    """Undo blocks of one node so often."""
    rhythm = Rhythm(undo_blocks=UNDO)
    pools = pools_of(world.made, "ethereum")
    engine = Engine(undo_blocks=UNDO)
    async with following([access_to(world)], pools, rhythm=rhythm) as followed:
        await follow_on(world, followed)
        await asyncio.to_thread(world.mine, DEPTH_MAX + 1)  # it takes back none it began with
        await follow_on(world, followed)
        for _ in range(rounds):
            depth = rng.randint(1, DEPTH_MAX)
            if rng.random() < 0.5:
                await asyncio.to_thread(world.rpc.ask, "anvil_dropAllTransactions")
                await asyncio.to_thread(trade, world, rng, rng.randrange(1, 5))
                await follow_on(world, followed)
                await asyncio.to_thread(empty_blocks, world, depth)
            else:
                await asyncio.to_thread(other_blocks, world, rng, depth)
            began_s = time.monotonic()
            await follow_on(world, followed)
            tally.longest_s = max(tally.longest_s, time.monotonic() - began_s)
            await compare(followed, engine, tally)
            tally.rounds += 1
            tally.depths[depth] += 1
    tally.counts += followed.machine.counts


def empty_blocks(world: LocalWorld, depth: int) -> None:
    """Put empty blocks in the place of the newest ones, and one more."""
    world.reorg(depth)
    world.mine()  # the node tells nobody of the others


def other_blocks(world: LocalWorld, rng: random.Random, depth: int) -> None:
    """Make blocks, take them back, and make others in their place, one more."""
    snapshot = world.snapshot()
    make_blocks(world, rng, depth)
    world.revert(snapshot)
    make_blocks(world, rng, depth + 1)


def make_blocks(world: LocalWorld, rng: random.Random, count: int) -> None:
    """Make so many blocks, with trades in some of them."""
    made = int(world.head()["number"], 16) + count
    world.rpc.ask("anvil_dropAllTransactions")  # those of undone blocks wait again
    trade(world, rng, 1)
    while int(world.head()["number"], 16) < made:
        if rng.random() < 0.2:
            trade(world, rng, 1)
        else:
            world.mine()


async def follow_on(world: LocalWorld, followed: Followed) -> None:
    """Wait until the follower is where the node is, with all pools.

    A pool that the node could not read at a block, as it was taking that back, is read again after
    another block or two.
    """
    async with asyncio.timeout(PATIENCE_S):
        while True:
            head = await asyncio.to_thread(world.head)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLED_S):
                    await followed.until_at(head["hash"])
                    return
            await asyncio.to_thread(world.mine)


async def compare(followed: Followed, engine: Engine, tally: Tally) -> None:
    """Compare the follower's pools with the node's, and the engine's with the follower's."""
    machine = followed.machine
    words, followed.words[:] = list(followed.words), []
    engine.hear(words)
    tally.moves += sum(len(word.block.each_change()) for word in words if word.block is not None)
    tip = machine.branch.tip
    assert tip is not None
    tally.differing += await differing(machine, ChainReader(followed.node), tip.ref)
    graph, moving = engine.world.graph, engine.world.moving
    if engine.newest != tip.ref.hash:
        tally.differing.append(f"the engine is at {engine.newest}, not {tip.ref.hash}")
    for pool_id, number in moving.numbers.items():
        tally.compared += 1
        mine = machine.pools.of[pool_id.address].held
        held = graph.pools.get(number)
        if held is None or number in moving.reasons:
            tally.differing.append(f"{pool_id} is not known to the engine")
        elif mine is not None and row_now(held.row, held.state) != row_now(mine.row, mine.state):
            tally.differing.append(f"{pool_id} is another one at the engine")


async def run(count: int, seed: int) -> Tally:
    """Run the campaign, on a node for so many rounds each."""
    rng = random.Random(f"reorganisations {seed}")
    tally = Tally()
    while tally.rounds < count and not tally.differing:
        world = start_local()
        try:
            rounds = min(ROUNDS_PER_NODE, count - tally.rounds)
            await campaign(world, rounds, rng, tally)
        finally:
            world.close()
        print(f"{tally.rounds} reorganisations, {len(tally.differing)} pools differ", flush=True)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began_s = time.monotonic()
    tally = asyncio.run(run(options.count, options.seed))
    depths = ", ".join(f"{depth}: {count}" for depth, count in sorted(tally.depths.items()))
    print(f"by depth: {depths}")
    print(f"moves: {tally.moves}, pools compared: {tally.compared}")
    print(", ".join(f"{kind} {count}" for kind, count in sorted(tally.counts.items())))
    print(f"longest until equal again: {tally.longest_s * 1_000:.0f} ms")
    print(f"{len(tally.differing)} failures in {time.monotonic() - began_s:.0f} s")
    for one in tally.differing[:20]:
        print(one)
    return 1 if tally.differing else 0


if __name__ == "__main__":
    sys.exit(main())
