"""The alerts of one chat at work: notices in, messages out, all of it kept in the ledger.

What is critical has a lane of its own, so that it waits for no ordinary message; both lanes ask the
machine for one thing at a time, and get what is so by then.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from bot.alert_buttons import ALL_ALERTS, buttons_of_alert
from bot.alerts.chain import is_running
from bot.alerts.kept import adopt, encode
from bot.alerts.machine import DAY, STORM, AlertMachine, Say
from bot.health import HealthWatch
from bot.pager import Pager, service_of
from bot.render.alerts import render_alert, render_day, render_storm
from bot.render.screen import Screen, Text
from bot.telling import Telling
from engine.bus.notices import (
    AlertAct,
    FeeChanged,
    Killed,
    LimitChanged,
    ModeChanged,
    Notice,
    PlaceSwitched,
    RoleAway,
    StampedNotice,
)
from engine.bus.reports import Kept
from engine.domain.backoff import Backoff
from engine.domain.errors import SyndicateError
from engine.domain.modes import Basis
from engine.domain.recovery import NOTICES, PAGES
from engine.domain.units import NS_PER_S
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.facade.news import RoleEnded
from engine.requests.alerts import ActOnAlerts
from engine.requests.chat import DoneNotices, GetKept

_log = logging.getLogger(__name__)

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 30.0
ASK_S_MAX: Final = 10.0
ACT_S_MAX: Final = 3.0
PAGE_RETRY_S_MAX: Final = 120.0

TRIAL: Final = Screen(
    title="a trial",
    blocks=(Text("Somebody asked in the chat whether alerts reach you here. Nothing is wrong."),),
)


@dataclass(slots=True, kw_only=True)
class AlertDesk:
    """Carries alerts between ledger, machine and chat.

    Attributes:
        reader: name under which the ledger remembers how far the notices were taken.
        chat: names to the ledger what is kept.
        own_by: who asks in this chat, as the records show it.
        deliver: returns once a message is delivered: its id, None if it cannot be edited.
        look_s: longest time between two looks at the clock.
        health_s: interval of the looks whether engine and ledger answer.
        pager: the ways out beside the chat, if there are any.
        beside: further ways by name; each says whether a screen arrived.
        is_loaded: set once what a former process kept is known.
    """

    facade: Facade
    machine: AlertMachine
    reader: str
    chat: str
    own_by: str
    deliver: Callable[[Telling], Awaitable[int | None]]
    clock: Callable[[], int]
    look_s: float
    health: HealthWatch = field(init=False)
    health_s: float
    pager: Pager | None = None
    beside: dict[str, Callable[[Screen], Awaitable[bool]]] = field(default_factory=dict)
    is_loaded: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _kept: dict[str, bytes] = field(default_factory=dict, init=False)
    _taken_seq: int = field(default=0, init=False)
    _kept_seq: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.health = HealthWatch(
            facade=self.facade,
            clock=self.clock,
            hear=self.hear,
            is_told_away=self._is_told_away,
            every_s=self.health_s,
        )

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take_in())
            group.create_task(self._tell(self.machine.next_critical))
            group.create_task(self._tell(self.machine.next_ordinary))
            group.create_task(self._pass_time())
            group.create_task(self.health.run())
            if self.pager is not None:
                group.create_task(self._page(self.pager))

    def hear(self, notice: Notice) -> None:
        """Take in what this process found out by itself."""
        self._take(StampedNotice(seq=0, notice=notice))

    async def act(self, act: AlertAct) -> bool:
        """Carry out what an operator did; say whether it is stored."""
        self._take(StampedNotice(seq=0, notice=act))
        try:
            async with asyncio.timeout(ACT_S_MAX):
                await self.facade.ask(ActOnAlerts(act=act))
        except (SyndicateError, TimeoutError) as error:
            _log.warning("what was done about alerts is not stored yet: %s", error)
            return False
        return True

    def _is_told_away(self, role: str) -> bool:
        alert = self.machine.alerts.get(f"away:{role}")
        return alert is not None and not alert.is_over

    def _take(self, stamped: StampedNotice) -> None:
        notice = stamped.notice
        if is_answered(notice, by=self.own_by):
            return
        is_own_kill = isinstance(notice, Killed) and notice.by == self.own_by
        self.machine.take(stamped, now_ns=self.clock(), is_own=is_own_kill)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _take_in(self) -> None:
        await self._load()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep())
            group.create_task(self._receive())

    async def _load(self) -> None:
        """Take up what a former process kept; waits for the ledger."""
        while self.chat:
            try:
                async with asyncio.timeout(ASK_S_MAX):
                    report = await self.facade.ask(GetKept(chat=self.chat))
            except (SyndicateError, TimeoutError) as error:
                _log.info("alerts wait for the ledger: %s", error)
                await asyncio.sleep(RETRY_S_MIN)
                continue
            kept = {one.name: one.value for one in report.states if one.value is not None}
            adopt(self.machine, kept)
            self._kept = kept
            break
        self.is_loaded.set()
        self._notify()

    async def _receive(self) -> None:
        backoff = Backoff(NOTICES, first_s=RETRY_S_MIN, longest_s=RETRY_S_MAX)
        while True:
            try:
                async for stamped in self.facade.notices(reader=self.reader):
                    backoff.reset()
                    # In one breath: what is kept of a notice is kept with its number.
                    self._taken_seq = stamped.seq
                    self._take(stamped)
            except SyndicateError as error:
                _log.warning("alerts stopped: %s", error)
            await asyncio.sleep(backoff.next_s())

    async def _tell(self, ask: Callable[..., Say | None]) -> None:
        while True:
            say = await self._next(ask)
            message_id = await self.deliver(self._telling(say))
            self.machine.told(say, message_id=message_id, now_ns=self.clock())
            self._notify()

    async def _pass_time(self) -> None:
        """Let the chains go on while both lanes wait for a chat that is away."""
        while True:
            self.machine.tick(now_ns=self.clock())
            await asyncio.sleep(self.look_s)

    async def _page(self, pager: Pager) -> None:
        """Send out what nobody acknowledges, each by itself; nothing waits for it."""
        under_way: set[str] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                changed = self._changed
                for alert in self.machine.pages():
                    if alert.fingerprint not in under_way:
                        under_way.add(alert.fingerprint)
                        group.create_task(self._page_one(pager, alert.fingerprint, under_way))
                await self._wait_for(changed)

    async def _page_one(self, pager: Pager, name: str, under_way: set[str]) -> None:
        """Send one alert out until all addresses took it, or it needs that no more."""
        backoff = Backoff(PAGES, first_s=pager.retry_s_min, longest_s=PAGE_RETRY_S_MAX)
        left, pages = list(pager.urls), 0
        while left:
            alert = self.machine.alerts.get(name)
            if alert is None or alert.pages_due <= alert.pages_sent:
                break
            pages = alert.pages_due
            left = await pager.send(alert, to=left, now_ns=self.clock())
            if left:
                await asyncio.sleep(backoff.next_s())
        else:
            backoff.reset()
            self.machine.paged(name, pages=pages)
        under_way.discard(name)
        self._notify()

    async def try_ways_out(self) -> tuple[list[str], list[str]]:
        """Send a trial out; return the services that took it, and those that did not."""
        names, arrived = [*self.beside], [way(TRIAL) for way in self.beside.values()]
        answers = await asyncio.gather(*arrived)
        took = [name for name, is_taken in zip(names, answers, strict=True) if is_taken]
        refused = [name for name in names if name not in took]
        if self.pager is not None:
            urls = self.pager.urls
            failed = await self.pager.send_screen(TRIAL, to=urls, is_over=True)
            took += [service_of(one) for one in urls if one not in failed]
            refused += map(service_of, failed)
        return took, refused

    def unacknowledged(self) -> str:
        """Say what is critical and nobody acknowledged; empty if nothing is."""
        firing = (one for one in self.machine.alerts.values() if is_running(one))
        return ", ".join(sorted(one.fingerprint for one in firing))

    async def _next(self, ask: Callable[..., Say | None]) -> Say:
        while True:
            changed = self._changed
            now_ns = self.clock()
            self.machine.tick(now_ns=now_ns)
            say = ask(now_ns=now_ns)
            if say is not None:
                return say
            await self._wait_for(changed)

    async def _wait_for(self, changed: asyncio.Event) -> None:
        """Wait for news, and not for long: only a look at the clock tells what time makes due."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.look_s):
                await changed.wait()

    def _telling(self, say: Say) -> Telling:
        now_ns = self.clock()
        if say.what == STORM and self.machine.storm is not None:
            screen, buttons = render_storm(self.machine.storm), ALL_ALERTS
        elif say.what == DAY:
            screen, buttons = render_day(self.machine.day, now_ns=now_ns), ALL_ALERTS
        else:
            alert = self.machine.alerts[say.what]
            screen, buttons = render_alert(alert, now_ns=now_ns), buttons_of_alert(alert)
        return Telling(
            screen,
            buttons=buttons,
            edits=say.edits,
            is_urgent=say.is_urgent,
            is_silent=say.is_silent,
        )

    async def _keep(self) -> None:
        """Keep what changed, for ever; while the ledger is away it is kept later."""
        backoff = Backoff(NOTICES, first_s=RETRY_S_MIN, longest_s=RETRY_S_MAX)
        while True:
            changed = self._changed
            states = encode(self.machine) if self.chat else {}
            seq = self._taken_seq
            news = _differences(self._kept, states)
            if news or seq > self._kept_seq:
                done = DoneNotices(reader=self.reader, seq=seq, chat=self.chat, states=tuple(news))
                try:
                    async with asyncio.timeout(ASK_S_MAX):
                        await self.facade.ask(done)
                except (SyndicateError, TimeoutError) as error:
                    _log.info("alerts are not kept yet: %s", error)
                    await asyncio.sleep(backoff.next_s())
                    continue
                backoff.reset()
                self._kept, self._kept_seq = states, seq
                continue
            await self._wait_for(changed)


