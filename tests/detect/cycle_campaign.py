"""Brute force against the cycle scans over random markets.

`python -m tests.detect.cycle_campaign --events 100000 --seed 1` prints one JSON object, and exits
with 1 if a single cycle was missed, invented or ranked wrongly.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict

from tests.detect.cycle_worlds import Tally, World

EVENTS_PER_WORLD = 50
MISMATCHES_SHOWN = 5


def run(*, events: int, seed: int) -> Tally:
    """Drive worlds until there have been so many events."""
    tally = Tally()
    number = 0
    while tally.events < events:
        world = World(seed * 1_000_003 + number)
        number += 1
        for _ in range(min(EVENTS_PER_WORLD, events - tally.events)):
            world.event(tally)
    return tally


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.monotonic()
    tally = run(events=asked.events, seed=asked.seed)
    summary = asdict(tally) | {
        "seed": asked.seed,
        "mismatches": len(tally.mismatches),
        "examples": tally.mismatches[:MISMATCHES_SHOWN],
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(summary))
    return 1 if tally.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
