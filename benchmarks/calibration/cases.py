"""What was told and what came, of each model that tells a probability: out of sample, in time.

`after_gas`: that an arbitrage is worth more than its gas, by its gain before gas and what such a
route usually costs. `inclusion_2023`: that nobody takes an opportunity in the next block, by the
table that agents begin with. `inclusion_world`: the same, as the engine had it in a world with
rivals when it decided.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.calibration.fitting import platt, venn_abers
from engine.agents.learning.lasting import Lasting, row_of
from engine.domain.calibration import Reliability, judge

HERE: Final = Path(__file__).parent
ARBITRUM: Final = HERE / "arbitrum_2023.csv"
WORLD: Final = HERE / "world_plans.csv"

FITTED_SHARE: Final = 0.6
"""Of the cases in time: what is foretold comes after all of it."""

GAS_SHARE: Final = 0.5
"""Of those, whose gas says what routes usually cost; the other half calibrates."""

LEGS_CASES_MIN: Final = 20


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """One that was carried out on Arbitrum in 2023; see the README beside."""

    legs: int
    gas_price_wei: int
    gas: int
    gain_wei: int
    cost_wei: int
    gain_usd: float
    opened_blocks: int | None

    @property
    def has_gained(self) -> bool:
        """Whether it was worth more than its gas."""
        return self.gain_wei > self.cost_wei


def arbitrages() -> list[Arbitrage]:
    """Return all of the table, in time."""
    with ARBITRUM.open(encoding="utf-8", newline="") as file:
        return [
            Arbitrage(
                legs=int(row["legs"]),
                gas_price_wei=int(row["gas_price_wei"]),
                gas=int(row["gas"]),
                gain_wei=int(row["gain_wei"]),
                cost_wei=int(row["cost_wei"]),
                gain_usd=float(row["gain_usd"]),
                opened_blocks=int(row["opened_blocks"]) if row["opened_blocks"] else None,
            )
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A model, what it is of, and how it came out."""

    name: str
    what: str
    fitted_n: int
    reliability: Reliability


def after_gas() -> list[Judged]:
    """Judge how probable it is that an arbitrage gains after gas: by two ways of calibrating."""
    cases = arbitrages()
    cut = int(len(cases) * FITTED_SHARE)
    fitted, judged = cases[:cut], cases[cut:]
    of_gas, calibrating = fitted[: int(cut * GAS_SHARE)], fitted[int(cut * GAS_SHARE) :]
    usual = _usual_gas(of_gas)
    base = sum(one.has_gained for one in fitted) / len(fitted)
    scores = [_score(one, usual) for one in calibrating]
    came = [one.has_gained for one in calibrating]
    later = [_score(one, usual) for one in judged]
    held = [one.has_gained for one in judged]
    curve, between = platt(scores, came), venn_abers(scores, came)
    ways = {
        "after_gas": ("Venn-Abers", [between(one).one for one in later]),
        "after_gas_platt": ("Platt", [curve(one) for one in later]),
    }
    return [
        Judged(
            name=name,
            what=f"gain after gas, {way}",
            fitted_n=cut,
            reliability=judge(told, held, base=base),
        )
        for name, (way, told) in ways.items()
    ]


def inclusion_2023() -> Judged:
    """Judge the table that agents begin with, fitted on its first part, on the rest."""
    cases = [one for one in arbitrages() if one.opened_blocks is not None]
    cut = int(len(cases) * FITTED_SHARE)
    known = Lasting()
    for one in cases[:cut]:
        assert one.opened_blocks is not None
        known = known.learn(one.gain_usd, one.opened_blocks)
    # As agents begin: nothing of their own, and what was fitted as the table.
    by_edge, as_one = Lasting().by_edge(known.counts), Lasting().as_one(known.counts)
    later = cases[cut:]
    return Judged(
        name="inclusion_2023",
        what="nobody takes it in the next block, Arbitrum 2023",
        fitted_n=cut,
        reliability=judge(
            [by_edge[row_of(one.gain_usd)][0] for one in later],
            [(one.opened_blocks or 0) > 1 for one in later],
            base=as_one[0],
        ),
    )


def inclusion_world() -> Judged | None:
    """Judge what the engine told of plans in worlds with rivals; None where none is recorded."""
    if not WORLD.exists():
        return None
    with WORLD.open(encoding="utf-8", newline="") as file:
        rows = [(float(row["chance"]), row["came"] == "captured") for row in csv.DictReader(file)]
    told, came = [chance for chance, _ in rows], [is_so for _, is_so in rows]
    # What a baseline can know at each plan: how many of those before it came off.
    before = 0
    bases = []
    for n, is_so in enumerate(came):
        bases.append((before + 1) / (n + 2))
        before += is_so
    return Judged(
        name="inclusion_world",
        what="nobody takes it before us, plans in worlds with rivals",
        fitted_n=0,
        reliability=judge(told, came, base=bases),
    )


def all_judged() -> list[Judged]:
    """Return all of them."""
    world = inclusion_world()
    return [*after_gas(), inclusion_2023(), *([] if world is None else [world])]


def _usual_gas(cases: list[Arbitrage]) -> dict[int, float]:
    """Return the median of gas by the number of legs; under 0 that of all."""
    usual = {-1: float(median(one.gas for one in cases))}
    for legs in {one.legs for one in cases}:
        own = [one.gas for one in cases if one.legs == legs]
        if len(own) >= LEGS_CASES_MIN:
            usual[legs] = float(median(own))
    return usual


def _score(one: Arbitrage, usual: dict[int, float]) -> float:
    """Return how many times what such a route usually costs is gained, as a logarithm."""
    gas = usual.get(one.legs, usual[-1])
    return math.log(max(one.gain_wei, 1) / (gas * one.gas_price_wei))
