"""Play many runs and say what they came to: ``python -m tests.simulation --runs 2000 --seed 1``."""

import argparse
import logging
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.simulation.simulation import MEMORY, Outcome, make_empty_database, simulate

TOLD_EVERY_S = 10.0
FAILURES_SHOWN = 10


def main() -> int:
    """Play the runs; the exit code is 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the next is one on")
    asked = parser.parse_args()
    # Also where it was started in the background, which ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    logging.disable(logging.CRITICAL)
    started_s = told_s = time.monotonic()
    counts: Counter[str] = Counter()
    failed: list[Outcome] = []
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        (root / "empty").mkdir()
        empty = make_empty_database(root / "empty")
        played = 0
        for number in range(asked.runs):
            try:
                with tempfile.TemporaryDirectory(dir=root) as directory:
                    outcome = simulate(asked.seed + number, Path(directory), empty_database=empty)
            except KeyboardInterrupt:
                _say(f"ended by hand; it goes on with SEED={asked.seed + number}")
                break
            played += 1
            counts += outcome.counts
            if outcome.failures:
                failed.append(outcome)
                _say("\n".join([f"seed {outcome.seed}:", *outcome.failures[:FAILURES_SHOWN]]))
            if time.monotonic() - told_s > TOLD_EVERY_S:
                told_s = time.monotonic()
                _say(f"{number + 1} runs, {len(failed)} failed, {counts['executions']} executions")
    figures = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    _say(f"{played} runs in {time.monotonic() - started_s:.0f} s: {figures}")
    _say(f"failures: {len(failed)}")
    if failed:
        _say(f"the first again: make simulate RUNS=1 SEED={failed[0].seed}")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
