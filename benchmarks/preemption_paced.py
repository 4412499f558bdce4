"""Frame arrival to decision, with background work at full load, held and not, and without it.

The engine's own connection, core, recording and shared prices, as in `benchmarks.paced`. Held means
that each tenth frame is a trigger: the call is within its time, and the frames after it find the
machine free. The loop is kept awake throughout, as an engine's is where background work is on.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import paced
from benchmarks.paced_engine import HOLD_ENVIRONMENT_NAME, WARM_VARIABLE
from benchmarks.paced_sender import Pace
from benchmarks.preempted import at_full_load
from engine.background.hold_page import Page
from engine.operate.awake import EVERY_S

PACES: Final = {
    "3_ms": Pace(interval_ns=3_000_000, frames=2_500),
    "30_ms": Pace(interval_ns=30_000_000, frames=300),
}

AWAKE: Final = {WARM_VARIABLE: f"{1_000 * EVERY_S:g}"}

Numbers = np.ndarray[Any, Any]


def measure() -> dict[str, Numbers]:
    """Return the times from a frame's sending to the decision, by what ran beside, and the pace."""
    found = _run("alone")
    with tempfile.TemporaryDirectory(prefix="syn") as name:
        path = Path(name) / "page"
        page = Page.make(path)
        with at_full_load(Path(name), path):
            found |= _run("full") | _run("held", **{HOLD_ENVIRONMENT_NAME: str(path)})
        page.remove()
    return found


def _run(beside: str, **environment: str) -> dict[str, Numbers]:
    came = asyncio.run(paced.run("engine", list(PACES.values()), **AWAKE, **environment))
    return {
        f"paced.{pace}.{beside}": one["decided"] - one["sent"]
        for pace, one in zip(PACES, came, strict=True)
    }
