"""How long a fresh process takes until every compiled kernel is loaded from the cache."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks import harness

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
DEADLINE_S = 600.0

_LOAD = """
import time
started = time.perf_counter()
from engine.kernels.warm_up import warm_up_all
imported = time.perf_counter()
count = len(warm_up_all())
print(imported - started, time.perf_counter() - imported, count)
"""


def measure() -> list[harness.Row]:
    """Measure a whole process, and the part of it that loads the kernels; the fastest of some."""
    whole, loading, count = [], [], 0
    for number in range(ROUNDS + 1):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _LOAD],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        if number:  # the first one fills the cache
            whole.append(time.perf_counter() - started)
            _, seconds, kernels = done.stdout.split()
            loading.append(float(seconds))
            count = int(kernels)
    return [
        harness.scalar("kernels.from_cache", "s", sorted(whole)[ROUNDS // 2]),
        harness.scalar("kernels.from_cache.after_numba", "s", sorted(loading)[ROUNDS // 2]),
        harness.scalar("kernels.count", "kernels", count),
    ]


if __name__ == "__main__":
    harness.print_table(measure())
