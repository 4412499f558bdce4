"""An event loop whose time passes only when nothing else is to be done.

Seconds of a run take as long as its work. While something real is waited for, such as a transaction
of the database's own thread, virtual time stands still.
"""

import asyncio
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STUCK_S = 20.0
"""Real time after which what is waited for is taken to need virtual time itself."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock starts at 0 and jumps to the next timer."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._held = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Return the virtual time."""
        return self.now_s

    @property
    def is_held(self) -> bool:
        """Whether something real is waited for."""
        return self._held > 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let virtual time stand still within the block."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        events = super().select(STUCK_S if self._loop.is_held else 0)
        if not events:
            self._loop.now_s += timeout
        return events


def virtual_loop() -> VirtualLoop:
    """Return the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop
