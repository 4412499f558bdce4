"""The pager: a second bot that kills when the first cannot, tells what is grave, and no more."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from bot.render.pager import (
    Trouble,
    render_main_back,
    render_only_protective,
    render_pager_conflict,
    render_pager_refused,
    render_pager_start,
    render_trouble,
)
from bot.render.pages import make_pages
from bot.render.screen import Screen
from bot.render.troubles import render_webhook_trouble
from engine.bus.notices import LooseningCancelled, LooseningWaits
from engine.domain.errors import FatalError
from engine.domain.modes import Basis
from engine.requests.alerts import ActOnAlerts
from engine.requests.safety import CancelDelayed, Kill, Pause, Resume
from tests.bot import samples
from tests.bot.alerts.makers import lost, unkilled
from tests.bot.conftest import Chat
from tests.bot.fake_facade import CODE
from tests.bot.test_alerts_in_chat import chat_state
from tests.bot.test_durable_inbox import crash
from tests.patience import PATIENCE_S
from tests.telegram.emulator import TelegramEmulator
from tests.telegram.faults import Fault, Kind

PAGER_ID = 888_000_222
PAGER_TOKEN = f"{PAGER_ID}:AAP-emulated_token_of_thirtyfive_ch"
SOURCE = f"pager-{PAGER_ID}"


class Paged:
    """A chat with a pager beside it."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.pager = chat.emulator.with_bot(PAGER_TOKEN)

    def start(self, **changes: Any) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        changes = {"telegram_pager_token": PAGER_TOKEN, "send_s": 0.5, **changes}
        return self.chat.start_with(**changes)

    async def say(self, text: str) -> str:
        """Write to the pager and return its answer."""
        return await said(self.pager, text)


async def said(bot: TelegramEmulator, text: str) -> str:
    before = len(bot.transcript())
    bot.person_writes(text)
    await bot.wait_until(lambda: len(bot.transcript()) > before)
    return "\n".join(bot.transcript()[before:])


async def told(bot: TelegramEmulator, text: str) -> list[list[str]]:
    """Wait until a bot has said something; returns the labels of its buttons."""
    await bot.wait_until(lambda: any(text in one for one in bot.transcript()))
    entry = next(one for one in reversed(bot.chats.from_bot()) if text in one.text)
    return [[button["text"] for button in row] for row in entry.buttons]


@pytest.fixture
def paged(chat: Chat) -> Paged:
    return Paged(chat)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Kind.HANG, "KILL"),
        (Kind.TOO_MANY, "/kill"),
        (Kind.SERVER_ERROR, "kill it"),
        (Kind.CUT, "/k"),
    ],
)
async def test_a_kill_by_the_pager_is_latched_while_nothing_of_the_main_bot_works(
    paged: Paged, kind: Kind, line: str
) -> None:
    chat = paged.chat
    async with paged.start():
        await chat.say("/version")
        for method in ("getUpdates", "sendMessage", "getMe", "setMyCommands"):
            chat.emulator.script(method, *[Fault(kind, retry_after_s=600)] * 500)
        chat.emulator.person_writes("/kill")  # does not arrive
        chat.emulator.person_writes("/status")
        assert "Killed" in await paged.say(line)
        chat.emulator.forget_faults()

    kill = next(one for one in chat.facade.asked if isinstance(one, Kill))
    assert chat.facade.is_killed
    assert kill.sealed.by == f"telegram:{4242}", "the same person as in the main chat"


async def test_updates_of_two_bots_are_told_apart_though_they_have_the_same_number(
    paged: Paged,
) -> None:
    chat = paged.chat
    async with paged.start():
        first = chat.emulator.person_writes("/pause")
        second = paged.pager.person_writes("/pause")
        assert first == second
        await told(chat.emulator, "Paused")
        await told(paged.pager, "Paused")
        await chat.wait_until(lambda: second in chat.facade.box(SOURCE)[1])

    ids = {one.envelope and one.envelope.id for one in chat.facade.asked if isinstance(one, Pause)}
    assert len(ids) == 2
    assert first in chat.facade.inbox


@pytest.mark.parametrize(
    "line",
    ["/resume", "/mode paper", f"/unkill {CODE}", "/trades", "/limit position_usd 900",
     "/mute venue 2h", "/quiet 23-07", "/mode", "/export trades"],
)  # fmt: skip
async def test_what_does_not_protect_is_refused_with_what_works(paged: Paged, line: str) -> None:
    async with paged.start():
        text = await paged.say(line)

    assert f"Not done: {line.replace(CODE, '').strip()}" in text
    assert "/kill, /pause, /cancel, /ack and /status work" in text
    assert paged.chat.facade.effects == []
    assert paged.chat.facade.count(ActOnAlerts) == 0
    assert CODE not in text


async def test_its_answers_have_no_button_that_it_refuses(paged: Paged) -> None:
    async with paged.start():
        await paged.chat.say("/version")
        for line in ("/start", "/pause", "/status", "/trades", "/kil", "/kill"):
            await paged.say(line)

    labels = {b["text"] for one in paged.pager.chats.from_bot() for row in one.buttons for b in row}
    assert labels - {"Refresh", "‹ Back", "2/2 ›"} == {"KILL", "Pause", "Overview"}


