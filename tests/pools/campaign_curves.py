"""Compares float kernels with exact forms on random pools; prints JSON.

`python -m tests.pools.campaign_curves --cases 10000000 --seed 1 [--protocol curve]`
"""

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import numpy as np

from engine.domain.errors import BadValueError
from tests.pools.curve_states import PROTOCOLS, RELATIVE, Pair, random_amount, random_pair

AMOUNTS_PER_POOL = 16


@dataclass(slots=True)
class Tally:
    """What one protocol's cases showed.

    `refused`: the contract reverts; `unseen`: and the float still sees an output. `edges`: the
    float ends just before the last input that the contract takes.
    """

    cases: int = 0
    refused: int = 0
    unseen: int = 0
    edges: int = 0
    mismatches: list[str] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)
    worst_of_bound: float = 0.0
    worst_relative: float = 0.0
    exact_s: float = 0.0
    float_s: float = 0.0


def check_pair(pair: Pair, amounts: list[int], tally: Tally) -> None:
    """Compare one direction through one pool on several inputs."""
    started = time.perf_counter()
    exact = [_exact(pair, amount) for amount in amounts]
    between = time.perf_counter()
    inputs = np.array(amounts, np.float64)
    out = pair.floats(inputs)
    tally.float_s += time.perf_counter() - between
    tally.exact_s += between - started
    slack = pair.slack_raw(inputs, out)
    for index, wanted in enumerate(exact):
        tally.cases += 1
        tally.by_kind[pair.label] += 1
        found = float(out[index, 0])
        if wanted is None:
            tally.refused += 1
            tally.unseen += found > float(slack[index])
            is_bad = not 0.0 <= found < pair.reserve_out_raw
        elif found == 0.0 and _is_last(pair, amounts[index]):
            tally.edges += 1
            is_bad = False
        else:
            bound = RELATIVE * wanted + float(slack[index])
            used = abs(found - wanted) / bound
            is_bad = not used <= 1.0
            tally.worst_of_bound = max(tally.worst_of_bound, used)
            if wanted > 10**12 and slack[index] < RELATIVE * wanted:
                tally.worst_relative = max(tally.worst_relative, abs(found / wanted - 1))
        if is_bad and len(tally.mismatches) < 20:
            tally.mismatches.append(
                f"{pair.label}: {amounts[index]} gives {wanted}, as float {found}, "
                f"slack {slack[index]}"
            )


def run(protocol: str, *, cases: int, seed: int) -> Tally:
    """Check so many cases of one protocol, the same ones for the same seed."""
    random = Random(f"{protocol} {seed}")
    tally = Tally()
    while tally.cases < cases:
        pair = random_pair(protocol, random)
        count = min(AMOUNTS_PER_POOL, cases - tally.cases)
        amounts = [random_amount(random, pair.reserve_in_raw) for _ in range(count)]
        check_pair(pair, amounts, tally)
    return tally


def _is_last(pair: Pair, amount: int) -> bool:
    return _exact(pair, amount + amount // 1_000 + 10) is None


def _exact(pair: Pair, amount: int) -> int | None:
    try:
        return pair.exact(amount)
    except BadValueError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--protocol", choices=PROTOCOLS, action="append")
    given = parser.parse_args()
    protocols = given.protocol or list(PROTOCOLS)
    report = {}
    for number, protocol in enumerate(protocols):
        # What does not divide goes to the first ones.
        share = (given.cases + len(protocols) - 1 - number) // len(protocols)
        tally = run(protocol, cases=share, seed=given.seed)
        report[protocol] = {
            "cases": tally.cases,
            "refused_by_contract": tally.refused,
            "refused_unseen_by_floats": tally.unseen,
            "at_the_edge": tally.edges,
            "kinds": dict(tally.by_kind),
            "mismatches": tally.mismatches,
            "worst_part_of_bound": tally.worst_of_bound,
            "worst_relative_error": tally.worst_relative,
            "exact_us": tally.exact_s / tally.cases * 1e6,
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
