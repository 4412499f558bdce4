"""Python objects that outlive a frame on the hot path: real frames, the collector off.

`python -m benchmarks.outliving` also names the lines that make them. The engine records the run
and shares its prices meanwhile. Two figures per venue: how many blocks of memory made during a
frame are still there after it, once all books are live (what a frame puts in the place of something
older, such as a sequence number, counts too), and what memory gains with each frame over several
passes of a recording, each of which opens the connection anew.
"""

import contextlib
import gc
import sys
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import harness
from benchmarks.full_path import inputs_of, make_core
from benchmarks.real_frames import Recorded, all_recorded
from engine.operate.recorder import Recorder, RecorderSettings
from engine.ports import InputKind
from engine.wiring.shared_prices import SharedPrices

WARM_UP_PASSES = 2
PASSES = 5
FRAMES_TRACED = 300
WARM_UP_FRAMES = 50
"""Traced and not counted: the interpreter keeps a few freed tuples and frames to use them again."""

LINES_MAX = 12

Input = tuple[bool, Callable[[], object]]
"""Whether it is a frame, and the call that takes it."""


@contextlib.contextmanager
def inputs_taken(recorded: Recorded) -> Iterator[tuple[list[Input], Recorder]]:
    """Give a recording as calls of an engine that records and shares its prices."""
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        own = RecorderSettings(
            directory=Path(folder), segment_bytes=1 << 26, total_bytes_max=1 << 30
        )
        recorder = Recorder(own, "bench")
        prices = SharedPrices(Path(folder) / "prices", run_id="bench", at_ns=0)
        hot_path = make_core(recorded, prices=prices, recorder=recorder).hot_path
        calls: list[Input] = []
        for kind, key, payload, at_ns in inputs_of(recorded):
            if kind is InputKind.FRAME:
                calls.append((True, partial(hot_path.frame, 0, payload, at_ns)))
            else:
                accept = partial(
                    hot_path.accept, kind, stream=0, key=key, payload=payload, at_ns=at_ns
                )
                calls.append((False, accept))
        yield calls, recorder
        recorder.close()
        prices.close()


def gained(recorded: Recorded) -> float:
    """Return the blocks of memory that each frame adds, over whole passes."""
    with inputs_taken(recorded) as (calls, recorder):
        seen = []
        gc.collect()
        gc.disable()
        try:
            for _ in range(WARM_UP_PASSES + PASSES):
                for _, call in calls:
                    call()
                recorder.flush()
                gc.collect()
                seen.append(sys.getallocatedblocks())
        finally:
            gc.enable()
        frames = sum(is_frame for is_frame, _ in calls)
        return (seen[-1] - seen[WARM_UP_PASSES - 1]) / (PASSES * frames)


def left_behind(recorded: Recorded, frames: int = FRAMES_TRACED) -> Counter[str]:
    """Return the lines that made what outlived a frame, of the last frames of a recording."""
    lines: Counter[str] = Counter()
    with inputs_taken(recorded) as (calls, _):
        for _, call in calls[: -WARM_UP_FRAMES - frames]:
            call()
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for _, call in calls[-WARM_UP_FRAMES - frames : -frames]:
                call()
            for _, call in calls[-frames:]:
                tracemalloc.clear_traces()
                call()
                for trace in tracemalloc.take_snapshot().traces:
                    lines[str(trace.traceback)] += 1
        finally:
            tracemalloc.stop()
            gc.enable()
    return Counter({line: count for line, count in lines.items() if "tracemalloc" not in line})


def measure() -> list[harness.Row]:
    """Measure every venue."""
    rows = []
    for recorded in all_recorded():
        name = f"full_path.{recorded.venue}.outliving"
        left = left_behind(recorded).total() / FRAMES_TRACED
        rows += [
            harness.scalar(f"{name}.objects", "1/frame", left),
            harness.scalar(f"{name}.blocks_gained", "1/frame", gained(recorded)),
        ]
    return rows


if __name__ == "__main__":
    harness.print_table(measure())
    for one in all_recorded():
        print(one.venue)
        for line, count in left_behind(one).most_common(LINES_MAX):
            print(f"  {count / FRAMES_TRACED:.3f} a frame: {line}")
