"""Random acts on every make, by many seeds: `python -m tests.chains.families.campaign SEEDS`."""

import asyncio
import sys
import time

from tests.chains.conftest import start_local
from tests.chains.families.actor import Actor
from tests.chains.families.stages import MAKES, Counted, followed

ACTS = 100
QUOTES = 200


async def main(seeds: int) -> None:
    for name, make in MAKES.items():
        total, began = Counted(0, 0, 0, 0), time.monotonic()
        for seed in range(1, seeds + 1):
            world = start_local()
            try:
                actor = Actor(world)
                counted = await followed(actor, make(actor), seed=seed, acts=ACTS, quotes=QUOTES)
            finally:
                world.close()
            total = Counted(*(sum(both) for both in zip(total, counted, strict=True)))
        print(
            f"| {name} | {seeds * ACTS:,} | {total.events:,} | {total.moves:,} |"
            f" {total.readings:,} | {total.quotes:,} | 0 | {time.monotonic() - began:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
