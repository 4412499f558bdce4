"""Waking up each millisecond for nothing, so that a frame finds the loop awake.

Where work beside the engine comes and goes, a frame that meets a loop that slept since the last one
waits for the kernel's next tick, up to 4 ms, and finds its caches taken: the first frames after
work went on were six times as slow as with nothing beside it, and with this as fast
(`make bench-sessions`). It takes some hundredths of a core.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

EVERY_S: Final = 0.001


@contextmanager
def kept_awake(*, is_wanted: bool, every_s: float = EVERY_S) -> Iterator[None]:
    """Keep the running loop from sleeping longer than `every_s` until the block ends."""
    if not is_wanted:
        yield
        return
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def wake() -> None:
        nonlocal timer
        timer = loop.call_later(every_s, wake)

    wake()
    try:
        yield
    finally:
        timer.cancel()