async def test_its_buttons_work(paged: Paged) -> None:
    chat = paged.chat
    async with paged.start():
        await paged.say("/start")
        paged.pager.person_taps("Pause")
        await told(paged.pager, "Paused")
        paged.pager.person_taps("KILL")
        await told(paged.pager, "Killed")
        entry = paged.pager.chats.from_bot()[0]
        for payload in ("m:/resume", "s:1:/trades", "c:nonce:y", "m:/unkill 123456"):
            paged.pager.tap_raw(entry, payload)
        await paged.pager.wait_until(lambda: len(paged.pager.tap_answers) == 6)

    assert chat.facade.effects == ["pause", "kill asked by the operator"]
    assert chat.facade.count(Resume) == 0


async def test_a_kill_by_the_pager_voids_second_steps_of_the_main_chat(paged: Paged) -> None:
    chat = paged.chat
    async with paged.start():
        await chat.say("/resume")
        await paged.say("/kill")
        await chat.tap("Resume")

    assert chat.facade.count(Resume) == 0
    assert "too late" in chat.emulator.tap_answers[-1]["text"]


async def test_strangers_are_not_heard_by_the_pager(paged: Paged) -> None:
    async with paged.start():
        await paged.chat.say("/version")
        paged.pager.person_writes("/kill", person_id=666)
        paged.pager.person_writes("/kill", fields={"forward_origin": {
            "type": "user", "date": 1, "sender_user": paged.pager.person(666)}})  # fmt: skip
        await paged.say("/status")

    assert not paged.chat.facade.is_killed
    assert len(paged.pager.transcript()) == 1


async def test_what_a_former_process_left_is_carried_out_once(paged: Paged) -> None:
    chat = paged.chat
    chat.facade.gates[Pause] = asyncio.Event()
    async with paged.start() as serving:
        paged.pager.person_writes("/pause")
        await chat.facade.wait_until_entered(Pause, 1)
        await crash(serving)
    del chat.facade.gates[Pause]

    async with paged.start():
        await told(paged.pager, "Paused")
        await chat.wait_until(lambda: chat.facade.undone(SOURCE) == [])

    assert chat.facade.effects == ["pause"]


async def test_a_main_token_that_is_revoked_is_told_and_ends_nothing(paged: Paged) -> None:
    chat = paged.chat
    token = chat.emulator.token
    async with paged.start(token_refusals_max=2) as serving:
        await chat.say("/version")
        await paged.say("/start")
        chat.emulator.token = "777000111:revoked"
        rows = await told(paged.pager, "Telegram refuses the main bot's token")
        assert rows == [["KILL", "Pause", "Overview"]]
        assert "Observe: running" in await paged.say("/status")
        assert "Killed" in await paged.say("/kill")
        assert not serving.done()
        chat.emulator.token = token
        await told(paged.pager, "The main bot works again")
        assert "Commit" in await chat.say("/version")


async def test_a_main_token_that_was_never_right_ends_nothing_either(paged: Paged) -> None:
    lines: list[str] = []
    paged.chat.emulator.token = "777000111:another"
    paged.pager.person_writes("/start")
    async with paged.start(tell_terminal=lines.append):
        await told(paged.pager, "Telegram refuses the main bot's token")
        assert "Killed" in await paged.say("/kill")

    assert any("TELEGRAM_BOT_TOKEN" in line and "the pager goes on" in line for line in lines)


async def test_it_ends_once_both_tokens_are_refused(paged: Paged) -> None:
    async def revoke_both() -> None:
        async with paged.start(token_refusals_max=2) as serving:
            await paged.chat.say("/version")
            paged.chat.emulator.token = "777000111:revoked"
            paged.pager.token = f"{PAGER_ID}:revoked"
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.wait({serving})

    with pytest.raises(FatalError, match="TELEGRAM_BOT_TOKEN"):
        await revoke_both()


async def test_a_pager_that_is_refused_is_told_in_the_main_chat_and_ends_nothing(
    paged: Paged,
) -> None:
    chat = paged.chat
    paged.pager.token = f"{PAGER_ID}:another"
    chat.emulator.person_writes("/version")
    async with paged.start():
        rows = await told(chat.emulator, "Telegram refuses the pager's token")
        assert rows == [["Status"]]
        assert "Killed" in await chat.say("/kill")


async def test_who_holds_the_pagers_token_too_is_told_in_the_main_chat(paged: Paged) -> None:
    chat = paged.chat
    async with paged.start():
        await chat.say("/version")
        await paged.pager._set_webhook({"url": "https://thief.example.org/"})
        await told(chat.emulator, "Another program uses the pager's token")
        assert "Paused" in await paged.say("/pause")