_CHANGES: Final = (ModeChanged, LimitChanged, PlaceSwitched, FeeChanged)


def is_answered(notice: Notice, *, by: str) -> bool:
    """Say whether a notice tells of a change to who asked for it, and has the answer."""
    return isinstance(notice, _CHANGES) and notice.by == by


def make_alert_desk(
    facade: Facade,
    settings: FrontEndSettings,
    *,
    source: str,
    chat: str,
    own_by: str,
    deliver: Callable[[Telling], Awaitable[int | None]],
    clock: Callable[[], int],
    has_ways_out: bool = True,
) -> AlertDesk:
    """Make the desk of a chat, whose news are read as `source`.

    Without `has_ways_out` another desk sends out what nobody acknowledges.
    """
    return AlertDesk(
        facade=facade,
        machine=AlertMachine(
            zone=ZoneInfo(settings.time_zone),
            started_at_ns=clock(),
            group_wait_ns=int(settings.alert_group_wait_s * NS_PER_S),
            edit_ns=int(settings.alert_edit_s * NS_PER_S),
        ),
        reader=f"{source}-alerts",
        chat=chat,
        own_by=own_by,
        deliver=deliver,
        clock=clock,
        look_s=settings.alert_look_s,
        health_s=settings.health_s,
        pager=_make_pager(settings) if has_ways_out else None,
    )


