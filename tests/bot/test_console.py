"""The terminal chat: the same commands, confirmed by typing, with files instead of attachments."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.command_table import COMMANDS
from bot.commands import money
from bot.console import run_console
from bot.prompt import (
    KEPT_BYTES_MAX,
    CommandCompleter,
    PromptTerminal,
    is_kept,
    open_history,
)
from bot.terminal import PipeTerminal
from engine.bus.command import seal
from engine.bus.reports import ExportReport
from engine.domain.modes import Mode
from engine.facade.front_end import FrontEndSettings
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill, Resume
from tests.bot import samples
from tests.bot.conftest import Clock
from tests.bot.fake_facade import CODE, FakeFacade
from tests.bot.test_commands_end_to_end import EXAMPLES
from tests.patience import PATIENCE_S


class Screenplay:
    """A terminal whose lines a test types one by one."""

    def __init__(self) -> None:
        self.typed: asyncio.Queue[str | None] = asyncio.Queue()
        self.shown = ""
        self._changed = asyncio.Event()

    async def lines(self) -> AsyncIterator[str]:
        while (line := await self.typed.get()) is not None:
            yield line

    def write(self, text: str) -> None:
        self.shown += text + "\n"
        self._changed.set()
        self._changed = asyncio.Event()

    async def type(self, line: str, *, until: str) -> None:
        start = len(self.shown)
        self.typed.put_nowait(line)
        async with asyncio.timeout(PATIENCE_S):
            while until not in self.shown[start:]:
                await self._changed.wait()


@pytest.fixture
def facade() -> FakeFacade:
    return FakeFacade()


SETTINGS = FrontEndSettings(
    is_interactive=False, ask_s=5.0, alert_group_wait_s=0.0, alert_look_s=0.02
)


async def run_script(
    facade: FakeFacade, lines: list[str], settings: FrontEndSettings = SETTINGS
) -> str:
    """Pipe lines in, run to the end of input, return what was written."""
    written = io.StringIO()
    terminal = PipeTerminal(io.StringIO("".join(line + "\n" for line in lines)), written)
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE_S):
        await run_console(facade, settings, stop=stop, clock=Clock(), terminal=terminal)
    assert stop.is_set(), "the end of input ends the program"
    return written.getvalue()


@pytest.mark.parametrize("name", [entry.name for entry in COMMANDS])
async def test_every_command_of_the_table_answers(facade: FakeFacade, name: str) -> None:
    line, expected = EXAMPLES[name]
    assert expected in await run_script(facade, [line])


async def test_answers_stand_in_the_order_of_the_questions(facade: FakeFacade) -> None:
    text = await run_script(facade, ["/version", "/limits", "", "nonsense", "/trades"])
    places = [text.index(word) for word in ("Commit", "Limits", "“nonsense”", "Trades")]
    assert places == sorted(places)


async def test_yes_confirms_the_second_step(facade: FakeFacade) -> None:
    await run_script(facade, ["/mode paper", "yes", "/resume", "YES"])
    assert facade.mode is Mode.PAPER
    assert facade.effects == ["mode paper", "resume"]


@pytest.mark.parametrize("answer", ["no", "y", "yes please", "/status", "ja"])
async def test_anything_but_yes_leaves_it(facade: FakeFacade, answer: str) -> None:
    text = await run_script(facade, ["/resume", answer, "yes"])
    assert facade.count(Resume) == 0
    assert "Left as it is" in text


async def test_a_second_step_expires(facade: FakeFacade) -> None:
    play, stop, clock = Screenplay(), asyncio.Event(), Clock()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_console(facade, SETTINGS, stop=stop, clock=clock, terminal=play))
        await play.type("/resume", until="Type yes within 60 s")
        clock.advance(61)
        await play.type("yes", until="came too late")
        stop.set()
    assert facade.count(Resume) == 0


async def test_a_kill_overtakes_a_command_under_way_and_voids_what_waits(
    facade: FakeFacade,
) -> None:
    await facade.ask(seal(Kill(why="first"), by="file", at_ns=0))
    gate = facade.gates[GetStatus] = asyncio.Event()
    play, stop = Screenplay(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_console(facade, SETTINGS, stop=stop, clock=Clock(), terminal=play))
        play.typed.put_nowait("/status")
        play.typed.put_nowait(f"/unkill {CODE}")
        await facade.wait_until_entered(GetStatus, 1)
        await play.type("KILL", until="Killed")
        gate.set()
        await play.type("/version", until="Commit")
        play.typed.put_nowait(None)
    assert facade.is_killed
    assert "A kill came after it" in play.shown


async def test_notices_are_shown_and_confirmed(facade: FakeFacade) -> None:
    for notice in samples.all_notices()[:4]:
        facade.tell(notice)
    play, stop = Screenplay(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_console(facade, SETTINGS, stop=stop, clock=Clock(), terminal=play))
        async with asyncio.timeout(PATIENCE_S):
            while not ("gemini is back" in play.shown and "#4 " in play.shown):
                await play._changed.wait()
        stop.set()
    assert facade.delivered == {"terminal": 4, "terminal-alerts": 4}


async def test_export_writes_the_file_and_says_where(facade: FakeFacade, tmp_path: Path) -> None:
    facade.export = ExportReport(file_name="../../etc/trades.csv", content=b"id\r\n1\r\n", rows=1)
    text = await run_script(
        facade, ["/export trades"], replace(SETTINGS, export_directory=tmp_path / "out")
    )
    path = tmp_path / "out" / "trades.csv"
    assert path.read_bytes() == facade.export.content
    assert str(path) in text
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["trades.csv"]


async def test_an_export_that_cannot_be_written_says_why(
    facade: FakeFacade, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    settings = replace(SETTINGS, export_directory=blocked)
    assert "Nothing was written" in await run_script(facade, ["/export trades"], settings)
    assert "no export directory is set" in await run_script(facade, ["/export trades"])


async def test_pnl_has_a_sparkline_and_a_picture_where_a_directory_is_given(
    facade: FakeFacade, tmp_path: Path
) -> None:
    text = await run_script(facade, ["/pnl"], replace(SETTINGS, chart_directory=tmp_path))
    assert "▁" in text
    assert "█" in text
    assert (tmp_path / "pnl.png").read_bytes().startswith(b"\x89PNG")


async def test_quit_ends_before_the_end_of_input(facade: FakeFacade) -> None:
    text = await run_script(facade, ["/version", "/quit", "/pause"])
    assert "Commit" in text
    assert facade.effects == []


async def test_stop_ends_it_while_a_read_is_blocked(facade: FakeFacade) -> None:
    play, stop = Screenplay(), asyncio.Event()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(run_console(facade, SETTINGS, stop=stop, clock=Clock(), terminal=play))
        await play.type("/version", until="Commit")
        stop.set()


class Screen(DummyOutput):
    """What a terminal was told to show."""

    def __init__(self) -> None:
        self.shown = ""

    def write(self, data: str) -> None:
        self.shown += data

    def write_raw(self, data: str) -> None:
        self.shown += data


@asynccontextmanager
async def person(facade: FakeFacade) -> AsyncIterator[tuple[PipeInput, Screen, asyncio.Event]]:
    """A person at a prompt that is served: keys, screen, and an event that the end sets."""
    stop, screen = asyncio.Event(), Screen()
    with create_pipe_input() as keys, create_app_session(input=keys, output=screen):
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            group.create_task(
                run_console(facade, SETTINGS, stop=stop, clock=Clock(), terminal=PromptTerminal())
            )
            yield keys, screen, stop


async def test_a_person_at_a_prompt_is_served(facade: FakeFacade) -> None:
    async with person(facade) as (keys, _, stop):
        keys.send_text("/pause\r")
        while facade.effects != ["pause"]:
            await facade._changed.wait()
        keys.send_text("\x04")
    assert stop.is_set()


async def test_ctrl_c_clears_a_half_typed_line(facade: FakeFacade) -> None:
    async with person(facade) as (keys, _, stop):
        keys.send_text("/mode pa\x03/mo\x03/pause\r")
        while facade.effects != ["pause"]:
            await facade._changed.wait()
        assert not stop.is_set()
        keys.send_text("\x04")


async def test_ctrl_c_twice_on_an_empty_line_ends(facade: FakeFacade) -> None:
    async with person(facade) as (keys, screen, stop):
        keys.send_text("\x03/pause\r")
        while facade.effects != ["pause"]:
            await facade._changed.wait()
        assert not stop.is_set()
        keys.send_text("/half\x03\x03")
    assert stop.is_set()
    assert "Ctrl-C once more" in screen.shown


def completions(text: str) -> list[str]:
    found = CommandCompleter().get_completions(Document(text), CompleteEvent())
    return [completion.text for completion in found]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("/chart e", ["equity", "expected"]),
        ("/chart equity d", ["dark"]),
        ("/export trades x", ["xlsx"]),
        ("/performance pair p", ["paper"]),
        ("/help saf", ["safety"]),
        ("/status x", []),
        ("/nothing x", []),
    ],
)
def test_arguments_are_completed_where_they_may_stand(text: str, offered: list[str]) -> None:
    assert completions(text) == offered


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("/status", True),
        ("/trades 3", True),
        ("/kill it looks wrong", True),
        (f"/unkill {CODE}", False),
        (f"/mode paper {CODE}", False),
        (CODE, False),
        ("hello", False),
    ],
)
def test_no_line_with_a_code_is_kept(line: str, *, kept: bool) -> None:
    assert is_kept(line) is kept


def test_what_was_typed_is_there_in_the_next_session_for_this_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "history"
    for line in ("/status", f"/unkill {CODE}", "/pnl 7"):
        open_history(path).append_string(line)

    later = [*open_history(path).load_history_strings()]

    assert later == ["/pnl 7", "/status"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_long_history_keeps_its_newer_half_whole(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = open_history(path)
    for number in range(KEPT_BYTES_MAX // 30):
        history.append_string(f"/pnl {number % 365 + 1}")
    history.append_string("/trades 7")

    later = [*open_history(path).load_history_strings()]

    assert path.stat().st_size <= KEPT_BYTES_MAX // 2 + 1
    assert later[0] == "/trades 7"
    assert all(is_kept(line) for line in later)


def test_a_history_that_cannot_be_written_is_kept_in_memory(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")

    history = open_history(blocked / "history")
    history.append_string("/status")

    assert history.get_strings() == ["/status"]


def test_a_pipe_does_not_load_the_library_of_a_prompt() -> None:
    code = "import sys, bot.console; print('prompt_toolkit' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"


async def test_the_end_of_an_input_without_a_command_is_told(facade: FakeFacade) -> None:
    assert "nobody is at this terminal" in await run_script(facade, [])
    assert "nobody is at this terminal" not in await run_script(facade, ["/status"])


class Gone(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


async def test_the_chat_ends_when_nobody_reads_its_answers(facade: FakeFacade) -> None:
    reading, writing = os.pipe()  # a person who never types
    stop = asyncio.Event()

    with os.fdopen(reading) as source, os.fdopen(writing, "w"):
        async with asyncio.timeout(PATIENCE_S):
            terminal = PipeTerminal(source, Gone())
            await run_console(facade, SETTINGS, stop=stop, clock=Clock(), terminal=terminal)

    assert stop.is_set()


class Full(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


async def test_a_full_disk_under_the_answers_keeps_commands_working(facade: FakeFacade) -> None:
    terminal = PipeTerminal(io.StringIO("kill\n"), Full())
    stop = asyncio.Event()

    async with asyncio.timeout(PATIENCE_S):
        await run_console(facade, SETTINGS, stop=stop, clock=Clock(), terminal=terminal)

    assert any(isinstance(command, Kill) for command in facade.asked)


def test_commands_and_choices_are_completed_from_the_table() -> None:
    assert completions("/st") == ["/start", "/status"]
    assert completions("") == [f"/{entry.name}" for entry in COMMANDS]
    assert completions("/mode p") == ["paper"]
    assert completions("/export ") == list(money.EXPORT.grammar[0].choices)
    assert completions("/trades ") == []
