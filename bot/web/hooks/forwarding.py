"""Hands events to who follows their chains: at once, and again until they were taken.

An event goes its way while it is being kept: what follows of it is a hint, and does not wait for
the disk. What was not taken, as its role was away or this one ended, is read from the disk again.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Final

from cachetools import LRUCache

from bot.web.hooks.keeping import Keeping
from bot.web.hooks.store import DiskError, Key, row_of
from bot.web.route import Ask
from engine.bus.hooked import HookEvent, HookFigures, HookWord
from engine.domain.errors import BadValueError, FatalError, SyndicateError
from engine.domain.units import NS_PER_S
from engine.requests.hooked import EVENTS_MAX, TakeHooked, TellHooks

log = logging.getLogger(__name__)

AT_ONCE_MAX: Final = 10_000
"""So many go their way from memory; the others are read from the disk."""

OFFERED_KEPT: Final = 20_000
"""What comes again goes its way once."""

AGAIN_S: Final = 1.0
TELL_S: Final = 5.0
ANSWER_S_MAX: Final = 10.0
Span = tuple[str, int, int]


class Forwarding:
    """Hands events over.

    Args:
        ask: has a request answered.
        keeping: where they are kept.
        figures: what was counted of each endpoint.
        clock: the time, nanoseconds since 1970.
        again_s: what waits for so long is handed over again.

    Attributes:
        waiting: events on disk that nobody has taken.
        elsewhere: events of chains that nobody follows, by stream.
    """

    def __init__(
        self,
        ask: Ask,
        keeping: Keeping,
        figures: Callable[[], list[HookFigures]],
        *,
        clock: Callable[[], int],
        again_s: float = AGAIN_S,
    ) -> None:
        self.waiting = 0
        self.elsewhere: Counter[str] = Counter()
        self._ask, self._keeping, self._figures, self._clock = ask, keeping, figures, clock
        self._again_s = again_s
        self._ready: dict[str, deque[HookEvent]] = {}
        self._spans: dict[str, list[Span]] = {}
        self._ready_count = 0
        self._offered: LRUCache[Key, None] = LRUCache(OFFERED_KEPT)
        self._has_work = asyncio.Event()

    def offer(self, chain: str, events: Sequence[HookEvent], span: Span | None) -> None:
        """Have events go their way at once, as far as there is room."""
        if span is not None:
            self._spans.setdefault(chain, []).append(span)
        new = [event for event in events if self._is_new(row_of(event))]
        if self._ready_count + len(new) <= AT_ONCE_MAX:
            self._ready.setdefault(chain, deque()).extend(new)
            self._ready_count += len(new)
        self._has_work.set()

    def _is_new(self, row: Key) -> bool:
        """Say whether an event was not offered lately; what was is on the disk in any case."""
        if row in self._offered:
            return False
        self._offered[row] = None
        return True

    async def run(self) -> None:
        """Hand over until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hand_all())
            tasks.create_task(self._again())
            tasks.create_task(self._tell())

    async def _hand_all(self) -> None:
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            for chain in list(self._ready.keys() | self._spans.keys()):
                ready = self._ready.get(chain, deque())
                while ready or self._spans.get(chain):
                    events = [ready.popleft() for _ in range(min(len(ready), EVENTS_MAX))]
                    self._ready_count -= len(events)
                    await self._hand(chain, events, self._spans.pop(chain, []))

    async def _hand(self, chain: str, events: list[HookEvent], spans: list[Span]) -> bool:
        """Hand events over; say whether that is done with."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                await self._ask(TakeHooked(chain=chain, events=events, spans=tuple(spans)))
        except BadValueError:
            self.elsewhere.update(event.stream for event in events)
        except (SyndicateError, TimeoutError) as error:
            log.info("events of %s wait: %s", chain, error)
            return False
        self._keeping.taken([row_of(event) for event in events])
        return True

    async def _again(self) -> None:
        """Hand over again what waits for long: the oldest first, until somebody is away."""
        while True:
            is_more = False
            try:
                before_ns = self._clock() - int(self._again_s * NS_PER_S)
                found = await self._keeping.waiting(before_ns=before_ns, most=EVENTS_MAX)
                by_chain: dict[str, list[HookEvent]] = {}
                for event in found:
                    by_chain.setdefault(event.chain, []).append(event)
                done = [await self._hand(chain, events, []) for chain, events in by_chain.items()]
                is_more = len(found) == EVENTS_MAX and all(done)
                self.waiting = await self._keeping.waiting_count() if found else 0
            except (DiskError, FatalError) as error:
                log.info("what waits cannot be read: %s", error)
            await asyncio.sleep(0 if is_more else self._again_s)

    async def _tell(self) -> None:
        """Tell how webhooks are, whether anything comes or not."""
        while True:
            try:
                streams = self._figures()
                word = HookWord(
                    told_at_ns=self._clock(),
                    streams=streams,
                    waiting=self.waiting,
                    commit_ms=self._keeping.commit_ms(),
                    trouble=self._keeping.trouble,
                )
                if streams:
                    async with asyncio.timeout(ANSWER_S_MAX):
                        await self._ask(TellHooks(word=word))
            except (SyndicateError, TimeoutError) as error:
                log.debug("nobody hears how webhooks are: %s", error)
            await asyncio.sleep(TELL_S)
