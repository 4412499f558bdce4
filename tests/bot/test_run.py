"""The entry point: which chat is served, and what it costs to start."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.telegram import introduction
from engine.domain.errors import FatalError
from tests.bot.conftest import Chat
from tests.patience import PATIENCE_S
from tests.telegram.emulator import TOKEN
from tests.telegram.faults import Fault, Kind

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import asyncio, sys, time
from bot.run import run
from engine.facade.front_end import FrontEndSettings
from tests.bot.fake_facade import FakeFacade

async def main():
    facade, stop = FakeFacade(), asyncio.Event()
    await run(facade, FrontEndSettings(), stop=stop, clock=time.time_ns)
    assert stop.is_set()

asyncio.run(main())
heavy = [name for name in ("matplotlib", "telegram", "httpx") if name in sys.modules]
print("loaded:", heavy)
"""


def test_without_a_token_a_pipe_is_served_and_its_end_ends_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input="/version\n/pause\nKILL\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=ROOT,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    for text in ("Syndicate 0.1.0", "Paused", "Killed"):
        assert text in ended.stdout
    assert "loaded: []" in ended.stdout, "the terminal needs no chat or chart library"
    assert ended.stderr == ""


async def test_a_token_that_is_refused_is_not_told_as_a_telegram_that_is_away(chat: Chat) -> None:
    told: list[str] = []
    with pytest.raises(FatalError):
        async with chat.start_with(
            tell_terminal=told.append, telegram_token=TOKEN[:-1] + "Z"
        ) as serving:
            await serving

    assert told == ["Telegram refuses the bot token so far; trying on"]


async def test_the_terminal_is_told_which_bot_to_write_to_and_whether_it_answers(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introduction, "RETRY_S", 0.01)
    told: list[str] = []
    chat.emulator.script("getMe", Fault(Kind.SERVER_ERROR), Fault(Kind.SERVER_ERROR))
    chat.emulator.script("setMyCommands", Fault(Kind.SERVER_ERROR))

    async with chat.start_with(tell_terminal=told.append):
        await chat.emulator.wait_until(lambda: chat.emulator.menu_button is not None)

    assert len(told) == 2
    assert told[0].startswith("Telegram does not answer yet (")
    assert told[1] == "Telegram answers: write /start to @syn_bot, https://t.me/syn_bot"
