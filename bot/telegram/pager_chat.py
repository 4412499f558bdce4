"""One person's chat with the pager: critical alerts that nobody acknowledges, and what waits."""

import asyncio
from collections.abc import Iterator
from typing import Final

from bot.alert_buttons import act_buttons
from bot.alert_desk import AlertDesk
from bot.alerts.alert import Alert
from bot.alerts.chain import is_running
from bot.answer import Answer
from bot.dispatch import Dispatcher
from bot.notice_buttons import CANCEL_DELAYED, Row
from bot.render.alerts import render_alert
from bot.render.notices import render_notice
from bot.render.screen import Screen
from bot.session import ChatSession
from bot.telegram.chat import Around, Chat
from bot.telegram.desk import Desk
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Priority, Settled
from bot.telegram.pacing import Pace
from bot.telegram.pager_words import BUTTONS, narrow_answer
from bot.telegram.replies import make_messages
from bot.telegram.sender import Sender
from bot.telegram.taps import TapAnswers
from engine.bus.notices import LooseningCancelled, LooseningWaits

PRESS: Final[Row] = BUTTONS[0]


class PagerChat:
    """Answers one person, and tells them what their main chat could not."""

    def __init__(self, around: Around, main: Chat) -> None:
        settings = around.settings
        self.main = main
        self._around = around
        self.outbox = Outbox(
            Sender(line=around.line, chat_id=main.person.user_id, send_s=settings.send_s),
            pace=Pace(
                per_s=settings.chat_sends_per_s,
                burst=settings.chat_send_burst,
                now_s=asyncio.get_running_loop().time,
            ),
        )
        dispatcher = main.session.dispatcher
        self.session = ChatSession(
            Dispatcher(
                facade=around.facade,
                settings=settings,
                clock=around.clock,
                alerts=dispatcher.alerts,
                rank=main.person.rank,
            ),
            around.shared,
        )
        self.desk = Desk(
            session=self.session,
            bot_id=around.bot_id,
            inbox=around.inbox,
            outbox=self.outbox,
            taps=TapAnswers(around.line.bot, around.spawn, settings.send_s),
            charts=around.charts,
            spawn=around.spawn,
            show_activity=lambda: None,
            narrow=narrow_answer,
        )

        main.alerts.beside["the pager bot"] = self._try

    async def _try(self, screen: Screen) -> bool:
        """Say something as a trial; say whether it arrived in time."""
        (message,) = make_messages(narrow_answer(Answer(screen=screen)), priority=Priority.URGENT)
        try:
            async with asyncio.timeout(2 * self._around.settings.send_s):
                return await self.outbox.deliver(message) is Settled.DELIVERED
        except TimeoutError:
            return False

    def say(self, screen: Screen, *rows: Row, is_silent: bool = False) -> None:
        """Say something at once."""
        answer = narrow_answer(Answer(screen=screen, buttons=(*rows, PRESS)))
        for message in make_messages(answer, priority=Priority.URGENT):
            message.is_silent = is_silent
            self.outbox.put(message)

    async def tell(self) -> None:
        """Tell what the main chat could not, for ever."""
        alerts = self.main.alerts
        await alerts.is_loaded.wait()
        page = Pages(alerts)
        while True:
            now_ns = self._around.clock()
            for alert in page.due():
                row = act_buttons(alert)
                self.say(
                    render_alert(alert, now_ns=now_ns),
                    *((row,) if row else ()),
                    is_silent=alert.is_over,
                )
            for alert in page.waits(now_ns=now_ns):
                self.say(render_notice(alert.newest), (CANCEL_DELAYED,))
            await asyncio.sleep(self._around.settings.alert_look_s)


class Pages:
    """What of a chat's alerts was told by the pager, and what is to be. Not kept over restarts."""

    def __init__(self, alerts: AlertDesk) -> None:
        self._alerts = alerts.machine
        self._told: dict[str, tuple[int, int]] = {}
        self._waits: set[str] = set()

    def due(self) -> Iterator[Alert]:
        """Return what nobody acknowledged by the chain's second repeat, and later its end."""
        for name, alert in list(self._alerts.alerts.items()):
            episode, pages = self._told.get(name, (0, 0))
            if episode != alert.episode:
                pages = 0
            if is_running(alert) and alert.pages_due > pages:
                self._told[name] = (alert.episode, alert.pages_due)
                yield alert
            elif not is_running(alert) and pages:
                del self._told[name]  # after an acknowledgement it may fire anew
                if alert.is_over:
                    yield alert
        for name in [name for name in self._told if name not in self._alerts.alerts]:
            del self._told[name]

    def waits(self, *, now_ns: int) -> Iterator[Alert]:
        """Return the changes that wait now, each once."""
        alerts = list(self._alerts.alerts.values())
        cancelled_ns = {
            one.newest.notice.engine_id: one.newest.notice.at_ns
            for one in alerts
            if isinstance(one.newest.notice, LooseningCancelled)
        }
        for alert in alerts:
            notice = alert.newest.notice
            if (
                isinstance(notice, LooseningWaits)
                and alert.fingerprint not in self._waits
                and notice.due_at_ns > now_ns
                and cancelled_ns.get(notice.engine_id, 0) < notice.at_ns
            ):
                self._waits.add(alert.fingerprint)
                yield alert
