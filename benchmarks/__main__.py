"""`make bench`: every figure as a table and in `benchmarks/latest.json`; `PARTS=` measures some."""

import sys
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from benchmarks import (
    blocks,
    booking,
    chain_logs,
    chain_path,
    core_path,
    cycles,
    following,
    full_market,
    full_path,
    harness,
    kernel_cache,
    live_graph,
    live_values,
    mixed,
    outliving,
    paced,
    page,
    pending_calls,
    placing,
    pools_concentrated,
    pools_curves,
    price_matrix,
    providers,
    reconciling,
    sending,
    signing,
    sizing,
    start_up,
    venue_signing,
    why,
)
from benchmarks.peers import logs

PARTS: Final[tuple[tuple[str, Callable[[], list[harness.Row]]], ...]] = (
    ("full path from recorded frames", full_path.measure),
    ("the same within a market", full_market.measure),
    ("what a frame leaves behind", outliving.measure),
    ("frames on a schedule, over TLS", paced.measure),
    ("parts of the core", core_path.measure_all),
    ("cycles of a market", cycles.measure_all),
    ("a large market while it changes", live_graph.measure_all),
    ("blocks of a chain in it", blocks.measure_all),
    ("logs of a chain on their way there", chain_logs.measure_all),
    ("logs of a chain all the way to the routes", chain_path.measure_all),
    ("the same logs taken by others", logs.rows),
    ("questions to a chain's providers", providers.measure_all),
    ("transactions that wait for a block", pending_calls.measure_all),
    ("pools of a real chain followed", following.measure_all),
    ("transactions signed by the signer", signing.measure_all),
    ("orders signed by the signer", venue_signing.measure_all),
    ("orders placed at two exchanges", placing.measure_all),
    ("orders told and booked", booking.measure_all),
    ("accounts compared with ten thousand orders", reconciling.measure_all),
    ("plans sent right after a block", sending.measure_all),
    ("a large market while it is valued", live_values.measure_all),
    ("routes sized, split and confirmed", sizing.measure_all),
    ("mixed routes confirmed", mixed.measure_all),
    ("/why of an open route", why.measure_all),
    ("pools' formulas", pools_curves.measure_all),
    ("concentrated pools", pools_concentrated.measure_all),
    ("shared price matrix", price_matrix.measure_all),
    ("kernels from the cache", kernel_cache.measure),
    ("start-up and memory", start_up.measure),
)


def main(only: Sequence[str] = ()) -> int:
    """Measure everything, one part after the other; or parts named by words of theirs.

    Rows of parts that are not measured stay as they were stored.
    """
    rows: list[harness.Row] = []
    speeds: list[harness.Row] = []
    for name, measure in PARTS:
        if only and not any(word in name for word in only):
            continue
        sys.stderr.write(f"bench: {name} ...\n")
        sys.stderr.flush()
        speeds.append(harness.machine_speed())
        rows += measure()
    medians = [speed.median for speed in speeds]
    if not only:
        rows.insert(0, harness.row("machine.loop", 1_000 * np.array(medians)))
    print(f"machine: {harness.machine()}")
    harness.print_table(rows)
    harness.write_json(rows, page.LATEST, keeps_others=bool(only))
    page.write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
