"""`make bench-peers`: the same tasks in other libraries, as a table and `latest-peers.json`."""

import sys
import time

from benchmarks import harness, page
from benchmarks.peers import books, compare, cycles, logs, routing


def main() -> int:
    """Measure all tasks, one after the other."""
    started = time.monotonic()
    rows: list[compare.Comparison] = []
    for name, measure in (
        ("book updates", books.measure_all),
        ("cycles through recorded pools", cycles.measure_all),
        ("splits and cycles as convex problems", routing.measure_all),
        ("logs of a chain", logs.measure_all),
    ):
        sys.stderr.write(f"bench-peers: {name} ...\n")
        sys.stderr.flush()
        rows += measure()
    compare.write(rows, page.PEERS)
    page.write()
    print(f"machine: {harness.machine()}; {time.monotonic() - started:.0f} s")
    print(page.peers_table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
