"""Seeded worlds of hours with agents, and the same without: do they earn more than they cost?

`make world HOURS=1 SEEDS=4`

The agents run in the world as they do live. The same hours are then played with what they advised
and without any of it. In the world `rivals` there is something to learn; in `control` there is not.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from engine.background.effects import Tally, differences, judge
from engine.domain.discoveries import Effect, Sums, Verdict
from engine.wiring.counterfactual import play, unchanged, without_any
from tests.background.agents import Agents
from tests.background.habits import WORLDS, Habits
from tests.background.world import run_world
from tests.simulation.simulation import MEMORY, make_empty_database

CORE_USD_HOUR: Final = 0.04
"""What an hour of a rented core costs; a small one of the large providers."""


@dataclass(slots=True)
class Came:
    """What worlds came to, with agents and without.

    Attributes:
        gains_usd: what agents brought, span by span, of all seeds one after the other.
        given, withheld: each seed's sums, with agents and without.
        runs, found, acted: of the agents; `missed` is why a task could not run.
        cpu_s: processor time of the agents.
        openings, takes: of the chain, and what rivals took of them.
    """

    gains_usd: list[float] = field(default_factory=list)
    given: list[Sums] = field(default_factory=list)
    withheld: list[Sums] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    acted: Counter[str] = field(default_factory=Counter)
    missed: dict[str, str] = field(default_factory=dict)
    cpu_s: float = 0.0
    openings: int = 0
    takes: int = 0

    def effect(self) -> Effect:
        """Return the effect of all of them together."""
        return judge(
            self.gains_usd,
            given=total(self.given),
            withheld=total(self.withheld),
            measured_at_ns=0,
            run_id="",
        )

    @property
    def cost_usd_hour(self) -> float:
        """What the agents' processor time costs, an hour of the world."""
        hours = self.effect().hours
        return self.cpu_s / 3600 * CORE_USD_HOUR / hours if hours else 0.0


def total(sums: list[Sums]) -> Sums:
    """Add sums up."""
    return Sums(
        profit_usd=sum(one.profit_usd for one in sums),
        found=sum(one.found for one in sums),
        captured=sum(one.captured for one in sums),
        cost_usd=sum(one.cost_usd for one in sums),
    )


def live(came: Came, seed: int, habits: Habits, *, seconds: float, pace: float) -> None:
    """Let a world run with agents, and play it with what they advised and without."""
    agents = Agents(pace=pace)
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        for name in ("empty", "world"):
            (root / name).mkdir()
        world = run_world(
            seed,
            root / "world",
            seconds=seconds,
            empty_database=make_empty_database(root / "empty"),
            beside=agents,
            habits=habits,
        )
        since_ns = world.life.header.started_at_ns
        ways = []
        for change in (unchanged, without_any):
            tally = Tally(since_ns=since_ns)
            shapes = getattr(world.chain, "shapes", None)
            play(world.recording, first=0, put=tally.take, change=change, forks=shapes)
            ways.append(tally)
    given, withheld = ways
    came.gains_usd += differences(given, withheld, until_ns=since_ns + int(seconds * 1e9))
    came.given.append(given.sums())
    came.withheld.append(withheld.sums())
    came.runs += agents.runs
    came.found += agents.found
    came.acted += agents.acted
    came.missed |= agents.missed
    came.cpu_s += agents.cpu_s
    came.openings += getattr(world.chain, "openings", 0)
    came.takes += getattr(world.chain, "takes", 0)


def verdict_of(came: Came) -> str:
    """Say in a sentence whether the agents earned more than they cost."""
    effect, cost = came.effect(), came.cost_usd_hour
    said = (
        f"{effect.gain_usd_hour:+.2f} USD/h ({effect.low_usd_hour:+.2f} to"
        f" {effect.high_usd_hour:+.2f}) for {came.cpu_s:.1f} s of processor time"
        f" ({cost:.4f} USD/h)"
    )
    if effect.verdict is Verdict.TOO_LITTLE:
        return f"Too little was seen to say what agents earn here: {said}."
    if effect.low_usd_hour > cost:
        return f"The agents earn more than they cost here: {said}."
    if effect.high_usd_hour < cost:
        return f"The agents earn less than they cost here: {said}."
    return f"It is not told whether agents earn more than they cost here: {said}."


def told(name: str, came: Came, *, seeds: list[int], hours: float) -> dict[str, object]:
    """Return it as plain values."""
    return {
        "world": name,
        "seeds": seeds,
        "hours_each": hours,
        "openings": came.openings,
        "taken_by_rivals": came.takes,
        "with_agents": msgspec.to_builtins(total(came.given)),
        "without": msgspec.to_builtins(total(came.withheld)),
        "by_seed": [
            {"seed": seed, "with": round(one.profit_usd, 2), "without": round(two.profit_usd, 2)}
            for seed, one, two in zip(seeds, came.given, came.withheld, strict=True)
        ],
        "effect": msgspec.to_builtins(came.effect()),
        "agents_cpu_s": round(came.cpu_s, 2),
        "agents_usd_hour": round(came.cost_usd_hour, 6),
        "runs": dict(came.runs),
        "not_run": came.missed,
        "found": dict(came.found),
        "advised": dict(came.acted),
        "says": verdict_of(came),
    }


def main() -> int:
    """Run the worlds and say what came of them; the last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.background.agents_world")
    parser.add_argument("--hours", type=float, default=1.0, help="of each seed")
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--pace", type=float, default=1.0, help="tasks run so much more often")
    parser.add_argument("--world", choices=[*WORLDS], action="append", default=[])
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    seeds = list(range(asked.seed, asked.seed + asked.seeds))
    results = []
    for name in asked.world or WORLDS:
        came = Came()
        for seed in seeds:
            began_s = time.monotonic()
            live(came, seed, WORLDS[name], seconds=asked.hours * 3600, pace=asked.pace)
            given, withheld = came.given[-1], came.withheld[-1]
            sys.stderr.write(
                f"{name} {seed}: with {given.profit_usd:.2f} USD ({given.captured} of"
                f" {given.found}, cost {given.cost_usd:.2f}), without {withheld.profit_usd:.2f}"
                f" ({withheld.captured}, cost {withheld.cost_usd:.2f}), in"
                f" {time.monotonic() - began_s:.0f} s\n"
            )
        results.append(told(name, came, seeds=seeds, hours=asked.hours))
        sys.stdout.write(f"{name}: {verdict_of(came)}\n")
    sys.stdout.write(msgspec.json.encode(results).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
