"""`make bench`: every figure, as a table and as `benchmarks/latest.json`."""

import sys
from pathlib import Path

from benchmarks import book_peers, core_path, full_path, harness, start_up

LATEST = Path(__file__).with_name("latest.json")


def main() -> int:
    """Measure everything, one part after the other."""
    rows: list[harness.Row] = []
    for name, measure in (
        ("full path from recorded frames", full_path.measure),
        ("book update beside peers", book_peers.measure),
        ("parts of the core", core_path.measure_all),
        ("start-up and memory", start_up.measure),
    ):
        sys.stderr.write(f"bench: {name} ...\n")
        sys.stderr.flush()
        rows += measure()
    print(f"machine: {harness.machine()}")
    harness.print_table(rows)
    harness.write_json(rows, LATEST)
    return 0


if __name__ == "__main__":
    sys.exit(main())
