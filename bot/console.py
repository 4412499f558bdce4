"""The terminal chat: the same commands, without a phone.

Commands run one after another, so that answers stand in the order of the questions; a kill goes
ahead of whatever is under way.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, Final

from bot.alert_desk import hear_news, make_alert_desk, ping
from bot.answer import Answer, Chart, Theme
from bot.charts import ChartDrawer, ChartError
from bot.dispatch import Dispatcher, Invocation, read_line
from bot.files import FileError, write_file
from bot.news import News
from bot.notices import NoticeFeed
from bot.render.clean import clean
from bot.render.money import pnl_sparkline
from bot.render.plain import write_plain
from bot.render.screen import Screen, Text
from bot.render.troubles import render_busy, render_left
from bot.session import ChatSession, Choice, Shared, Turn
from bot.signs import give_signs
from bot.telling import Telling
from bot.terminal import PipeTerminal, Terminal
from bot.threads import Threads
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings

BY: Final = "terminal"
READER: Final = "terminal"

WAITING_MAX: Final = 1000
"""Lines that may wait for the one under way; later ones are refused with a word."""

_WELCOME = Screen(
    title="Syndicate", blocks=(Text("/help lists the commands, KILL stops, /quit leaves."),)
)


async def run_console(
    facade: Facade,
    settings: FrontEndSettings,
    *,
    stop: asyncio.Event,
    clock: Callable[[], int],
    terminal: Terminal | None = None,
    news: News | None = None,
) -> None:
    """Serve a person or a pipe until `stop` is set; the end of input or /quit sets it."""
    if terminal is None:
        is_person = settings.is_interactive and sys.stdin.isatty()
        terminal = _person(settings) if is_person else PipeTerminal(sys.stdin, sys.stdout)
    async with asyncio.TaskGroup() as group:
        console = Console(facade, settings, clock=clock, terminal=terminal, group=group)
        await console.serve(stop, news=asyncio.Queue() if news is None else news)


def _person(settings: FrontEndSettings) -> Terminal:
    from bot.prompt import PromptTerminal  # noqa: PLC0415 - a pipe need not pay for it

    return PromptTerminal(settings.history_path)


class Console:
    """What runs while the terminal is served."""

    def __init__(
        self,
        facade: Facade,
        settings: FrontEndSettings,
        *,
        clock: Callable[[], int],
        terminal: Terminal,
        group: asyncio.TaskGroup,
    ) -> None:
        self._facade = facade
        self._settings = settings
        self._clock = clock
        self._terminal = terminal
        self._group = group
        self._alerts = make_alert_desk(
            facade, settings, source=READER, chat=READER, own_by=BY, deliver=self._tell, clock=clock
        )
        self._session = ChatSession(
            Dispatcher(facade=facade, settings=settings, clock=clock, alerts=self._alerts),
            Shared(settings.confirm_s),
        )
        self._charts = ChartDrawer(settings.chart_cache_directory, Theme(settings.chart_theme))
        self._feed = NoticeFeed(
            facade=facade,
            reader=READER,
            opportunity_usd_min=settings.opportunity_notice_usd_min,
            deliver=self._tell,
            threads=Threads(""),
            alerts=self._alerts,
        )
        self._turns: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()
        self._offered: Answer | None = None

    async def serve(self, stop: asyncio.Event, *, news: News) -> None:
        """Open, wait for `stop`, close."""
        self._show(_WELCOME)
        tasks = [
            self._group.create_task(self._feed.run()),
            self._group.create_task(self._alerts.run()),
            self._group.create_task(self._give_signs()),
            self._group.create_task(hear_news(news, [self._alerts])),
            self._group.create_task(ping(self._alerts, self._settings, is_chat_well=lambda: True)),
            self._group.create_task(self._read(stop)),
        ]
        try:
            await stop.wait()
        finally:
            for task in [*tasks, *self._turns]:
                task.cancel()

    async def _give_signs(self) -> None:
        await give_signs(self._facade, lambda: 0.0, every_s=self._settings.sign_s)

    async def _read(self, stop: asyncio.Event) -> None:
        async for line in self._terminal.lines():
            text = line.strip()
            if not text:
                continue
            if text.casefold() in {"/quit", "/exit"}:
                break
            asked = read_line(text)
            turn = Turn(asked=asked, by=BY, epoch=self._session.epoch, given_at_ns=self._clock())
            if isinstance(asked, Invocation) and asked.is_kill:
                self._start(self._session.answer(turn, self._deliver))
            elif len(self._turns) < WAITING_MAX:
                self._start(self._take(text.casefold(), turn))
            else:
                self._show(render_busy(clean(text, limit=40)))
        while self._turns:
            await asyncio.wait(self._turns)
        stop.set()

    def _start(self, turn: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(turn)
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    async def _take(self, text: str, turn: Turn) -> None:
        async with self._in_order:
            offered, self._offered = self._offered, None
            if offered is not None and offered.confirmation and offered.nonce:
                action = offered.confirmation.action
                if text == "yes":
                    turn = replace(turn, asked=Choice(offered.nonce, is_yes=True))
                    await self._session.answer(turn, partial(self._deliver, action=action))
                    return
                self._show(render_left(action))
                if text == "no":
                    return
            await self._session.answer(turn, self._deliver)

    async def _deliver(self, answer: Answer | None, *, action: str = "") -> None:
        if answer is None:
            self._show(render_left(f"{action} came too late"))
            return
        screen = await self._with_files(answer)
        if answer.confirmation is not None:
            self._offered = answer
            hint = Text(f"Type yes within {self._settings.confirm_s} s; anything else leaves it.")
            screen = replace(screen, blocks=(*screen.blocks, hint))
        self._show(screen)

    async def _with_files(self, answer: Answer) -> Screen:
        """Write what a chat would attach, and say where it is."""
        blocks = list(answer.screen.blocks)
        if answer.chart is not None:
            if isinstance(answer.chart, Chart):
                blocks.append(pnl_sparkline(answer.chart.points))
            if self._settings.chart_directory is not None:
                try:
                    picture = await self._charts.draw(answer.chart, answer.theme)
                    path = await asyncio.to_thread(
                        write_file, self._settings.chart_directory, _file_name(answer), picture
                    )
                    blocks.append(Text(f"Chart: {path}"))
                except (ChartError, FileError) as error:
                    blocks.append(Text(f"No chart: {error}"))
        if answer.document is not None:
            blocks.append(Text(await self._export(answer.document.file_name, answer)))
        return replace(answer.screen, blocks=tuple(blocks))

    async def _export(self, file_name: str, answer: Answer) -> str:
        directory = self._settings.export_directory
        if directory is None:
            return "Nothing was written: no export directory is set."
        assert answer.document is not None
        try:
            path = await asyncio.to_thread(
                write_file, directory, file_name, answer.document.content
            )
        except FileError as error:
            return f"Nothing was written: {error}"
        return f"Written to {path}"

    async def _tell(self, telling: Telling) -> None:
        lines = [button.line for row in telling.buttons for button in row]
        hint = (Text(f"See {', '.join(lines)}"),) if lines else ()
        self._show(replace(telling.screen, blocks=(*telling.screen.blocks, *hint)))
        if telling.on_shown is not None:
            telling.on_shown()

    def _show(self, screen: Screen) -> None:
        self._terminal.write(write_plain(screen) + "\n")


def _file_name(answer: Answer) -> str:
    chart = answer.chart
    return "pnl.png" if chart is None or isinstance(chart, Chart) else f"{chart.name}.png"
