"""What lets more through takes a code where there is one; what waits is shown and cancelled."""

import asyncio

import pytest

from engine.domain.delays import Delayed
from engine.domain.modes import Mode
from engine.requests.presence import SignOfLife
from tests.bot.conftest import Chat
from tests.bot.fake_facade import CODE


@pytest.mark.parametrize(
    "line", ["/mode paper", "/limit position_usd 900", "/venue gemini on", "/fee gemini 12.5"]
)
async def test_the_second_step_is_the_same_line_with_a_code(chat: Chat, line: str) -> None:
    chat.facade.has_authenticator = True
    async with chat.start():
        asked = await chat.say(line)
        assert f"send {line} and its six digits" in asked
        assert not chat.facade.effects

        assert "wrong" in await chat.say(f"{line} 000000")
        assert not chat.facade.effects
        await chat.say(f"{line} {CODE}")

    assert chat.facade.effects == [line.removeprefix("/")]
    assert all(CODE not in text for text in chat.emulator.transcript())
    assert all(CODE.encode() not in raw for raw in chat.facade.inbox.values())


async def test_what_waits_is_in_the_status_and_one_tap_cancels_it(chat: Chat) -> None:
    now_ns = chat.clock()
    chat.facade.delayed = (
        Delayed(
            what="mode paper",
            by="me",
            asked_at_ns=now_ns,
            due_at_ns=now_ns + 540_000_000_000,
            mode=Mode.PAPER,
        ),
    )
    async with chat.start():
        assert "Waits: mode paper, in 9 m 0 s. /cancel stops it." in await chat.say("/status")
        await chat.tap("Cancel it")
        assert "Waits" not in await chat.say("/status")

    assert chat.facade.effects == ["cancel"]


async def test_an_unkill_without_a_code_shows_what_changed_and_clears_nothing(chat: Chat) -> None:
    async with chat.start():
        await chat.say("KILL")
        text = await chat.say("/unkill")

    assert "41 since" in text
    assert "$15,120.00, was $15,000.00" in text
    assert chat.facade.is_killed


async def test_whatever_the_operator_says_is_a_sign_of_life_and_nothing_waits_for_it(
    chat: Chat,
) -> None:
    gate = chat.facade.gates[SignOfLife] = asyncio.Event()
    async with chat.start():
        assert "Commit" in await chat.say("/version")
        await chat.facade.wait_until_entered(SignOfLife, 1)
        await chat.say("what?")
        gate.set()

    assert chat.facade.count(SignOfLife) == 1, "often enough"
