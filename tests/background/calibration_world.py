"""What was told of plans in seeded worlds with rivals, and what came of them: a row for each.

`python -m tests.background.calibration_world --hours 2 --seeds 3`: agents run in the worlds as they
do live; each transaction that the engine planned had a chance that was advised when it decided.
"""

import argparse
import csv
import logging
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.calibration.cases import WORLD
from engine.bus.records import ExecutionRecord, Record
from engine.domain.plans import AtomicPlan
from engine.wiring.counterfactual import play, unchanged
from tests.background.agents import Agents
from tests.background.habits import WORLDS
from tests.background.world import run_world
from tests.simulation.simulation import MEMORY, make_empty_database

COLUMNS: Final = ("seed", "decided_at_ns", "chance", "expected_usd", "realised_usd", "came")
CAPTURED: Final = "captured"


@dataclass(slots=True)
class Plans:
    """Collects the transactions of one world."""

    seed: int
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """Add a transaction that a chance was told of."""
        if not isinstance(record, ExecutionRecord) or record.execution.corrects:
            return
        plan, execution = record.plan, record.execution
        if not isinstance(plan, AtomicPlan) or plan.chance is msgspec.UNSET:
            return
        receipt = None if execution.transaction is None else execution.transaction.receipt
        came = "never" if receipt is None else CAPTURED if receipt.swaps else "reverted"
        self.rows.append(
            (
                self.seed,
                plan.decided_at_ns,
                plan.chance,
                f"{execution.expected_usd:.4f}",
                f"{execution.realised_usd:.4f}",
                came,
            )
        )


def plans_of(seed: int, *, seconds: float) -> list[tuple[object, ...]]:
    """Let a world run with agents; return its transactions in time."""
    plans = Plans(seed)
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
        play(world.recording, first=0, put=plans.take, change=unchanged)
    return sorted(plans.rows, key=lambda row: str(row[1]))


def main() -> int:
    """Run the worlds and write the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.background.calibration_world")
    parser.add_argument("--hours", type=float, default=2.0, help="of each seed")
    parser.add_argument("--seed", type=int, default=101, help="the first of them")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    rows = []
    for seed in range(asked.seed, asked.seed + asked.seeds):
        found = plans_of(seed, seconds=asked.hours * 3600)
        captured = sum(row[-1] == CAPTURED for row in found)
        sys.stderr.write(f"seed {seed}: {captured} of {len(found)} plans were captured\n")
        rows += found
    with WORLD.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
