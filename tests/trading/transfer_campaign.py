"""Transfers by the thousand between two venues of the sandbox, with losses, and ends anywhere.

``python -m tests.trading.transfer_campaign --transfers 2000 --seed 1``: says how each ended, and
fails at the first one that was sent twice, lost, or halts a venue.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from pathlib import Path

from engine.sandbox.exchange.funding import NotSent, Way
from tests.trading.test_transfers import POINTS, judge
from tests.trading.transfer_world import TransferWorld
from tests.trading.work_world import EndedError

LOST = ("", "", "request", "answer", "page")


async def one(rng: random.Random, folder: Path) -> tuple[str, Counter[str]]:
    """Run one transfer to its end; return how it ended, and what happened on the way."""
    world = TransferWorld(folder / "orders", source=rng.choice(("binance", "kraken")))
    await world.check()
    happened: Counter[str] = Counter()
    world.lost = [rng.choice(LOST), rng.choice(LOST)]
    happened.update(f"{lost} lost" for lost in world.lost if lost)
    match rng.randrange(6):
        case 0:
            world.manner(world.source, back=rng.choice((Way.CANCELLED, Way.FAILED)))
        case 1:
            world.manner(world.source, refused=rng.choice((NotSent.ADDRESS, NotSent.FUNDS)))
        case 2:
            world.manner(world.target, way_in=True, held_ms=rng.randrange(900_000))
    ends = [(rng.choice(POINTS), [rng.randint(1, 8)]) for _ in range(rng.randrange(4))]

    def crash(where: str) -> None:
        for point, left in ends:
            if point == where:
                left[0] -= 1
                if left[0] == 0:
                    happened["ended"] += 1
                    raise EndedError

    world.allow()
    world.crash = crash
    kept = await world.until_ended(most_s=20_000)
    assert all(count == 1 for count in world.signed.values()), world.signed
    await judge(world, sends=world.sent)
    world.book.close()
    return kept.life.state, happened


def main() -> None:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, states, happened = random.Random(asked.seed), Counter[str](), Counter[str]()
    for _ in range(asked.transfers):
        with tempfile.TemporaryDirectory(prefix="syndicate-transfers-") as folder:
            state, what = asyncio.run(one(rng, Path(folder)))
        states[str(state)] += 1
        happened += what
    print(f"{asked.transfers} transfers, seed {asked.seed}: {dict(states.most_common())}")
    print(f"on the way: {dict(happened.most_common())}; none sent twice, none lost, no false halt")


if __name__ == "__main__":
    main()
