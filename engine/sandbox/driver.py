"""Moves the replay clock: with real time times a speed, or by hand while paused."""

import asyncio
from collections.abc import Callable

from engine.sandbox.stage import Stage

SLICE_NS = 100_000_000
"""Most replay time played without letting clients be served in between."""

BUNCH_S = 0.002
"""At more than real speed, what is due within this leaves together: nobody could tell, and to wake
up for each change would take most of the time."""

BEHIND_S_MAX = 0.25
"""A market further behind its clock than this goes on from where it stands. To catch up it would
hand frames over faster than ever to a machine that cannot follow it as it is."""

DRAIN_TIMEOUT_S = 10.0


class Driver:
    """Advances a stage.

    Attributes:
        is_paused: the clock stands still.
        lag_ns_max: largest replay time by which the stage was behind the clock.
        left_out_ns: replay time that did not pass, as nobody could have followed.

    Args:
        now_s: the time, seconds since whenever; that of the event loop if None.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        speed: float,
        is_paused: bool,
        now_s: Callable[[], float] | None = None,
    ) -> None:
        self._stage = stage
        self._speed = speed
        self._now_s = now_s
        self._running = asyncio.Event()
        self.lag_ns_max = 0
        self.left_out_ns = 0
        if not is_paused:
            self._running.set()

    @property
    def is_paused(self) -> bool:
        """Whether the clock stands still."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Stop the clock and let all changes so far reach the wire."""
        self._running.clear()
        self._stage.settle()

    def resume(self) -> None:
        """Let the clock run on from where it stands."""
        self._running.set()

    async def run(self) -> None:
        """Advance the stage for ever."""
        now_s = self._now_s or asyncio.get_running_loop().time
        behind_ns_max = int(BEHIND_S_MAX * self._speed * 1e9)
        wait_s_min = BUNCH_S if self._speed > 1 else 0.0
        while True:
            await self._running.wait()
            began_s, began_ns = now_s(), self._stage.now_ns
            while self._running.is_set():
                due_ns = began_ns + int((now_s() - began_s) * self._speed * 1e9)
                behind_ns = due_ns - self._stage.now_ns
                self.lag_ns_max = max(self.lag_ns_max, behind_ns)
                if behind_ns > behind_ns_max:
                    self._stage.leave_out(behind_ns)
                    self.left_out_ns += behind_ns
                    began_ns -= behind_ns
                    due_ns = self._stage.now_ns
                self._stage.advance(min(due_ns, self._stage.now_ns + SLICE_NS))
                wait_s = (self._stage.next_at_ns() - due_ns) / 1e9 / self._speed
                await asyncio.sleep(max(wait_s, 0.0 if self._stage.now_ns < due_ns else wait_s_min))

    async def play(self, seconds: float) -> None:
        """Advance a paused stage by some replay seconds, as fast as its clients take the frames.

        Raises:
            RuntimeError: the clock is running.
            TimeoutError: a client does not take its frames.
        """
        if not self.is_paused:
            raise RuntimeError("the sandbox is not paused; its clock runs by itself")
        end_ns = self._stage.now_ns + int(seconds * 1e9)
        while self._stage.now_ns < end_ns:
            self._stage.advance(min(end_ns, self._stage.now_ns + SLICE_NS))
            if self._stage.now_ns == end_ns:
                self._stage.settle()  # as it pauses: intervals end at times that nobody can name
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                for client in list(self._stage.clients()):
                    await client.idle.wait()
