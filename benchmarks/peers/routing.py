"""One trade split over parallel pools, and a cycle of three: ours beside a convex solver."""

import random
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from benchmarks import harness
from benchmarks.peers.ask import ask
from benchmarks.peers.compare import Comparison, compare
from benchmarks.peers.worker import Task
from engine.detect.sizing.pieces import pieces_of_pair
from engine.detect.sizing.routes import RouteTerms, SideTables
from engine.detect.splitting.shares import split
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import SIZED, SIZED_COLUMNS

CASES = 5
ROUNDS = 400
WIDTHS = (2, 4, 8)
AGREE_RATIO = 1e-6
"""Results that differ by more end the run: a benchmark of wrong answers is worthless."""

Pool = tuple[float, float, float]


def _pools(rng: random.Random, count: int, *, edge: float) -> list[Pool]:
    """Make pools about the same price, of depths within a factor of ten."""
    made = []
    for _ in range(count):
        depth = 10.0 ** rng.uniform(2.0, 3.0)
        made.append((depth, depth * edge * rng.uniform(0.995, 1.005), 0.997))
    return made


def _tables(pools: Sequence[Pool]) -> SideTables:
    tables = SideTables()
    for reserve_in, reserve_out, keep_ratio in pools:
        tables.add_pieces(
            pieces_of_pair(reserve_in=reserve_in, reserve_out=reserve_out, keep_ratio=keep_ratio)
        )
    return tables


def _ours(task: Task) -> tuple[Callable[[], object], Callable[[], float]]:
    """Return the call to time, and what it found."""
    tables = _tables(task["pools"])
    members = list(range(len(task["pools"])))
    if task["kind"] == "split":
        call = partial(split, tables, members, task["amount"])

        def output() -> float:
            found = call()
            assert found is not None
            return found.output

        return call, output
    out = np.zeros(SIZED_COLUMNS)
    legs, terms = np.array(members), np.array(RouteTerms().as_row())
    sized = partial(size_route, legs, *tables.arrays, terms, out)
    return sized, lambda: float(out[SIZED.PROFIT])


def _tasks() -> dict[str, list[Task]]:
    rng = random.Random(1)
    tasks: dict[str, list[Task]] = {}
    for width in WIDTHS:
        tasks[f"split over {width} pools"] = [
            {
                "kind": "split",
                "pools": _pools(rng, width, edge=1.0),
                "amount": 10.0 ** rng.uniform(1.0, 2.0),
            }
            for _ in range(CASES)
        ]
    tasks["cycle of 3 pools"] = [
        {"kind": "cycle", "pools": _pools(rng, 3, edge=1.03)} for _ in range(CASES)
    ]
    return tasks


def measure_all() -> list[Comparison]:
    """Measure splits and cycles.

    Raises:
        RuntimeError: results differ by more than `AGREE_RATIO`.
    """
    rows = []
    for name, tasks in _tasks().items():
        ours = [_ours(task) for task in tasks]
        durations = harness.time_calls([call for call, _ in ours for _ in range(ROUNDS)])
        answers = ask("degenbot-03", "convex", tasks)
        words, peer_ns = "", None
        if answers is not None:
            peer_ns = [ns for one in answers for ns in one["durations_ns"]]
            worst = 0.0
            for task, (call, value), one in zip(tasks, ours, answers, strict=True):
                call()
                worst = max(worst, abs(value() - one["value"]) / value())
                if worst > AGREE_RATIO:
                    raise RuntimeError(f"{name} {task}: ours {value()}, cvxpy {one['value']}")
            what = "output" if tasks[0]["kind"] == "split" else "gain"
            words = f"{what} within {worst:.1e}"
        rows.append(compare(name, durations, "cvxpy with Clarabel", peer_ns, agreement=words))
    return rows
