"""How much gas each shape of route takes on a fork, against what the engine reckons with.

From trials of plans as they are sent. Where a shape took more than reckoned, decisions are to
reckon with that much: never with less, as what is spared by luck is not ours to promise.
"""

from collections.abc import Generator
from typing import Final

import msgspec

from engine.agents.learning.shapes import key_of, trials_in
from engine.agents.learning.stepping import OF_GIVEN, through, told
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import Trials
from engine.domain.advice import GAS_RATIO_MAX, ShapeGasAdvice
from engine.domain.trials import Trial

TRIALS: Final = Trials()
CASES_MIN: Final = 5
"""Fewer plans of a shape advise nothing."""

CASES_MAX: Final = 64
SHAPES_MAX: Final = 128
SHARE: Final = 0.9
"""What is advised covers so many of the newest cases."""

HOLDS_S: Final = 3_600.0


class RouteGas(msgspec.Struct, frozen=True, kw_only=True):
    """Ratios of gas used to gas reckoned with, by shape, the newest last; and which were seen."""

    ratios: dict[str, tuple[float, ...]] = {}
    seen: tuple[str, ...] = ()
    misses: dict[str, int] = {}
    naive_misses: dict[str, int] = {}


def bound_of(ratios: tuple[float, ...]) -> float:
    """Return the ratio that covers most cases, 1 at the least."""
    if not ratios:
        return 1.0
    ordered = sorted(ratios)
    at = min(len(ordered) - 1, int(SHARE * len(ordered)))
    return min(max(ordered[at], 1.0), GAS_RATIO_MAX)


def _learn(state: RouteGas, trial: Trial) -> RouteGas:
    name = f"{trial.plan_id} {trial.block}"
    if (
        not trial.is_used
        or trial.is_at_head_alone
        or trial.why
        or not trial.planned_gas
        or name in state.seen
    ):
        return state
    key, ratio = key_of(trial), trial.gas / trial.planned_gas
    before = state.ratios.get(key, ())
    ratios = dict(state.ratios)
    ratios[key] = (*before, ratio)[-CASES_MAX:]
    if len(ratios) > SHAPES_MAX:
        del ratios[min(ratios)]
    misses, naive = dict(state.misses), dict(state.naive_misses)
    if len(before) >= CASES_MIN:  # foretold before it is learned from
        misses[key] = misses.get(key, 0) + (ratio > bound_of(before))
        naive[key] = naive.get(key, 0) + (ratio > 1)
    kept = {one: misses[one] for one in misses if one in ratios}
    return RouteGas(
        ratios=ratios,
        seen=(*state.seen, name)[-CASES_MAX * 4 :],
        misses=kept,
        naive_misses={one: naive[one] for one in kept},
    )


def _run(
    given: Given, held: RouteGas | None, learned: RouteGas | None
) -> Generator[RouteGas, None, Outcome[RouteGas]]:
    state = held or learned or RouteGas()
    state = yield from through(state, trials_in(given.of(TRIALS)), _learn, every=1)
    found = [_told(key, state) for key in sorted(state.ratios)]
    return Outcome(
        found=tuple(one for one in found if one is not None),
        learned=state,
        measured={
            "shapes": float(len(state.ratios)),
            "misses": float(sum(state.misses.values())),
            "naive_misses": float(sum(state.naive_misses.values())),
        },
    )


def _told(key: str, state: RouteGas) -> Discovery | None:
    ratios = state.ratios[key]
    if len(ratios) < CASES_MIN:
        return None
    chain, _, shape = key.partition(" ")
    bound = told(bound_of(ratios))
    # It acts only while it covers what the plan's own reckoning did not.
    is_better = state.misses.get(key, 0) < state.naive_misses.get(key, 0)
    acts = bound > 1 and is_better
    return Discovery(
        kind="route_gas",
        subject=key[:100],
        says=f"{shape} on {chain} takes {bound:.2f} times the gas that is reckoned with"[:300],
        figures={
            "gas_ratio": bound,
            "cases": float(len(ratios)),
            "misses": float(state.misses.get(key, 0)),
            "naive_misses": float(state.naive_misses.get(key, 0)),
        },
        score=told(len(ratios) / (len(ratios) + CASES_MIN), 2),
        holds_s=HOLDS_S,
        evidence=(f"{len(ratios)} plans carried out on a fork",),
        advice=ShapeGasAdvice(chain=chain, shape=shape, ratio=bound) if acts else None,
    )


ROUTE_GAS: Final[Task[RouteGas]] = Task(
    name="route_gas",
    agent="flash_loan_executor",
    does="compares the gas of each shape of route on a fork with what is reckoned with",
    state=RouteGas,
    run=_run,
    wants=(TRIALS,),
    bounds=OF_GIVEN,
    every_s=300.0,
)
