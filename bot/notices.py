"""Tell the operator what the ledger has stored as notices: none lost, bursts as one message."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from bot.render.notices import render_digest, render_notice
from bot.render.screen import Screen
from engine.facade.commands import DoneNotices, SyndicateError
from engine.facade.engine import Facade
from engine.facade.notices import (
    Killed,
    LimitHit,
    OpportunitySeen,
    PaperTraded,
    StampedNotice,
    VenueBack,
    VenueLost,
)

_log = logging.getLogger(__name__)

WAITING_MAX: Final = 200
"""Notices held here; the ledger keeps the others until there is room."""

SINGLY_MAX: Final = 5
"""More ordinary notices than this, waiting at once, become one message."""

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 30.0
_CONFIRM_S_MAX: Final = 10.0

_ORDINARY = (OpportunitySeen, PaperTraded, VenueLost, VenueBack, LimitHit)


def is_told(stamped: StampedNotice, *, opportunity_usd_min: Decimal) -> bool:
    """Say whether a notice is worth a message: small opportunities are not."""
    notice = stamped.notice
    if isinstance(notice, OpportunitySeen):
        return notice.profit_usd >= float(opportunity_usd_min)
    return True


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be said about one notice or a burst of them.

    Attributes:
        is_urgent: ahead of everything that waits.
        is_silent: without a sound.
    """

    screen: Screen
    is_urgent: bool = False
    is_silent: bool = False


@dataclass(slots=True, kw_only=True)
class NoticeFeed:
    """Carries notices from the ledger to a chat, and confirms what was delivered.

    Attributes:
        reader: name under which the ledger remembers what was delivered.
        deliver: returns once the message is delivered.
    """

    facade: Facade
    reader: str
    opportunity_usd_min: Decimal
    deliver: Callable[[Telling], Awaitable[None]]
    _waiting: asyncio.Queue[StampedNotice] = field(
        default_factory=lambda: asyncio.Queue(maxsize=WAITING_MAX), init=False
    )

    async def run(self) -> None:
        """Tell notices for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive())
            group.create_task(self._tell())

    async def _receive(self) -> None:
        retry_s = RETRY_S_MIN
        while True:
            try:
                async for stamped in self.facade.notices(reader=self.reader):
                    retry_s = RETRY_S_MIN
                    await self._waiting.put(stamped)
            except SyndicateError as error:
                _log.warning("notices stopped: %s", error)
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, RETRY_S_MAX)

    async def _tell(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            for telling in self._tellings(batch):
                await self.deliver(telling)
            await self._confirm(batch[-1].seq)

    def _tellings(self, batch: list[StampedNotice]) -> list[Telling]:
        """Return what is to be said about a batch: what is grave first and by itself."""
        told = [s for s in batch if is_told(s, opportunity_usd_min=self.opportunity_usd_min)]
        ordinary = [s for s in told if isinstance(s.notice, _ORDINARY)]
        if len(ordinary) <= SINGLY_MAX:
            return [_telling(stamped) for stamped in told]
        grave = [_telling(s) for s in told if not isinstance(s.notice, _ORDINARY)]
        return [*grave, Telling(render_digest(ordinary))]

    async def _confirm(self, seq: int) -> None:
        """Confirm delivery; until the ledger has it, nothing newer can come from it anyway."""
        retry_s = RETRY_S_MIN
        while True:
            try:
                async with asyncio.timeout(_CONFIRM_S_MAX):
                    await self.facade.ask(DoneNotices(reader=self.reader, seq=seq))
            except (SyndicateError, TimeoutError) as error:
                _log.info("notices up to %d are not confirmed yet: %s", seq, error)
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, RETRY_S_MAX)
            else:
                return


def _telling(stamped: StampedNotice) -> Telling:
    return Telling(
        render_notice(stamped),
        is_urgent=isinstance(stamped.notice, Killed),
        is_silent=isinstance(stamped.notice, VenueBack),
    )
