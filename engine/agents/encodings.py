"""Which encoding of a route is the cheapest: the same route on the same state, lender by lender.

For people: who lends is settled by the sender's rules, and whoever changes these reads it here.
"""

from collections.abc import Generator
from typing import Final

import msgspec

from engine.agents.learning.shapes import key_of, trials_in
from engine.agents.learning.stepping import OF_GIVEN, through, told
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import Trials
from engine.domain.trials import Trial

TRIALS: Final = Trials()
CASES_MIN: Final = 3
SHAPES_MAX: Final = 128
KEPT: Final = 0.9
"""What a case counts after each later one."""

HOLDS_S: Final = 14_400.0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Gas and bytes of an encoding, older cases as less."""

    cases: float = 0.0
    gas: float = 0.0
    call_bytes: float = 0.0
    failed: float = 0.0

    def learn(self, trial: Trial) -> "Cost":
        """Return it with a case more."""
        fails = bool(trial.why)
        return Cost(
            cases=self.cases * KEPT + (not fails),
            gas=self.gas * KEPT + (0 if fails else trial.gas),
            call_bytes=self.call_bytes * KEPT + (0 if fails else trial.call_bytes),
            failed=self.failed * KEPT + fails,
        )

    @property
    def mean_gas(self) -> float:
        """Of a case that did what it was to."""
        return self.gas / self.cases if self.cases else float("inf")


class Encodings(msgspec.Struct, frozen=True, kw_only=True):
    """What each encoding costs, by shape and lender; which is used, and what was seen."""

    costs: dict[str, dict[str, Cost]] = {}
    used: dict[str, str] = {}
    seen: tuple[str, ...] = ()


def _learn(state: Encodings, trial: Trial) -> Encodings:
    name = f"{trial.plan_id} {trial.block} {trial.lender}"
    if trial.is_at_head_alone or name in state.seen:
        return state
    key = key_of(trial)
    costs = dict(state.costs)
    own = dict(costs.get(key, {}))
    own[trial.lender] = own.get(trial.lender, Cost()).learn(trial)
    costs[key] = own
    if len(costs) > SHAPES_MAX:
        del costs[min(costs)]
    used = dict(state.used)
    if trial.is_used:
        used[key] = trial.lender
    return Encodings(
        costs=costs,
        used={one: used[one] for one in used if one in costs},
        seen=(*state.seen, name)[-1_024:],
    )


def _run(
    given: Given, held: Encodings | None, learned: Encodings | None
) -> Generator[Encodings, None, Outcome[Encodings]]:
    state = held or learned or Encodings()
    state = yield from through(state, trials_in(given.of(TRIALS)), _learn, every=1)
    found = [_told(key, state) for key in sorted(state.costs)]
    return Outcome(
        found=tuple(one for one in found if one is not None),
        learned=state,
        measured={
            "shapes": float(len(state.costs)),
            "encodings": float(sum(map(len, state.costs.values()))),
        },
    )


def _told(key: str, state: Encodings) -> Discovery | None:
    costs, used = state.costs[key], state.used.get(key, "")
    known = {lender: cost for lender, cost in costs.items() if cost.cases >= CASES_MIN * KEPT**3}
    if used not in known or len(known) < len({used}) + 1:
        return None
    best = min(known, key=lambda lender: (known[lender].mean_gas, lender))
    saved = 1 - known[best].mean_gas / known[used].mean_gas
    chain, _, shape = key.partition(" ")
    how = "is the cheapest" if best == used else f"takes {saved:.1%} more gas than by {best}"
    return Discovery(
        kind="encoding",
        subject=key[:100],
        says=f"{shape} on {chain} by {used} {how}"[:300],
        figures={
            "saved_ratio": told(saved),
            "used_gas": told(known[used].mean_gas),
            "best_gas": told(known[best].mean_gas),
            "call_bytes": told(known[used].call_bytes / known[used].cases),
            "encodings": float(len(costs)),
        },
        score=0.5,
        holds_s=HOLDS_S,
        evidence=tuple(sorted(known)),
    )


ENCODINGS: Final[Task[Encodings]] = Task(
    name="contract_optimisation",
    agent="flash_loan_executor",
    does="carries routes out with each lender on a fork: which encoding takes the least gas",
    state=Encodings,
    run=_run,
    wants=(TRIALS,),
    bounds=OF_GIVEN,
    every_s=3_600.0,
    priority=Priority.LOW,
)
