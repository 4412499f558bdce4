"""A long run of random routes against the slow twins.

`python -m tests.detect.sizing_campaign --cases 1000000 --seed 1` prints progress as it goes and one
JSON object at the end; the exit code is 1 if a case broke a rule. `--seconds` ends it earlier.
"""

import argparse
import json
import math
import random
import sys
import time
from collections import Counter

import numpy as np

from engine.detect.sizing.routes import RouteTerms, SideTables, size
from engine.detect.splitting.shares import split
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import SIZED_COLUMNS
from tests.detect.sizing_random import KINDS, MIXES, Problem, random_problem, random_side
from tests.reference import sizing as reference

LACK_RATIO_MAX = 1e-4
NOISE_RATIO = 1e-12  # of the input: gains below it are rounding
SPLIT_EVERY = 5
SPOIL_EVERY = 5
BAD = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300, 1e-300)
SAMPLES_MAX = 5


def check_size(rng: random.Random, problem: Problem, worst: dict[str, float]) -> str | None:
    """Return what is wrong with a sized route, or `None`."""
    pays = 1.0 + rng.choice((0.0, 0.0005))
    most = rng.choice((math.inf, problem.depth * 10.0 ** rng.uniform(-3, 0)))
    terms = RouteTerms(flash_fee_ratio=pays - 1.0, input_max=most)
    found = size(problem.tables, problem.cycle, terms)
    at, gain = reference.best(problem.legs, pays=pays, most=most, hint=problem.depth)
    if found is None:
        return "missed" if gain > NOISE_RATIO * at else None
    lack = (gain - found.profit) / found.profit
    noise = NOISE_RATIO * found.input
    if gain - found.profit > noise:
        worst["lack_ratio"] = max(worst["lack_ratio"], lack)
        if lack > LACK_RATIO_MAX:
            return "not optimal"
    true = reference.gain(problem.legs, found.input, pays)
    if abs(true - found.profit) > 1e-6 * found.profit + 1e3 * noise:
        return "promises what is not there"
    return "over the limit" if found.input > most else None


def check_split(rng: random.Random) -> str | None:
    tables = SideTables()
    made = [
        random_side(rng, tables, rng.choice(KINDS), price=rng.uniform(0.98, 1.02), depth=1e4)
        for _ in range(rng.randint(1, 4))
    ]
    amount = 10.0 ** rng.uniform(0, 5)
    found = split(tables, [row for row, _ in made], amount)
    if found is None:
        return None
    best = max(leg(amount) for _, leg in made)
    return "split worse than one side" if found.output < best * (1.0 - 1e-9) else None


def check_spoiled(rng: random.Random, problem: Problem) -> str | None:
    arrays = [one.copy() for one in problem.tables.arrays]
    terms = np.array(RouteTerms().as_row())
    spoiled = rng.choice([one for one in [*arrays, terms] if one.size])
    spoiled.flat[rng.randrange(spoiled.size)] = rng.choice(BAD)
    out = np.zeros(SIZED_COLUMNS)
    size_route(np.array(problem.cycle, np.int64), *arrays, terms, out)
    return None if np.isfinite(out).all() else "a bad number came out"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=math.inf)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    started = time.monotonic()
    failures: Counter[str] = Counter()
    samples: list[dict[str, object]] = []
    worst = {"lack_ratio": 0.0}
    done = 0
    while done < chosen.cases and time.monotonic() - started < chosen.seconds:
        seed = rng.getrandbits(48)
        one = random.Random(seed)
        kinds = MIXES[done % len(MIXES)]
        problem = random_problem(one, kinds)
        found = [check_size(one, problem, worst)]
        if done % SPLIT_EVERY == 0:
            found.append(check_split(one))
        if done % SPOIL_EVERY == 1:
            found.append(check_spoiled(one, problem))
        for wrong in filter(None, found):
            failures[wrong] += 1
            if len(samples) < SAMPLES_MAX:
                samples.append({"wrong": wrong, "seed": seed, "kinds": kinds})
        done += 1
        if done % 100_000 == 0:
            print(f"{done} cases, {sum(failures.values())} failures", file=sys.stderr, flush=True)
    report = {
        "cases": done,
        "seed": chosen.seed,
        "seconds": round(time.monotonic() - started, 1),
        "lack_ratio_worst": worst["lack_ratio"],
        "failures": dict(failures),
        "samples": samples,
    }
    print(json.dumps(report))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
