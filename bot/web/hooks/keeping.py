"""Keeps events in a thread of its own: while one change is synced, the next one gathers.

So one sync is for many bodies where many come, and for one where one comes.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from bot.web.hooks.store import DiskError, HookStore, Key
from engine.bus.hooked import HookEvent
from engine.domain.errors import FatalError
from engine.domain.units import NS_PER_S

log = logging.getLogger(__name__)

EVENTS_AT_ONCE: Final = 5_000
"""Of one change; a larger body is a change by itself."""

WAITING_MAX: Final = 50_000
"""Events that may wait for the disk; beyond that bodies are refused."""

GATHER_S: Final = 0.002
"""Between two changes, in which what comes gathers: one sync of a disk delays all others' syncs."""

TAKEN_S: Final = 0.25
"""It is not worth a sync of its own that an event was taken; before `AGAIN_S` it has to be kept."""

PRUNE_S: Final = 5.0
COMMITS_KEPT: Final = 1_000
_MINUTE_S: Final = 60.0
_P99: Final = 0.99
Result = TypeVar("Result")


class Keeping:
    """Keeps events, and hands back what nobody has taken.

    Args:
        store: where.
        clock: the time, nanoseconds since 1970.
        keep_s: so long events are known again.
        taken_s: so long it may take until it is kept that an event was taken.

    Attributes:
        trouble: why nothing can be kept now; empty while everything can.
        commits, refusals: how many changes were made, and how many the disk took not.
    """

    def __init__(
        self,
        store: HookStore,
        *,
        clock: Callable[[], int],
        keep_s: int,
        taken_s: float = TAKEN_S,
    ) -> None:
        self.trouble = ""
        self.commits = self.refusals = 0
        self._store, self._clock, self._keep_s = store, clock, keep_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hooks")
        self._bodies: deque[tuple[Sequence[HookEvent], asyncio.Future[list[bool]]]] = deque()
        self._taken: list[Key] = []
        self._taken_s, self._is_taken_due = taken_s, False
        self._waiting = 0
        self._has_work = asyncio.Event()
        self._commit_s: deque[float] = deque(maxlen=COMMITS_KEPT)
        self._told_at_s = -_MINUTE_S

    async def ready(self) -> None:
        """Return once it is known what was told before.

        Raises:
            DiskError: that cannot be known now.
        """
        if not self._store.is_open:
            try:
                await self._run(self._store.open)
            except (DiskError, FatalError) as error:
                self.refusals += 1
                self._tell(str(error))
                raise DiskError(str(error)) from error

    @property
    def known_since_ns(self) -> int:
        """Since when all that was told is known: nothing older is taken."""
        return max(self._clock() - self._keep_s * NS_PER_S, self._store.pruned_until_ns)

    async def keep(self, events: Sequence[HookEvent]) -> list[bool]:
        """Return once events outlive a loss of power: of each whether it is told the first time.

        Raises:
            DiskError: they are not kept; the disk, or the memory before it, takes no more.
        """
        if self._waiting + len(events) > WAITING_MAX and self._waiting:
            self.refusals += 1
            raise DiskError(f"{self._waiting} events wait for the disk")
        kept: asyncio.Future[list[bool]] = asyncio.get_running_loop().create_future()
        self._bodies.append((events, kept))
        self._waiting += len(events)
        self._has_work.set()
        return await kept

    def taken(self, keys: Sequence[Key]) -> None:
        """Keep with the next change that these were taken: it need not be at once."""
        if not self._taken:
            asyncio.get_running_loop().call_later(self._taken_s, self._hurry)
        self._taken += keys

    async def waiting(self, *, before_ns: int, most: int) -> list[HookEvent]:
        """Return events that nobody has taken; see `HookStore.waiting`."""
        if not self._store.is_there:
            return []
        return await self._run(lambda: self._store.waiting(before_ns=before_ns, most=most))

    async def waiting_count(self) -> int:
        """Return how many nobody has taken; raises `DiskError`."""
        return await self._run(self._store.waiting_count)

    def commit_ms(self) -> float:
        """Return how long the 99th of a hundred changes took."""
        spans = sorted(self._commit_s)
        return round(spans[int(_P99 * (len(spans) - 1))] * 1_000, 2) if spans else 0.0

    async def run(self) -> None:
        """Keep until cancelled; what waits then is refused."""
        pruning = asyncio.create_task(self._prune())
        try:
            while True:
                await self._has_work.wait()
                self._has_work.clear()
                while self._bodies or self._is_taken_due:
                    await self._commit()
                    await asyncio.sleep(GATHER_S)
        finally:
            pruning.cancel()
            for _, kept in self._bodies:
                if not kept.done():
                    kept.set_exception(DiskError("the gateway is closing"))
            self._thread.shutdown(wait=True)
            self._store.close()

    def _hurry(self) -> None:
        """Keep what was taken now, if it was not kept meanwhile."""
        self._is_taken_due = bool(self._taken)
        self._has_work.set()

    async def _commit(self) -> None:
        bodies: list[tuple[Sequence[HookEvent], asyncio.Future[list[bool]]]] = []
        count = 0
        while self._bodies and (not bodies or count + len(self._bodies[0][0]) <= EVENTS_AT_ONCE):
            bodies.append(self._bodies.popleft())
            count += len(bodies[-1][0])
        taken, self._taken, self._is_taken_due = self._taken, [], False
        began_s = time.perf_counter()
        try:
            known = await self._run(
                lambda: self._store.keep([events for events, _ in bodies], taken)
            )
        except DiskError as error:
            self._refuse(bodies, str(error))
            return
        except asyncio.CancelledError:
            self._refuse(bodies, "the gateway is closing")
            raise
        except Exception as error:
            log.exception("a change of webhooks failed")
            self._refuse(bodies, f"{type(error).__name__}")
            return
        finally:
            self._waiting -= count
        self._commit_s.append(time.perf_counter() - began_s)
        self.commits += 1
        self.trouble = ""
        for (_, kept), first in zip(bodies, known, strict=True):
            if not kept.done():
                kept.set_result(first)

    def _refuse(
        self,
        bodies: Sequence[tuple[Sequence[HookEvent], asyncio.Future[list[bool]]]],
        why: str,
    ) -> None:
        # That some were taken is not worth keeping at any price: they are handed over again.
        self.refusals += len(bodies)
        self._tell(why)
        for _, kept in bodies:
            if not kept.done():
                kept.set_exception(DiskError(why))

    def _tell(self, why: str) -> None:
        self.trouble = f"webhooks are not kept: {why}"
        now_s = time.monotonic()
        if now_s - self._told_at_s >= _MINUTE_S:
            self._told_at_s = now_s
            log.error("%s", self.trouble)

    async def _prune(self) -> None:
        while True:
            before_ns = self._clock() - self._keep_s * NS_PER_S
            is_more = False
            try:
                if self._store.is_there:
                    is_more = await self._run(partial(self._store.prune, before_ns=before_ns)) > 0
            except (DiskError, FatalError) as error:
                self._tell(str(error))
            await asyncio.sleep(0 if is_more else PRUNE_S)

    async def _run(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
