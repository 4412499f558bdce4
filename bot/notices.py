"""Tell the operator of opportunities and trades: none lost, bursts as one message.

What a person is asked has a lane of its own, so that it waits for no other news; once a prompt is
shown the engine is told. What else the ledger has stored as notices comes as alerts, see
`alert_desk`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final

from bot.alert_desk import AlertDesk
from bot.alerts.table import Way, row_of
from bot.alerts.terms import Terms
from bot.notice_buttons import buttons_of, buttons_of_digest
from bot.progress import Progress
from bot.render.notices import render_digest, render_notice
from bot.shown import shown_of
from bot.telling import Telling
from bot.threads import Threads
from engine.bus.notices import (
    ApprovalAsked,
    ApprovalEnded,
    Notice,
    OpportunitySeen,
    PaperTraded,
    StampedNotice,
    WhaleSeen,
)
from engine.domain.backoff import Backoff
from engine.domain.errors import SyndicateError
from engine.domain.recovery import NOTICES
from engine.facade.engine import Facade
from engine.requests.chat import DoneNotices
from engine.requests.presence import PromptShown

_log = logging.getLogger(__name__)

WAITING_MAX: Final = 200
"""Notices held here; the ledger keeps the others until there is room."""

SINGLY_MAX: Final = 5
"""More ordinary notices than this, waiting at once, become one message."""

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 30.0
_CONFIRM_S_MAX: Final = 10.0

_ORDINARY = (OpportunitySeen, PaperTraded, ApprovalEnded, WhaleSeen)
"""Of approvals, ends of prompts that this chat never showed: it was not opened yet, or away."""

_ASKED = (ApprovalAsked, ApprovalEnded)
"""What waits for a word, and no longer than a short while: at once, and in quiet hours too."""

_SHOWN_TRIES_MAX: Final = 5


def is_told(notice: Notice, *, opportunity_usd_min: Decimal, terms: Terms, now_ns: int) -> bool:
    """Say whether a notice is news of this feed, and worth a message; all others are alerts."""
    row = row_of(notice)
    if row.way is not Way.NEWS or terms.is_muted(row.kind, now_ns=now_ns):
        return False
    if isinstance(notice, OpportunitySeen):
        usd_min = max(float(opportunity_usd_min), terms.thresholds.get(row.kind, 0))
        return notice.profit_usd >= usd_min
    return True


@dataclass(slots=True, kw_only=True)
class NoticeFeed:
    """Carries notices from the ledger to a chat, and confirms what was delivered.

    Attributes:
        reader: name under which the ledger remembers what was delivered.
        deliver: returns once the message is delivered: its id, None if it cannot be edited.
        threads: what was told already.
        alerts: the operator's terms, which hold for news too.
    """

    facade: Facade
    reader: str
    opportunity_usd_min: Decimal
    deliver: Callable[[Telling], Awaitable[int | None]]
    threads: Threads
    alerts: AlertDesk
    _waiting: asyncio.Queue[StampedNotice] = field(
        default_factory=lambda: asyncio.Queue(maxsize=WAITING_MAX), init=False
    )
    _asked: asyncio.Queue[StampedNotice] = field(
        default_factory=lambda: asyncio.Queue(maxsize=WAITING_MAX), init=False
    )
    _progress: Progress = field(default_factory=Progress, init=False)
    _confirming: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _confirmed: int = field(default=0, init=False)
    _shown: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def run(self) -> None:
        """Tell notices for ever."""
        await self.threads.load(self.facade)
        await self.alerts.is_loaded.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._receive())
            group.create_task(self._tell(self._asked))
            group.create_task(self._tell(self._waiting))

    async def _receive(self) -> None:
        backoff = Backoff(NOTICES, first_s=RETRY_S_MIN, longest_s=RETRY_S_MAX)
        while True:
            try:
                async for stamped in self.facade.notices(reader=self.reader):
                    backoff.reset()
                    self._progress.begin(stamped.seq)
                    await (self._asked if _is_of_asked(stamped) else self._waiting).put(stamped)
            except SyndicateError as error:
                _log.warning("notices stopped: %s", error)
            await asyncio.sleep(backoff.next_s())

    async def _tell(self, lane: asyncio.Queue[StampedNotice]) -> None:
        while True:
            batch = [await lane.get()]
            while not lane.empty():
                batch.append(lane.get_nowait())
            for telling in self._tellings(batch):
                edits = self.threads.message_of(telling.thread)
                message_id = await self.deliver(replace(telling, edits=edits))
                if telling.thread is not None:
                    self.threads.keep(telling.thread, message_id)
            for stamped in batch:
                self._progress.finish(stamped.seq)
            await self._confirm()

    def _tellings(self, batch: list[StampedNotice]) -> list[Telling]:
        """Return what is to be said about a batch."""
        machine, now_ns = self.alerts.machine, self.alerts.clock()
        wanted = [
            stamped
            for stamped in batch
            if is_told(
                stamped.notice,
                opportunity_usd_min=self.opportunity_usd_min,
                terms=machine.terms,
                now_ns=now_ns,
            )
        ]
        wanted = _without_followed([one for one in wanted if not _is_too_late(one.notice, now_ns)])
        is_silent = machine.terms.is_quiet(now_ns, machine.zone)
        ordinary = [s for s in wanted if isinstance(s.notice, _ORDINARY) and not self._follows(s)]
        if len(ordinary) <= SINGLY_MAX:
            return [self._telling(stamped, is_silent=is_silent) for stamped in wanted]
        singly = [self._telling(s, is_silent=is_silent) for s in wanted if s not in ordinary]
        digest = Telling(
            render_digest(ordinary), buttons=buttons_of_digest(ordinary), is_silent=is_silent
        )
        return [*singly, digest]

    def _follows(self, stamped: StampedNotice) -> bool:
        """Say whether a notice replaces a message that told of its opportunity, or asked."""
        notice = stamped.notice
        is_of_more = isinstance(notice, (PaperTraded, ApprovalEnded))
        thread = _thread_of(notice) if is_of_more else None
        return thread is not None and thread in self.threads

    def _telling(self, stamped: StampedNotice, *, is_silent: bool) -> Telling:
        notice = stamped.notice
        return Telling(
            render_notice(stamped),
            buttons=buttons_of(notice),
            thread=_thread_of(notice),
            is_urgent=_is_of_asked(stamped),
            is_silent=is_silent and not isinstance(notice, _ASKED),
            on_shown=partial(self._tell_shown, notice)
            if isinstance(notice, ApprovalAsked)
            else None,
        )

    def _tell_shown(self, notice: ApprovalAsked) -> None:
        """Have the engine told, beside other work, that a prompt is shown."""
        task = asyncio.get_running_loop().create_task(self._say_shown(shown_of(notice)))
        self._shown.add(task)
        task.add_done_callback(self._shown.discard)

    async def _say_shown(self, shown: PromptShown) -> None:
        """Tell the engine; where it cannot be told, the prompt will be void, which is safe."""
        backoff = Backoff(NOTICES, first_s=RETRY_S_MIN, longest_s=RETRY_S_MAX)
        for _ in range(_SHOWN_TRIES_MAX):
            try:
                await self.facade.ask(shown)
            except SyndicateError as error:
                _log.info("the engine does not know yet that a prompt is shown: %s", error)
                await asyncio.sleep(backoff.next_s())
            else:
                backoff.reset()
                return

    async def _confirm(self) -> None:
        """Confirm delivery; until the ledger has it, nothing newer can come from it anyway."""
        async with self._confirming:
            if self._progress.done_up_to > self._confirmed:
                await self._confirm_up_to(self._progress.done_up_to)

    async def _confirm_up_to(self, seq: int) -> None:
        done = DoneNotices(
            reader=self.reader,
            seq=seq,
            chat=self.threads.chat,
            threads=self.threads.take_unsaved(),
        )
        backoff = Backoff(NOTICES, first_s=RETRY_S_MIN, longest_s=RETRY_S_MAX)
        while True:
            try:
                async with asyncio.timeout(_CONFIRM_S_MAX):
                    await self.facade.ask(done)
            except (SyndicateError, TimeoutError) as error:
                _log.info("notices up to %d are not confirmed yet: %s", seq, error)
                await asyncio.sleep(backoff.next_s())
            else:
                backoff.reset()
                self._confirmed = seq
                return


def _is_of_asked(stamped: StampedNotice) -> bool:
    """Say whether a notice is of what a person was asked; each replaces the one before it."""
    notice = stamped.notice
    return isinstance(notice, _ASKED) or (
        isinstance(notice, PaperTraded) and notice.approval is not None
    )


def _is_too_late(notice: Notice, now_ns: int) -> bool:
    """Say whether a person would be asked what nobody may answer any more."""
    return isinstance(notice, ApprovalAsked) and now_ns >= notice.approval.expires_at_ns


def _thread_of(notice: Notice) -> str | None:
    if isinstance(notice, (ApprovalAsked, ApprovalEnded)):
        return notice.approval.approval_id
    if isinstance(notice, PaperTraded) and notice.approval is not None:
        return notice.approval.approval_id
    if isinstance(notice, (OpportunitySeen, PaperTraded)):
        return notice.opportunity_id
    return None


def _without_followed(wanted: list[StampedNotice]) -> list[StampedNotice]:
    """Leave out what the same breath goes beyond: a trade its opportunity, an end its prompt."""
    traded = {s.notice.opportunity_id for s in wanted if isinstance(s.notice, PaperTraded)}
    ended = {s.notice.approval.approval_id for s in wanted if isinstance(s.notice, ApprovalEnded)}
    return [
        s
        for s in wanted
        if not (isinstance(s.notice, OpportunitySeen) and s.notice.opportunity_id in traded)
        and not (isinstance(s.notice, ApprovalAsked) and s.notice.approval.approval_id in ended)
    ]
