"""`make bench`: every figure, as a table and as `benchmarks/latest.json`."""

import sys
from pathlib import Path

from benchmarks import (
    book_peers,
    core_path,
    full_path,
    harness,
    pools_concentrated,
    pools_curves,
    start_up,
)

LATEST = Path(__file__).with_name("latest.json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"

READING = """# Benchmarks

Made by `make bench`; `benchmarks/latest.json` holds the same rows. Times are of single calls, the
collector off, less what an empty call takes; median and tails, never means. On a shared machine
the tails beyond p99 are the scheduler's. `full_path` is the engine's own way from the bytes of a
recorded frame to the decision; its throughput is frames over their summed time, on one core.
Binance frames hold 29 levels on average, the other venues' one to three. Peers do the same work in
the same run; the ratio is their median over ours. `start_to_first_live_book` and
`memory_of_all_roles` are of a whole installation on the sandbox, with compiled kernels cached.
"""


def main() -> int:
    """Measure everything, one part after the other."""
    rows: list[harness.Row] = []
    for name, measure in (
        ("full path from recorded frames", full_path.measure),
        ("book update beside peers", book_peers.measure),
        ("parts of the core", core_path.measure_all),
        ("pools' formulas", pools_curves.measure_all),
        ("concentrated pools", pools_concentrated.measure_all),
        ("start-up and memory", start_up.measure),
    ):
        sys.stderr.write(f"bench: {name} ...\n")
        sys.stderr.flush()
        rows += measure()
    print(f"machine: {harness.machine()}")
    harness.print_table(rows)
    harness.write_json(rows, LATEST)
    PAGE.write_text(f"{READING}\nMachine: {harness.machine()}\n\n{harness.markdown(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