async def test_who_holds_the_main_token_too_is_told_by_the_pager(paged: Paged) -> None:
    chat = paged.chat
    async with paged.start(conflict_s=0.6):
        await chat.say("/version")
        await paged.say("/start")
        chat.emulator.script("getUpdates", Fault(Kind.CONFLICT))
        await told(paged.pager, "Another program uses the main bot's token")
        await told(paged.pager, "The main bot works again")


async def test_a_main_bot_that_reaches_nobody_is_told_by_the_pager(paged: Paged) -> None:
    chat = paged.chat
    async with paged.start(blind_s=1.2):
        await chat.say("/version")
        await paged.say("/start")
        chat.emulator.script("getUpdates", *[Fault(Kind.SERVER_ERROR)] * 500)
        await told(paged.pager, "The main bot has not reached you")
        chat.emulator.forget_faults()
        await told(paged.pager, "The main bot works again")


async def test_a_critical_alert_comes_to_the_pager_with_its_second_repeat_until_acknowledged(
    paged: Paged,
) -> None:
    chat, pager = paged.chat, paged.pager

    def count() -> int:
        return sum("KILLED" in text for text in pager.transcript())

    async with paged.start():
        await chat.say("/version")
        await paged.say("/start")
        chat.facade.tell(samples.killed())
        await chat.wait_until(lambda: b'"is_told":true' in chat_state(chat, "alert/killed"))
        for seconds in (61, 60):
            assert count() == 0
            before = len(chat.emulator.transcript())
            chat.clock.advance(seconds)
            await chat.emulator.wait_until(lambda n=before: len(chat.emulator.transcript()) > n)  # type: ignore[misc]
        assert await told(pager, "KILLED") == [["Ack"], ["KILL", "Pause", "Overview"]]
        chat.clock.advance(180)
        await pager.wait_until(lambda: count() == 2)
        pager.person_taps("Ack")
        await told(pager, "Acknowledged: killed")
        chat.clock.advance(3_600)
        await paged.say("/status")
        assert count() == 2
        chat.facade.tell(unkilled())
        await told(chat.emulator, "Over: KILLED")


async def test_the_pager_tells_a_critical_alert_that_the_main_bot_cannot_and_its_end(
    paged: Paged,
) -> None:
    chat, pager = paged.chat, paged.pager
    async with paged.start():
        await chat.say("/version")
        await paged.say("/start")
        chat.emulator.script("sendMessage", *[Fault(Kind.TOO_MANY, retry_after_s=600)] * 500)
        chat.facade.tell(lost(), samples.killed())
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram-alerts") == 2)
        chat.clock.advance(61)
        await told(pager, "KILLED")
        chat.facade.tell(unkilled())
        await told(pager, "Over: KILLED")

    assert pager.chats.from_bot()[-1].is_silent


async def test_a_trial_of_the_ways_out_tries_the_pager_and_says_whether_it_arrived(
    paged: Paged,
) -> None:
    async with paged.start():
        await paged.say("/start")  # no bot writes first
        assert "Taken by the pager bot" in await paged.chat.say("/alerts test")
        paged.pager.script("sendMessage", *[Fault(Kind.SERVER_ERROR)] * 20)
        failed = await paged.chat.say("/alerts test")

    assert any("trial" in text.lower() for text in paged.pager.transcript())
    assert "NOT taken by the pager bot" in failed


async def test_what_waits_can_be_cancelled_on_the_pager_and_is_told_there_once(
    paged: Paged,
) -> None:
    chat, pager = paged.chat, paged.pager
    at_ns = chat.clock.now_ns

    def waits(at_ns: int) -> LooseningWaits:
        return LooseningWaits(
            at_ns=at_ns,
            basis=Basis.SANDBOX,
            what="mode approve",
            due_at_ns=at_ns + 600 * 10**9,
            by="telegram:4242",
        )

    async with paged.start():
        await paged.chat.say("/version")
        await paged.say("/start")
        chat.facade.tell(
            waits(at_ns - 10**9),
            LooseningCancelled(at_ns=at_ns - 1, basis=Basis.SANDBOX, what="mode approve", why="x"),
        )
        chat.facade.tell(waits(at_ns))
        assert await told(pager, "mode approve") == [["Cancel it"], ["KILL", "Pause", "Overview"]]
        pager.person_taps("Cancel it")
        await chat.wait_until(lambda: chat.facade.count(CancelDelayed) == 1)
        await told(pager, "cancelled")

    assert chat.facade.effects == ["cancel"]
    told_of = [text for text in pager.transcript() if "mode approve" in text]
    assert len(told_of) == 1, "what was cancelled before is told as waiting no more"


@pytest.mark.parametrize(
    "screen",
    [
        render_pager_start(),
        render_only_protective("/limit position_usd 900"),
        *(render_trouble(one, blind_s=3_661.0) for one in Trouble),
        render_main_back(),
        render_pager_refused(),
        render_pager_conflict(),
        render_webhook_trouble("Telegram cannot post to it: Connection refused"),
    ],
    ids=lambda screen: screen.title,
)
def test_its_screens_fit_a_phone(screen: Screen) -> None:
    assert len(make_pages(screen)) == 1
