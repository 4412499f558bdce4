"""What a peer's own process needs: tasks from a file, answers into a file, calls timed.

Only the standard library is imported here: peers have environments of their own.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Task = dict[str, Any]
Answer = dict[str, Any]


def serve(answer: Callable[[list[Task]], list[Answer]]) -> None:
    """Read tasks from the file named first, write answers into the one named second."""
    tasks = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps(answer(tasks)))


def time_calls(
    call: Callable[[], object], rounds: int, *, before: Callable[[int], object] | None = None
) -> list[int]:
    """Time a call in ns, collector off; `before` runs untimed ahead of each."""
    now = time.perf_counter_ns
    durations = []
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            if before is not None:
                before(number)
            started = now()
            call()
            durations.append(now() - started)
    finally:
        gc.enable()
    return durations
