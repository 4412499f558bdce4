"""Faults of nodes and of the way to them by the hundred, put into the whole role `chains`.

A real node stands behind three proxies. Each round spoils one of them, or all, while the chain
trades and now and then undoes blocks; then the fault ends. An engine's witness hears the blocks:
whatever it believed of a pool at a block has to be what the node has there, what was lost has to be
counted and named, and in the end every pool is live again at the node's newest block.

    python -m tests.chains.faults.campaign --faults 300 --seed 1
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chains.faults.fault_list import AWAY, OF_ALL, OF_ONE, Trial
from tests.chains.faults.place import TAKEN_BACK_MAX, Place, place

ROUNDS_PER_PLACE = 60
REORGANISED = 0.25
KILLED = Trial("node killed and started again", spoil=lambda *_: _nothing(), counted=AWAY)
TOLD_EVERY = 10


@dataclass
class Tally:
    """What happened."""

    rounds: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    spoilt: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    caught: int = 0
    reorganised: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    slowest_s: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


async def _nothing() -> None:
    """Spoil nothing."""


async def run_trial(at: Place, trial: Trial, tally: Tally) -> None:
    """Put one fault in, let the chain go on, end the fault, and look whether all is as it was.

    Raises:
        AssertionError: it is not, or nobody counted or named what was lost.
    """
    at.doing = trial.name
    victims = [at.rng.choice(at.proxies)] if trial in OF_ONE else at.proxies
    if trial in OF_ONE:
        at.prefer(victims[0])
    before, spoilt = at.counted(), sum(len(one.spoilt) for one in at.proxies)
    started_again = await at.kill_node() if trial is KILLED else None
    await trial.spoil(at, victims)
    if started_again is None:
        await at.trade(at.rng.randrange(2, 8))
        if at.rng.random() < REORGANISED:
            await at.reorganise(at.rng.randrange(1, 6))
            tally.reorganised += 1
    if trial.counted:
        await at.until(
            lambda: any(_more(before, at.counted(), trial)),
            meanwhile=at.go_on if started_again is None else None,
        )
    head = "" if started_again is not None else await at.head()
    await at.until(lambda: bool(at.why_not()) or at.witness.newest == head)
    began_s = time.monotonic()
    for proxy in at.proxies:
        proxy.clear()
        proxy.go_to(at.world.node.url)
    if started_again is not None:
        await started_again()
    tally.counted.update(dict(_grown(before, at.counted())))
    if trial.is_lie:
        await at.renew_keys()
    wrong = await at.until_equal()
    assert not wrong, f"{trial.name}: {wrong[:5]}"
    taken_s = time.monotonic() - began_s
    tally.slowest_s[trial.name] = max(tally.slowest_s.get(trial.name, 0.0), taken_s)
    tally.rounds[trial.name] += 1
    tally.spoilt[trial.name] += sum(len(one.spoilt) for one in at.proxies) - spoilt


def _more(before: Counter[str], now: Counter[str], trial: Trial) -> Sequence[str]:
    return [name for name, _ in _grown(before, now) if name in trial.counted]


def _grown(before: Counter[str], now: Counter[str]) -> Sequence[tuple[str, int]]:
    return [(name, more) for name in now if (more := now[name] - before[name]) > 0]


def trials_of(rng: random.Random, count: int) -> list[Trial]:
    """Return so many trials: each kind as often as any other, in an order by chance."""
    every = [*OF_ONE, *OF_ALL, KILLED]
    chosen: list[Trial] = []
    while len(chosen) < count:
        rng.shuffle(every)
        chosen += every
    return chosen[:count]


async def run(trials: Sequence[Trial], seed: int) -> Tally:
    """Run trials, on a node for so many each; after a failure on another one."""
    rng, tally, left = random.Random(f"faults {seed}"), Tally(), list(trials)
    while left:
        with tempfile.TemporaryDirectory() as folder:
            try:
                async with place(Path(folder), rng) as at:
                    await _run_some(at, left, tally)
            except* AssertionError as group:
                tally.wrong += [str(one) for one in _leaves(group)]
        _tell(len(trials) - len(left), tally)
    return tally


async def _run_some(at: Place, left: list[Trial], tally: Tally) -> None:
    """Run trials from the end of the list until one fails or the node has had enough."""
    await at.until_equal()
    await asyncio.to_thread(at.world.mine, TAKEN_BACK_MAX)
    await at.until_equal()
    try:
        for number in range(1, min(ROUNDS_PER_PLACE, len(left)) + 1):
            await run_trial(at, left.pop(), tally)
            if number % TOLD_EVERY == 0:
                _tell(number, tally)
    finally:
        tally.compared += at.witness.compared
        tally.lost += at.witness.lost_count
        tally.caught += len(at.notices.notices)


def _tell(number: int, tally: Tally) -> None:
    print(f"{number} faults, {len(tally.wrong)} failures", flush=True)


def _leaves(group: BaseExceptionGroup[AssertionError]) -> list[AssertionError]:
    return [
        leaf
        for one in group.exceptions
        for leaf in (_leaves(one) if isinstance(one, BaseExceptionGroup) else [one])
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="faults with this in their names")
    options = parser.parse_args()
    began_s = time.monotonic()
    trials = [
        one
        for one in trials_of(random.Random(options.seed), options.faults)
        if options.only in one.name
    ]
    tally = asyncio.run(run(trials, options.seed))
    for name, count in sorted(tally.rounds.items()):
        print(f"{count:4} {name}: equal again after {tally.slowest_s[name]:.1f} s at most")
    print(", ".join(f"{name} {count}" for name, count in sorted(tally.counted.items())))
    print(f"answers and news spoilt: {tally.spoilt.total()}, states compared: {tally.compared}")
    print(f"streams lost: {tally.lost}, caught: {tally.caught}, undone: {tally.reorganised}")
    total = sum(tally.rounds.values())
    print(f"{total} faults, {len(tally.wrong)} failures in {time.monotonic() - began_s:.0f} s")
    for one in tally.wrong[:20]:
        print(one)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
