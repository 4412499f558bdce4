"""What was told of transactions in seeded worlds with rivals, and what came of them: a row each.

`python -m tests.background.calibration_world --hours 2 --seeds 2`: agents run in the worlds as they
do live. The same hours are then played without their advice, so that what they would have refused
is carried out too; each transaction gets the chance that was advised when it was decided.
"""

import argparse
import csv
import logging
import sys
import tempfile
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.calibration.cases import WORLD
from engine.bus.records import ExecutionRecord, Record
from engine.core.inputs.advised import ADVISED
from engine.domain.advice import InclusionAdvice
from engine.domain.plans import AtomicPlan
from engine.operate.recording import read_entries
from engine.wiring.counterfactual import play, without_any
from tests.background.agents import Agents
from tests.background.habits import WORLDS
from tests.background.world import run_world
from tests.simulation.simulation import MEMORY, make_empty_database

COLUMNS: Final = ("seed", "decided_at_ns", "chance", "expected_usd", "realised_usd", "came")
CAPTURED: Final = "captured"
DIGITS: Final = 6


@dataclass(slots=True)
class Advice:
    """What was advised of the chance to be first, and from when on."""

    from_ns: list[int] = field(default_factory=list)
    said: list[tuple[int, InclusionAdvice] | None] = field(default_factory=list)

    @classmethod
    def of(cls, recording: Path) -> "Advice":
        """Read it from a recording."""
        found = cls()
        for entry in read_entries(recording):
            if entry.kind != ADVISED.number:
                continue
            one = next(
                (
                    (dated.until_ns, dated.advice)
                    for dated in ADVISED.decode(entry.payload).advice
                    if isinstance(dated.advice, InclusionAdvice)
                ),
                None,
            )
            found.from_ns.append(entry.at_ns)
            found.said.append(one)
        return found

    def chance(self, plan: AtomicPlan) -> float | None:
        """Return the chance that was advised when a plan was decided, None if none was."""
        at = bisect_right(self.from_ns, plan.decided_at_ns) - 1
        one = self.said[at] if at >= 0 else None
        if one is None or one[0] <= plan.decided_at_ns or one[1].chain != plan.chain:
            return None
        return round(one[1].ratio(float(plan.profit_quote * plan.usd_per_quote), 1), DIGITS)


@dataclass(slots=True)
class Plans:
    """Collects the transactions of one world."""

    seed: int
    advice: Advice
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """Add a transaction of which a chance was told."""
        if not isinstance(record, ExecutionRecord) or record.execution.corrects:
            return
        plan, execution = record.plan, record.execution
        if not isinstance(plan, AtomicPlan) or (chance := self.advice.chance(plan)) is None:
            return
        receipt = None if execution.transaction is None else execution.transaction.receipt
        came = "never" if receipt is None else CAPTURED if receipt.swaps else "reverted"
        self.rows.append(
            (
                self.seed,
                plan.decided_at_ns,
                chance,
                f"{execution.expected_usd:.4f}",
                f"{execution.realised_usd:.4f}",
                came,
            )
        )


def plans_of(seed: int, *, seconds: float) -> list[tuple[object, ...]]:
    """Let a world run with agents; return its transactions in time."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        for name in ("empty", "world"):
            (root / name).mkdir()
        world = run_world(
            seed,
            root / "world",
            seconds=seconds,
            empty_database=make_empty_database(root / "empty"),
            beside=Agents(),
            habits=WORLDS["rivals"],
        )
        plans = Plans(seed, Advice.of(world.recording))
        play(world.recording, first=0, put=plans.take, change=without_any)
    return sorted(plans.rows, key=lambda row: str(row[1]))


def main() -> int:
    """Run the worlds and write the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.background.calibration_world")
    parser.add_argument("--hours", type=float, default=2.0, help="of each seed")
    parser.add_argument("--seed", type=int, default=101, help="the first of them")
    parser.add_argument("--seeds", type=int, default=2)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    rows = []
    for seed in range(asked.seed, asked.seed + asked.seeds):
        found = plans_of(seed, seconds=asked.hours * 3600)
        captured = sum(row[-1] == CAPTURED for row in found)
        sys.stderr.write(f"seed {seed}: {captured} of {len(found)} transactions were captured\n")
        rows += found
    with WORLD.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
