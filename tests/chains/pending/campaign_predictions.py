"""Random transactions at a node: ``python -m tests.chains.pending.campaign_predictions N SEED``.

Each is predicted, sent, and compared with what became of it: whether it went through, and every
pool to the unit. The first difference ends the campaign.
"""

import asyncio
import random
import sys
import time
from typing import Final

from engine.chains.pending.predictions import Outcome
from tests.chains.conftest import start_local
from tests.chains.pending.comparing import compare
from tests.chains.pending.deployed import Deployed

AT_ONCE: Final = 250
"""Of one world; with the next one the pools begin anew."""


def main(count: int, seed: int) -> None:
    """Run the campaign and print what became of the transactions."""
    rng, started = random.Random(seed), time.perf_counter()
    totals: dict[str, int] = {}
    for first in range(0, count, AT_ONCE):
        world = start_local()
        try:
            there = Deployed(world)
            world.automine(False)
            before = asyncio.run(there.read())
            outcomes = compare(there, before, rng, min(AT_ONCE, count - first))
        finally:
            world.close()
        for outcome, times in outcomes.items():
            totals[outcome] = totals.get(outcome, 0) + times
    spent_s = time.perf_counter() - started
    print(f"{count} transactions as predicted, {spent_s:.0f} s: ", end="")
    print(", ".join(f"{totals.get(outcome, 0)} {outcome}" for outcome in Outcome))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
