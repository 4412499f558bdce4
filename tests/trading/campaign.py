"""Orders of unknown outcome by the hundred thousand, each followed to its proven end.

    python -m tests.trading.campaign --orders 1000000 --seed 1
    python -m tests.trading.campaign --orders 1000000 --seed 1 --wire

The first has a model venue, and six sets of the rules by which outcomes are proven. The second has
the five venues of the sandbox in their own dialects: calls, signatures, doors, answers, streams.

Each seed is an order with its own trouble: requests lost or as late as can be, answers lost, errors
after acceptance, fills before and after their answers, ends shown before their last fills, look-ups
that lag or show nothing, broken streams, restarts. What it came to is compared with what is true.

Runs of other seeds have other orders: what several of them came to adds up. One that is bounded by
`--minutes` tells what it came to until then.
"""

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing import Pool

from engine.gateways.gateway_list import GATEWAYS
from tests.trading.model_venue import RULES, Trial
from tests.trading.wire_trial import WireTrial

PART = 1_000


def run_part(part: tuple[str, int, int]) -> tuple[str, int, Counter[str], list[str]]:
    """Follow the orders of so many seeds under one set of rules."""
    name, first, count = part
    happened: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in range(first, first + count):
        trial = WireTrial(name, seed) if name in GATEWAYS else Trial(RULES[name], seed)
        trial.run()
        happened += trial.happened
        wrong += [f"{name}, seed {seed}: {one}" for one in trial.wrong]
    return name, count, happened, wrong


def parts(orders: int, seed: int, names: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Divide the orders evenly among venues or sets of rules."""
    each = -(-orders // len(names))
    for begin in range(0, each, PART):
        for name in names:
            yield name, seed * 1_000_000_000 + begin, min(PART, each - begin)


def main() -> int:
    """Run it; the exit code is 1 if anything was lost, doubled or believed without proof."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orders", type=int, default=100_000, help="in all (default 100,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end then")
    parser.add_argument("--wire", action="store_true", help="in the dialects of the five venues")
    asked = parser.parse_args()
    names = list(GATEWAYS if asked.wire else RULES)
    began_s, done, told_s = time.monotonic(), 0, 0.0
    happened: Counter[str] = Counter()
    wrong: list[str] = []
    with Pool(asked.workers) as pool:
        for _, count, seen, bad in pool.imap_unordered(
            run_part, parts(asked.orders, asked.seed, names)
        ):
            done += count
            happened += seen
            wrong += bad
            if time.monotonic() - told_s > 10:
                told_s = time.monotonic()
                print(f"{done:,} of {asked.orders:,} orders, {len(wrong)} wrong", flush=True)
            if time.monotonic() - began_s > 60 * asked.minutes:
                break
    for kind, times in sorted(happened.items()):
        print(f"  {times:>12,}  {kind}")
    for sentence in wrong[:20]:
        print(sentence)
    taken_s = time.monotonic() - began_s
    print(f"{done:,} orders in {taken_s:.0f} s, seed {asked.seed}: {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
