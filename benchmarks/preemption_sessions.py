"""`make bench-sessions`: what frames take while background work is held, just after, and else.

Linux may share a core among sessions first (autogroup); what is scheduled as idle is so within its
session alone. Work in a session of its own, as in the product, is compared with work in that of who
decides on frames, and with nothing beside it; and where the receiver's loop wakes up each
millisecond besides, for nothing.
"""

import argparse
import asyncio
import math
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import harness, paced
from benchmarks.paced_engine import (
    HELD_EACH,
    HOLD_ENVIRONMENT_NAME,
    HOLD_TERMS,
    WARM_VARIABLE,
)
from benchmarks.paced_sender import WARM_UP, Pace
from benchmarks.preempted import OWN, SHARED, at_full_load
from engine.background.hold_page import Page
from engine.background.hold_watch import LOOK_S

PACES: Final = {
    "3_ms": Pace(interval_ns=3_000_000, frames=1_000),
    "30_ms": Pace(interval_ns=30_000_000, frames=150),
}

Numbers = np.ndarray[Any, Any]


def measure(turns: int) -> dict[str, Numbers]:
    """Return the times from a frame's sending to the decision, by what ran beside and when."""
    found: dict[str, Numbers] = {}
    warm = {WARM_VARIABLE: "1"}
    for _ in range(turns):
        _add(found, "alone", _run())
        _add(found, "alone.warm", _run(**warm))
        for name, session, more in (
            ("own", OWN, {}),
            ("own.warm", OWN, warm),
            ("shared", SHARED, {}),
        ):
            _measure_beside(found, name, session, more)
    return found


def _measure_beside(
    found: dict[str, Numbers], name: str, session: str, environment: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        path = Path(folder) / "page"
        page = Page.make(path)
        with at_full_load(Path(folder), path, session=session):
            _add(found, f"{name}.full", _run(**environment))
            held = _run(**{HOLD_ENVIRONMENT_NAME: str(path)}, **environment)
        page.remove()
    for pace, times in held.items():
        for when, part in _by_when(times, PACES[pace]).items():
            _add(found, f"{name}.{when}", {pace: part})


def _run(**environment: str) -> dict[str, Numbers]:
    came = asyncio.run(paced.run("engine", list(PACES.values()), **environment))
    return {pace: one["decided"] - one["sent"] for pace, one in zip(PACES, came, strict=True)}


def _by_when(times: Numbers, pace: Pace) -> dict[str, Numbers]:
    """Part frames by when they came after the last trigger; each tenth frame is one.

    Just after is until the first frame of which it is sure that work had gone on before it.
    """
    since = (np.arange(len(times)) + WARM_UP) % HELD_EACH
    quiet_ns = HOLD_TERMS.quiet_ns
    first = math.ceil((quiet_ns + int(LOOK_S * 1e9)) / pace.interval_ns)
    is_trigger = since == 0
    is_held = ~is_trigger & (since * pace.interval_ns < quiet_ns)
    is_after = ~is_trigger & ~is_held & (since <= first)
    return {
        "trigger": times[is_trigger],
        "held": times[is_held],
        "just_after": times[is_after],
        "later": times[~(is_trigger | is_held | is_after)],
    }


def _add(found: dict[str, Numbers], name: str, by_pace: dict[str, Numbers]) -> None:
    for pace, times in by_pace.items():
        key = f"sessions.{pace}.{name}"
        found[key] = np.concatenate([found[key], times]) if key in found else times


def main() -> int:
    """Measure, and print a row of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=2)
    found = measure(parser.parse_args().turns)
    sys.stdout.write(f"machine: {harness.machine()}\n")
    rows = []
    for name, times in sorted(found.items()):
        if not len(times):
            continue
        alone = found[f"{'.'.join(name.split('.')[:2])}.alone"]
        over = float(np.percentile(times, 99) / np.percentile(alone, 99))
        rows += [harness.row(name, times), harness.scalar(f"{name}.p99_over_alone", "ratio", over)]
    harness.print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
