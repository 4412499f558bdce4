"""How figures are taken: the collector off, every call timed on its own, medians and tails.

A row is {name, unit, median, p99, p999} and, measured in the same run, {peer, ratio}.
"""

import gc
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

WARM_UP_CALLS = 300
LOOPS = 40
LOOP_STEPS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure; `ratio` is the peer's median over ours."""

    name: str
    unit: str
    median: float
    p99: float
    p999: float
    peer: str | None = None
    ratio: float | None = None


def time_calls(
    calls: Sequence[Callable[[], object]], *, between: Callable[[], object] | None = None
) -> np.ndarray[Any, Any]:
    """Run every call once, timed; `between` runs untimed after each.

    Returns:
        int64 (calls,), durations in ns, less what an empty call takes.
    """
    durations = np.empty(len(calls), np.int64)
    now = time.perf_counter_ns
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for index, call in enumerate(calls):
            started = now()
            call()
            durations[index] = now() - started
            if between is not None:
                between()
    finally:
        gc.enable()
        gc.unfreeze()
    return np.maximum(durations - _empty_call_ns(), 0)


def _empty_call_ns() -> int:
    def nothing() -> None:
        return None

    now = time.perf_counter_ns
    durations = []
    for _ in range(2_000):
        started = now()
        nothing()
        durations.append(now() - started)
    return sorted(durations)[1_000]


def measure(
    name: str, calls: Sequence[Callable[[], object]], *, between: Callable[[], object] | None = None
) -> Row:
    """Time calls and summarise them; the first ones warm caches up and do not count."""
    return row(name, time_calls(calls, between=between)[WARM_UP_CALLS:])


def row(name: str, durations_ns: np.ndarray[Any, Any]) -> Row:
    """Summarise durations as microseconds."""
    median, p99, p999 = np.percentile(durations_ns, [50, 99, 99.9]) / 1_000
    return Row(
        name=name,
        unit="us",
        median=round(float(median), 3),
        p99=round(float(p99), 3),
        p999=round(float(p999), 3),
    )


def scalar(name: str, unit: str, value: float) -> Row:
    """Make a row of a figure that has no distribution."""
    value = round(value, 3)
    return Row(name=name, unit=unit, median=value, p99=value, p999=value)


def machine_speed() -> Row:
    """Time a loop that has nothing to do with us: how fast the machine was meanwhile.

    On a shared machine the same loop may take twice as long a minute later. Runs are compared by
    this row before they are compared by any other.
    """
    return row("machine.loop", time_calls([_loop] * LOOPS))


def _loop() -> int:
    total = 0
    for number in range(LOOP_STEPS):
        total += number
    return total


def machine() -> str:
    """Name the machine."""
    model = platform.processor() or platform.machine()
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.is_file():
        for line in cpu_info.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def print_table(rows: Sequence[Row]) -> None:
    """Print rows as a table."""
    width = max(len(one.name) for one in rows)
    print(f"{'figure':<{width}}  {'unit':>9} {'median':>12} {'p99':>12} {'p99.9':>12}  peer")
    for one in rows:
        peer = f"{one.peer} x{one.ratio:.1f}" if one.peer and one.ratio is not None else ""
        print(
            f"{one.name:<{width}}  {one.unit:>9} {one.median:>12,.3f} {one.p99:>12,.3f} "
            f"{one.p999:>12,.3f}  {peer}"
        )
    sys.stdout.flush()


def markdown(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table."""
    lines = ["| figure | unit | median | p99 | p99.9 | beside |", "|---|---|---:|---:|---:|---|"]
    for one in rows:
        beside = f"{one.ratio:.1f} times {one.peer}" if one.peer and one.ratio is not None else ""
        lines.append(
            f"| {one.name} | {one.unit} | {one.median:,.3f} | {one.p99:,.3f} | {one.p999:,.3f} "
            f"| {beside} |"
        )
    return "\n".join(lines) + "\n"


def write_json(rows: Sequence[Row], path: Path, *, keeps_others: bool = False) -> None:
    """Write rows as a JSON list of objects, the machine named in each.

    With `keeps_others` each takes the place of the one of its name, and new ones stand at the end.
    """
    named = machine()
    objects = [
        {key: value for key, value in asdict(one).items() if value is not None} | {"machine": named}
        for one in rows
    ]
    if keeps_others and path.is_file():
        new = {one["name"]: one for one in objects}
        kept = [new.pop(one["name"], one) for one in json.loads(path.read_text())]
        objects = [*kept, *new.values()]
    path.write_text(json.dumps(objects, indent=1) + "\n")
