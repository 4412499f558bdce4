"""The kill lane of a bot: what arrives, its kills first, then stored, then answered in order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from bot.access import Access
from bot.session import Shared
from bot.telegram.arrivals import Arrival, read_arrival
from bot.telegram.desk import Desk
from bot.telegram.inbox import Inbox
from bot.telegram.source import UpdateSource
from engine.domain.units import NS_PER_S

HELD_MAX: Final = 2_000
"""Arrivals that wait while more are fetched; beyond, they are begun with before all is."""


@dataclass(slots=True, kw_only=True)
class Intake:
    """Takes in what a bot is sent.

    Attributes:
        desk_of: the desk of a person who was let in.
        narrow: what of it this bot takes.
        ahead_s: by how much this machine's clock is ahead of Telegram's, once that is known.
    """

    source: UpdateSource
    inbox: Inbox
    access: Access
    desk_of: Callable[[int], Desk]
    shared: Shared
    clock: Callable[[], int]
    narrow: Callable[[Arrival], Arrival] = lambda arrival: arrival
    ahead_s: int | None = field(default=None, init=False)
    _is_unfinished_taken: bool = field(default=False, init=False)
    _is_order_kept: bool = field(default=True, init=False)
    """What changes something waits for what a former process left, which is older."""

    _held: list[Callable[[], None]] = field(default_factory=list, init=False)
    _newer: list[Callable[[], None]] = field(default_factory=list, init=False)
    _wanted_by_take: set[int] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Take in for ever."""
        while True:
            updates = await self.source.fetch()
            await self._accept(updates)
            if updates:
                self.source.confirm([update["update_id"] for update in updates])
            if not self.source.has_more or len(self._held) >= HELD_MAX:
                for start in self._held:
                    start()
                self._held.clear()

    async def take_unfinished(self) -> None:
        """Carry out what a former process accepted and did not finish; kills first."""
        arrivals: list[Arrival] = []
        for update in await self.inbox.take():
            update_id = update["update_id"]
            if not self.inbox.is_new(update_id):
                self._wanted_by_take.add(update_id)
                continue
            arrival = self._read(update)
            if arrival is None:
                self.inbox.done(update_id)
            else:
                arrivals.append(arrival)
        self._is_unfinished_taken = True
        # All of these are older than whatever this process fetched: a kill since voids them.
        epochs = _epochs(arrivals, base=0)
        await self._kill(arrivals, is_late=True)
        for arrival, epoch in zip(arrivals, epochs, strict=True):
            self._start(arrival, epoch=epoch, is_stored=True, is_older=True)
        self._begin_newer()

    def _begin_newer(self) -> None:
        self._is_order_kept = False
        for start in self._newer:
            start()
        self._newer.clear()

    def _read(self, update: dict[str, Any]) -> Arrival | None:
        arrival = read_arrival(update, self.access)
        return None if arrival is None else self.narrow(arrival)

    async def _accept(self, updates: list[dict[str, Any]]) -> None:
        """Take a batch in: kills at once, then the ledger, then the desk."""
        fresh = [update for update in updates if self.inbox.is_new(update["update_id"])]
        arrivals = [a for update in fresh if (a := self._read(update)) is not None]
        if not arrivals:
            return
        epochs = _epochs(arrivals, base=self.shared.epoch)
        sent_at_s = arrivals[-1].incoming.sent_at_s
        if sent_at_s is not None and not self.source.has_waited:
            self.ahead_s = self.clock() // NS_PER_S - sent_at_s
        await self._kill(arrivals, is_late=self.source.has_waited)
        stored = await self.inbox.store(arrival.raw for arrival in arrivals)
        for arrival, epoch in zip(arrivals, epochs, strict=True):
            if stored is None or arrival.update_id in stored:
                self._start(arrival, epoch=epoch, is_stored=stored is not None)
            elif not self._is_unfinished_taken:
                # A former process stored it; whether it was finished is for `take_unfinished`.
                self.inbox.forget(arrival.update_id)
            elif arrival.update_id in self._wanted_by_take:
                self._start(arrival, epoch=epoch, is_stored=True)

    async def _kill(self, arrivals: list[Arrival], *, is_late: bool) -> None:
        kills: dict[int, list[Arrival]] = {}
        for arrival in arrivals:
            if arrival.is_kill:
                kills.setdefault(arrival.incoming.user_id, []).append(arrival)
        await asyncio.gather(
            *(
                self.desk_of(user_id).kill(of_one, is_late=is_late)
                for user_id, of_one in kills.items()
            )
        )

    def _start(
        self, arrival: Arrival, *, epoch: int, is_stored: bool, is_older: bool = False
    ) -> None:
        """Have an arrival answered, but not before a kill that may be in the next batch.

        What changes something is not begun with before what is older; what is not stored changes
        nothing, and is told so at once. What only protects waits for nothing.
        """
        if arrival.is_kill:
            return
        desk = self.desk_of(arrival.incoming.user_id)
        start = partial(desk.start, arrival, epoch=epoch, is_stored=is_stored)
        if is_stored and not (is_older or arrival.is_protective or arrival.is_look):
            start = partial(self._begin_in_order, start)
        if self.source.has_more and not arrival.is_protective:
            self._held.append(start)
        else:
            start()

    def _begin_in_order(self, start: Callable[[], None]) -> None:
        if self._is_order_kept and len(self._newer) < HELD_MAX:
            self._newer.append(start)
        else:
            start()


def _epochs(arrivals: list[Arrival], *, base: int) -> list[int]:
    """Return the epoch of each arrival: what follows the last kill belongs to the next one."""
    kills = [index for index, arrival in enumerate(arrivals) if arrival.is_kill]
    if not kills:
        return [base] * len(arrivals)
    return [base + (index > kills[-1]) for index in range(len(arrivals))]