def _make_pager(settings: FrontEndSettings) -> Pager | None:
    urls = settings.alert_urls
    return Pager(urls=urls, proxy=settings.outside_proxy) if urls else None


async def hear_news(news: "asyncio.Queue[RoleEnded]", desks: Sequence[AlertDesk]) -> None:
    """Take in news of roles that ended for good, for ever."""
    while True:
        one = await news.get()
        for desk in desks:
            desk.hear(
                RoleAway(
                    at_ns=desk.clock(),
                    basis=Basis.SANDBOX,
                    role=one.role,
                    why=one.why,
                    is_for_good=True,
                )
            )


async def ping(
    desk: AlertDesk, settings: FrontEndSettings, *, is_chat_well: Callable[[], bool]
) -> None:
    """Tell a watch outside, if there is one, that engine, ledger and chat are well."""
    if settings.ping_url is None:
        return
    from bot.ping import Pinger  # noqa: PLC0415 - the client costs memory that few need

    await Pinger(
        url=settings.ping_url,
        is_well=lambda: desk.health.is_well and is_chat_well(),
        fault=desk.unacknowledged,
        every_s=settings.ping_s,
        proxy=settings.outside_proxy,
    ).run()


def _differences(kept: dict[str, bytes], now: dict[str, bytes]) -> list[Kept]:
    """Return what is to be kept anew, and what is to be forgotten."""
    new = [Kept(name=name, value=one) for name, one in now.items() if kept.get(name) != one]
    return [*new, *(Kept(name=name, value=None) for name in kept if name not in now)]
