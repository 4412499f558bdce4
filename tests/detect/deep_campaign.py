"""Random markets with gas, and dust: the best route after every change is open.

`python -m tests.detect.deep_campaign --worlds 2000 --seed 1` prints one JSON object, and exits with
1 if in a single world the best route by a plain search was neither open nor within the hysteresis.
"""

import argparse
import json
import random
import sys
import time

from engine.detect.screening.open_room import DISPLACES_RATIO
from tests.detect.deep_worlds import dust_market, random_event, random_market

EVENTS = 6
DUST_STEP = 20
DUST_MAX = 500
HUB_MOVED = (10_150.0, 19_700_000.0)
LACK_RATIO = 1e-4


def run_worlds(worlds: int, seed: int) -> dict[str, object]:
    """Compare the best open route with a plain search's, after every change."""
    changes, paying, open_exactly = 0, 0, 0
    missed: list[str] = []
    for number in range(worlds):
        rng = random.Random(seed * 1_000_003 + number)
        market = random_market(rng)
        market.sweep()
        for _ in range(EVENTS):
            random_event(rng, market)
            market.sweep()
            best_usd, _ = market.best()
            open_usd, lack_usd = market.best_open_usd(), 1e-6 + LACK_RATIO * best_usd
            changes += 1
            paying += best_usd > lack_usd
            open_exactly += best_usd > lack_usd and open_usd >= best_usd - lack_usd
            if open_usd < best_usd / DISPLACES_RATIO - lack_usd:
                missed.append(f"world {number}: best {best_usd}, open {open_usd}")
    return {
        "worlds": worlds,
        "changes": changes,
        "paying": paying,
        "best_is_open": open_exactly,
        "missed": len(missed),
        "examples": missed[:5],
    }


def run_dust() -> dict[str, object]:
    """Hide one deep triangle among more and more tokens of dust."""
    counts = range(0, DUST_MAX + 1, DUST_STEP)
    missed = []
    for count in counts:
        market = dust_market(count)
        market.move(0, HUB_MOVED)
        best_usd, _ = market.best()
        if market.best_open_usd() < best_usd * (1 - LACK_RATIO) or best_usd < 1:
            missed.append(count)
    return {"dust_markets": len(counts), "dust_max": DUST_MAX, "dust_missed": missed}


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.monotonic()
    summary = run_worlds(asked.worlds, asked.seed) | run_dust()
    print(json.dumps(summary | {"seconds": round(time.monotonic() - started, 1)}))
    return 1 if summary["missed"] or summary["dust_missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
