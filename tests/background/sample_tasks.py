"""Two honest tasks, as examples: one reckons with numpy, one in plain Python."""

from collections.abc import Generator

import msgspec
import numpy as np

from engine.background.ports import Discovery, Given, Outcome, Task

STEPS = 150
WALK_CHUNK = 20_000
COUNT_TO = 20_000


class Numbers(msgspec.Struct, frozen=True):
    """A want: some numbers."""

    many: int

    @property
    def answer_type(self) -> type[list[float]]:
        return list[float]


class WalkState(msgspec.Struct, frozen=True):
    """How far a fit of a random walk has come."""

    step: int
    sum_xy: float
    sum_xx: float
    last: float


def fit_walk(
    given: Given, state: WalkState | None, learned: WalkState | None
) -> Generator[WalkState, None, Outcome[WalkState]]:
    """Fit how much of a step's value is left in the next one."""
    begun = learned.last if learned is not None else sum(given.of(Numbers(3)))
    state = state or WalkState(0, 0.0, 0.0, begun)
    while state.step < STEPS:
        chance = np.random.default_rng([given.seed, state.step])
        shocks = chance.standard_normal(WALK_CHUNK)
        values = np.empty(WALK_CHUNK + 1)
        values[0] = state.last
        decay = 0.9 ** np.arange(64)
        values[1:] = np.convolve(shocks, decay)[:WALK_CHUNK]
        state = WalkState(
            state.step + 1,
            state.sum_xy + float(np.sum(values[:-1] * values[1:])),
            state.sum_xx + float(np.sum(values[:-1] * values[:-1])),
            float(values[-1]),
        )
        yield state
    left = state.sum_xy / state.sum_xx
    found = Discovery(
        kind="walk",
        subject="sample",
        says=f"{left:.3f} of a value is left in the next one",
        figures={"left_ratio": left},
        score=0.9,
        holds_s=60.0,
    )
    return Outcome(found=(found,), learned=state, measured={"steps": float(STEPS)})


class CountState(msgspec.Struct, frozen=True):
    """How far a count of primes has come."""

    at: int
    primes: list[int]


def count_primes(
    given: Given, state: CountState | None, learned: CountState | None
) -> Generator[CountState, None, Outcome[CountState]]:
    """Find primes by those found before."""
    state = state or CountState(2, [])
    primes = list(state.primes)
    for number in range(state.at, COUNT_TO):
        if all(number % prime for prime in primes):
            primes.append(number)
        if number % 100 == 0:
            yield CountState(number + 1, primes)
    runs = 1 if learned is None else learned.at + 1
    return Outcome(
        learned=CountState(runs, primes[-5:]),
        measured={"primes": np.float64(len(primes)), "seed": float(given.seed)},
    )


WALK = Task(
    name="fit_walk",
    agent="sampler",
    does="fits a random walk",
    state=WalkState,
    run=fit_walk,
    wants=(Numbers(3),),
    every_s=60.0,
)
PRIMES = Task(
    name="count_primes",
    agent="sampler",
    does="counts primes",
    state=CountState,
    run=count_primes,
    wants=(),
    every_s=60.0,
)
TASKS = (WALK, PRIMES)
