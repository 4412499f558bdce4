"""One person's private chat: what is told there unasked, and who answers what is asked there."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final

from telegram.error import TelegramError

from bot.alert_desk import AlertDesk, make_alert_desk
from bot.answer import Answer
from bot.charts import ChartDrawer
from bot.chat_state import ChatState
from bot.dispatch import Dispatcher
from bot.notice_buttons import Row
from bot.notices import NoticeFeed
from bot.render.screen import Screen
from bot.session import ChatSession, Shared
from bot.telegram.card import LiveCard
from bot.telegram.desk import Desk
from bot.telegram.inbox import SOURCE, Inbox
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority
from bot.telegram.pacing import Pace
from bot.telegram.replies import make_messages
from bot.telegram.sender import Line, Sender
from bot.telegram.taps import TapAnswers
from bot.telegram.teller import Teller
from bot.threads import Threads
from engine.domain.errors import SyndicateError
from engine.domain.people import Person, Rank
from engine.domain.redaction import redact
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.requests.chat import DoneNotices, GetNotices

_log = logging.getLogger(__name__)

RETRY_S: Final = 0.5

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the chats of one bot have in common.

    Attributes:
        line: the connection to Telegram.
        is_conflicted: somebody else speaks for the bot.
        reached: seconds since Telegram last answered, and how far its clock is behind this one.
        spawn: starts what runs beside.
    """

    facade: Facade
    settings: FrontEndSettings
    clock: Callable[[], int]
    line: Line
    bot_id: str
    inbox: Inbox
    shared: Shared
    charts: ChartDrawer
    is_conflicted: Callable[[], bool]
    reached: Callable[[], tuple[float | None, int | None]]
    spawn: Spawn


class Chat:
    """What serves one person.

    Whoever is told nothing unasked sees the owner's alerts.
    """

    def __init__(self, around: Around, person: Person, *, owners: "Chat | None" = None) -> None:
        """Make the chat of a person, or without `owners` that of the owner."""
        settings, clock = around.settings, around.clock
        self._around = around
        self.person = person
        self.is_first = is_first = owners is None
        self.sender = Sender(line=around.line, chat_id=person.user_id, send_s=settings.send_s)
        self.outbox = Outbox(
            self.sender,
            pace=Pace(
                per_s=settings.chat_sends_per_s,
                burst=settings.chat_send_burst,
                now_s=asyncio.get_running_loop().time,
            ),
        )
        # The name of the owner's is that of before there could be others.
        self._reader = SOURCE if is_first else f"{SOURCE}-{person.user_id}"
        chat = f"telegram-{around.bot_id}-{person.user_id}"
        deliver = Teller(self.outbox).deliver
        self.alerts: AlertDesk = make_alert_desk(
            around.facade,
            settings,
            source=self._reader,
            chat=chat,
            own_by=person.name,
            deliver=deliver,
            clock=clock,
            has_ways_out=is_first,  # once, not once for each person
        )
        self.notices = NoticeFeed(
            facade=around.facade,
            reader=self._reader,
            opportunity_usd_min=settings.opportunity_notice_usd_min,
            deliver=deliver,
            threads=Threads(chat),
            alerts=self.alerts,
        )
        self.session = ChatSession(
            Dispatcher(
                facade=around.facade,
                settings=settings,
                clock=clock,
                read_chat=self.read_state,
                alerts=self.alerts if owners is None or self.is_told_unasked else owners.alerts,
                rank=person.rank,
            ),
            around.shared,
            around.is_conflicted,
        )
        self.desk = Desk(
            session=self.session,
            bot_id=around.bot_id,
            inbox=around.inbox,
            outbox=self.outbox,
            taps=TapAnswers(around.line.bot, around.spawn, settings.send_s),
            charts=around.charts,
            spawn=around.spawn,
            show_activity=lambda: around.spawn(self._show_activity()),
        )
        self._told_dropped = 0

    @property
    def is_told_unasked(self) -> bool:
        """Say whether news and alerts come here: to whoever can act on them."""
        return self.person.rank.is_at_least(Rank.OPERATOR)

    def telling(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Return what tells unasked, for ever."""
        if self.is_told_unasked:
            yield self._tell()

    def sending(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Return what carries messages out, for ever."""
        if self._around.settings.card_s is not None and self.is_told_unasked:
            yield self._card(self._around.settings.card_s).run()
        yield self.outbox.run()

    async def _tell(self) -> None:
        if not self.is_first:
            for reader in (self._reader, self.alerts.reader):
                await self._begin_with_now(reader)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.notices.run())
            group.create_task(self.alerts.run())

    async def _begin_with_now(self, reader: str) -> None:
        """Spare somebody who is new what was told before."""
        ask = self.session.dispatcher.ask
        while True:
            try:
                known = await ask(GetNotices(reader=reader, limit=1))
                if known.delivered_seq == 0:
                    await ask(DoneNotices(reader=reader, seq=known.newest_seq))
            except SyndicateError as error:
                _log.info("news for %s wait for the ledger: %s", self.person.name, error)
                await asyncio.sleep(RETRY_S)
            else:
                return

    def read_state(self) -> ChatState:
        """Say how the way to this person is."""
        answered_s, ahead_s = self._around.reached()
        return ChatState(waiting=self.outbox.waiting_count, answered_s=answered_s, ahead_s=ahead_s)

    def take_dropped(self) -> int:
        """Return how many answers were given up since this was asked last."""
        dropped = self.outbox.dropped_count - self._told_dropped
        self._told_dropped = self.outbox.dropped_count
        return dropped

    def say(self, screen: Screen, row: Row) -> None:
        """Say something at once."""
        answer = Answer(screen=screen, buttons=(row,))
        for message in make_messages(answer, priority=Priority.URGENT):
            self.outbox.put(message)

    def _card(self, every_s: float) -> LiveCard:
        return LiveCard(
            dispatcher=self.session.dispatcher,
            outbox=self.outbox,
            bot=self._around.line.bot,
            chat_id=self.person.user_id,
            threads=self.notices.threads,
            every_s=every_s,
            eased=self._around.settings.eased,
        )

    async def _show_activity(self) -> None:
        try:
            await self.sender.show_activity()
        except TelegramError as error:
            _log.info("no activity shown: %s", redact(str(error)))
