"""The terminal chat: the same commands, without a phone.

Commands run one after another, so that answers stand in the order of the questions; a kill goes
ahead of whatever is under way.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bot.answer import Answer, Chart, Confirmation, Heatmap, Waterfall
from bot.charts import ChartDrawer, ChartError
from bot.command import Kind
from bot.dispatch import Dispatcher, Invocation, Refused, read_line
from bot.files import FileError, write_file
from bot.news import News, tell_news
from bot.notices import NoticeFeed, Telling
from bot.render.clean import clean
from bot.render.money import pnl_sparkline
from bot.render.plain import write_plain
from bot.render.screen import Screen, Text
from bot.render.troubles import render_busy, render_left, render_voided
from bot.terminal import PipeTerminal, PromptTerminal, Terminal
from bot.threads import Threads
from engine.bus.command import seal
from engine.domain.errors import SyndicateError
from engine.domain.units import NS_PER_S
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.requests.safety import Kill

_log = logging.getLogger(__name__)

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
        terminal = PromptTerminal() if is_person else PipeTerminal(sys.stdin, sys.stdout)
    async with asyncio.TaskGroup() as group:
        console = Console(facade, settings, clock=clock, terminal=terminal, group=group)
        await console.serve(stop, news=asyncio.Queue() if news is None else news)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    epoch: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class _Pending:
    confirmation: Confirmation
    expires_at_ns: int
    epoch: int


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
        self._settings = settings
        self._clock = clock
        self._terminal = terminal
        self._group = group
        self._dispatcher = Dispatcher(facade=facade, settings=settings, clock=clock)
        self._charts = ChartDrawer(settings.chart_cache_directory)
        self._feed = NoticeFeed(
            facade=facade,
            reader=READER,
            opportunity_usd_min=settings.opportunity_notice_usd_min,
            own_by=BY,
            deliver=self._tell,
            threads=Threads(""),
        )
        self._waiting: asyncio.Queue[_Line] = asyncio.Queue(maxsize=WAITING_MAX)
        self._pending: _Pending | None = None
        self._epoch = 0
        self._kills: set[asyncio.Task[None]] = set()

    async def serve(self, stop: asyncio.Event, *, news: News) -> None:
        """Open, wait for `stop`, close."""
        self._show(_WELCOME)
        tasks = [
            self._group.create_task(self._feed.run()),
            self._group.create_task(tell_news(news, self._show)),
            self._group.create_task(self._work()),
            self._group.create_task(self._read(stop)),
        ]
        try:
            await stop.wait()
        finally:
            for task in [*tasks, *self._kills]:
                task.cancel()

    async def _read(self, stop: asyncio.Event) -> None:
        async for line in self._terminal.lines():
            text = line.strip()
            if not text:
                continue
            if text.casefold() in {"/quit", "/exit"}:
                break
            asked = read_line(text)
            if isinstance(asked, Invocation) and asked.is_kill:
                self._start_kill(asked)
                continue
            try:
                self._waiting.put_nowait(_Line(text, self._epoch, self._clock()))
            except asyncio.QueueFull:
                self._show(render_busy(clean(text, limit=40)))
        await self._waiting.join()
        await asyncio.gather(*self._kills)
        stop.set()

    def _start_kill(self, invocation: Invocation) -> None:
        self._epoch += 1
        kill = self._group.create_task(self._answer(invocation))
        self._kills.add(kill)
        kill.add_done_callback(self._kills.discard)

    async def _work(self) -> None:
        while True:
            line = await self._waiting.get()
            try:
                await self._carry_out(line)
            finally:
                self._waiting.task_done()

    async def _carry_out(self, line: _Line) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            if line.text.casefold() == "yes":
                await self._confirm(pending)
                return
            self._show(render_left(pending.confirmation.action))
            if line.text.casefold() == "no":
                return
        asked = read_line(line.text)
        if isinstance(asked, Refused):
            self._show(asked.answer.screen)
        elif asked.kind is Kind.CHANGE and line.epoch != self._epoch:
            self._show(render_voided(asked.shown))
        else:
            await self._answer(asked, given_at_ns=line.at_ns)
            if asked.kind is Kind.CHANGE:
                await self._assert_kill_again(line.epoch)

    async def _answer(self, invocation: Invocation, *, given_at_ns: int | None = None) -> None:
        answer = await self._dispatcher.carry_out(invocation, by=BY, given_at_ns=given_at_ns)
        screen = await self._with_files(answer)
        if answer.confirmation is not None:
            seconds = self._settings.confirm_s
            self._pending = _Pending(
                answer.confirmation, self._clock() + seconds * NS_PER_S, self._epoch
            )
            hint = Text(f"Type yes within {seconds} s; anything else leaves it.")
            screen = replace(screen, blocks=(*screen.blocks, hint))
        self._show(screen)

    async def _confirm(self, pending: _Pending) -> None:
        left_ns = pending.expires_at_ns - self._clock()
        is_late = not 0 < left_ns <= self._settings.confirm_s * NS_PER_S
        if is_late or pending.epoch != self._epoch:
            self._show(render_left(f"{pending.confirmation.action} came too late"))
            return
        answer = await self._dispatcher.confirm(pending.confirmation)
        self._show(answer.screen)
        await self._assert_kill_again(pending.epoch)

    async def _assert_kill_again(self, epoch: int) -> None:
        """Kill once more where a kill came while a loosening command was under way."""
        if epoch == self._epoch:
            return
        why = "a kill came while a command was under way"
        try:
            await self._dispatcher.ask(seal(Kill(why=why), by=BY, at_ns=self._clock()))
        except SyndicateError as error:
            _log.warning("the repeated kill was not confirmed: %s", error)

    async def _with_files(self, answer: Answer) -> Screen:
        """Write what a chat would attach, and say where it is."""
        blocks = list(answer.screen.blocks)
        if answer.chart is not None:
            if isinstance(answer.chart, Chart):
                blocks.append(pnl_sparkline(answer.chart.points))
            if self._settings.chart_directory is not None:
                try:
                    picture = await self._charts.draw(answer.chart)
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

    def _show(self, screen: Screen) -> None:
        self._terminal.write(write_plain(screen) + "\n")


def _file_name(answer: Answer) -> str:
    chart = answer.chart
    return f"{chart.name}.png" if isinstance(chart, (Heatmap, Waterfall)) else "pnl.png"
