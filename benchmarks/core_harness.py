"""Measures calls one by one; a figure is the median and the tail, never the mean."""

import gc
import time
from collections.abc import Callable, Iterable
from typing import NotRequired, TypedDict

WARM_UP_CALLS = 300


class Row(TypedDict):
    name: str
    unit: str
    median: float
    p99: float
    p999: float
    peer: NotRequired[str]
    ratio: NotRequired[float]


def measure(
    name: str, calls: Iterable[Callable[[], object]], *, between: Callable[[], object] | None = None
) -> Row:
    """Time each call by itself; `between` runs untimed after each."""
    clock = time.perf_counter_ns
    spent_ns: list[int] = []
    gc.collect()
    gc.disable()
    try:
        for call in calls:
            start_ns = clock()
            call()
            spent_ns.append(clock() - start_ns)
            if between is not None:
                between()
    finally:
        gc.enable()
    kept = sorted(spent_ns[WARM_UP_CALLS:])
    empty_ns = _empty_call_ns()
    median, p99, p999 = (
        round(max(kept[int(len(kept) * part)] - empty_ns, 0) / 1000, 3)
        for part in (0.5, 0.99, 0.999)
    )
    return Row(name=name, unit="us", median=median, p99=p99, p999=p999)


def _empty_call_ns() -> int:
    clock = time.perf_counter_ns

    def nothing() -> None:
        return None

    spent_ns = []
    for _ in range(2000):
        start_ns = clock()
        nothing()
        spent_ns.append(clock() - start_ns)
    return sorted(spent_ns)[1000]
