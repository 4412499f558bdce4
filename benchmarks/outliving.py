"""Python objects that outlive a frame on the hot path: real frames, the collector off.

`python -m benchmarks.outliving` also names the lines that make them. Two figures per venue: what
memory gains with each frame over several passes of a recording (0 means that nothing piles up), and
how many blocks made during a frame are still there after it (what a frame puts in the place of
something older counts too: a sequence number, a time).
"""

import gc
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from functools import partial

from benchmarks import harness
from benchmarks.full_path import inputs_of, make_core
from benchmarks.real_frames import Recorded, all_recorded
from engine.ports import InputKind

PASSES = 5
FRAMES_TRACED = 400
LINES_MAX = 12


def _calls(recorded: Recorded) -> list[tuple[bool, Callable[[], object]]]:
    """Return a recording as calls, each with whether it is a frame."""
    hot_path = make_core(recorded).hot_path
    calls: list[tuple[bool, Callable[[], object]]] = []
    for kind, key, payload, at_ns in inputs_of(recorded):
        if kind is InputKind.FRAME:
            calls.append((True, partial(hot_path.frame, 0, payload, at_ns)))
        else:
            accept = partial(hot_path.accept, kind, stream=0, key=key, payload=payload, at_ns=at_ns)
            calls.append((False, accept))
    return calls


def piled_up(recorded: Recorded) -> tuple[float, float]:
    """Return the gain per frame in blocks of memory, and in objects that the collector watches."""
    calls = _calls(recorded)
    frames = sum(is_frame for is_frame, _ in calls)
    seen = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(PASSES + 1):
            for _, call in calls:
                call()
            seen.append((sys.getallocatedblocks(), len(gc.get_objects())))
    finally:
        gc.enable()
    blocks, objects = (
        (last - first) / (PASSES * frames) for first, last in zip(seen[0], seen[-1], strict=True)
    )
    return blocks, objects


def still_there(recorded: Recorded) -> tuple[float, Counter[str]]:
    """Return the blocks per frame that are made during it and stay, and who makes them."""
    calls = _calls(recorded)
    for _, call in calls:
        call()
    lines: Counter[str] = Counter()
    traced = 0
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        for is_frame, call in calls[: -len(calls) // 2]:
            if not is_frame or traced == FRAMES_TRACED:
                call()
                continue
            traced += 1
            tracemalloc.clear_traces()
            call()
            held = tracemalloc.take_snapshot()
            for trace in held.traces:
                lines[str(trace.traceback)] += 1
    finally:
        tracemalloc.stop()
        gc.enable()
    return lines.total() / traced, lines


def measure() -> list[harness.Row]:
    """Measure every venue."""
    rows = []
    for recorded in all_recorded():
        name = f"full_path.{recorded.venue}.kept"
        blocks, objects = piled_up(recorded)
        there, _ = still_there(recorded)
        rows += [
            harness.scalar(f"{name}.blocks_gained", "1/frame", blocks),
            harness.scalar(f"{name}.containers_gained", "1/frame", objects),
            harness.scalar(f"{name}.blocks_replaced", "1/frame", there),
        ]
    return rows


if __name__ == "__main__":
    harness.print_table(measure())
    for one in all_recorded():
        print(one.venue)
        for line, count in still_there(one)[1].most_common(LINES_MAX):
            print(f"  {count / FRAMES_TRACED:.3f} a frame: {line}")
