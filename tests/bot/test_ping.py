"""A watch outside hears each minute that all is well, and at once what is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.ping import Pinger
from engine.facade.news import RoleEnded
from tests.bot.conftest import Chat
from tests.bot.receivers import Taken, http_receiver


@dataclass
class State:
    is_well: bool = True
    fault: str = ""


@asynccontextmanager
async def pinging(taken: Taken, state: State, *, every_s: float) -> AsyncIterator[None]:
    pinger = Pinger(
        url=f"http://{taken.address}/ping/uuid",
        is_well=lambda: state.is_well,
        fault=lambda: state.fault,
        every_s=every_s,
        look_s=0.005,
    )
    task = asyncio.create_task(pinger.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_says_that_it_starts_and_then_that_all_is_well() -> None:
    async with http_receiver() as taken, pinging(taken, State(), every_s=0.02):
        await taken.until(4)

    assert taken.paths()[:4] == ["/ping/uuid/start", *["/ping/uuid"] * 3]


async def test_it_is_silent_while_a_part_is_not_well() -> None:
    state = State(is_well=False)
    async with http_receiver() as taken, pinging(taken, state, every_s=0.001):
        await taken.until(1)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert taken.paths() == ["/ping/uuid/start"]
        state.is_well = True
        await taken.until(2)


async def test_a_fault_is_told_at_once_and_holds_up_what_is_well_until_it_is_seen() -> None:
    state = State()
    async with http_receiver() as taken, pinging(taken, state, every_s=30):
        await taken.until(2)
        state.fault = "killed"
        await taken.until(3)
        assert taken.calls[2] == ("/ping/uuid/fail", "killed")
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(taken.calls) == 3


async def test_a_fault_that_was_not_taken_is_told_again() -> None:
    state = State()
    async with http_receiver() as taken, pinging(taken, state, every_s=30):
        await taken.until(2)
        taken.refuses = 2
        state.fault = "killed"
        await taken.until(3)

    assert taken.paths()[2] == "/ping/uuid/fail"


def test_its_address_is_not_shown() -> None:
    pinger = Pinger(url="http://h/secret-uuid", is_well=bool, fault=str, every_s=1)

    assert "secret-uuid" not in repr(pinger)


async def test_a_chat_pings_only_while_engine_ledger_and_telegram_are_well(chat: Chat) -> None:
    async with (
        http_receiver() as taken,
        chat.start_with(ping_url=f"http://{taken.address}/u", ping_s=0.01, health_s=0.02),
    ):
        await chat.say("/start")
        await taken.until(3)
        chat.facade.is_ledger_away = True
        chat.news.put_nowait(RoleEnded("ledger", "no space left"))
        async with asyncio.timeout(20):
            while "/u/fail" not in taken.paths():
                await taken.until(len(taken.calls) + 1)

    assert taken.paths()[:2] == ["/u/start", "/u"]
    assert taken.calls[-1] == ("/u/fail", "away:ledger")


@pytest.mark.parametrize("part", ["engine", "ledger"])
async def test_a_part_that_is_away_ends_the_pings(chat: Chat, part: str) -> None:
    async with (
        http_receiver() as taken,
        chat.start_with(ping_url=f"http://{taken.address}/u", ping_s=0.01, health_s=0.02),
    ):
        await chat.say("/start")
        await taken.until(3)
        setattr(chat.facade, f"is_{part}_away", True)
        asked = chat.facade.asked
        for _ in range(2):  # looks
            before = len(asked)
            await chat.wait_until(lambda before=before: len(asked) >= before + 2)  # type: ignore[misc]
        count = len(taken.calls)
        chat.news.put_nowait(RoleEnded("sandbox", "test"))
        await taken.until(count + 1)

    assert taken.calls[count] == ("/u/fail", "away:sandbox")
