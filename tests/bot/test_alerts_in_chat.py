"""Alerts in the chat: buttons, commands, restarts, a chat and a ledger that are away."""

from typing import Any

from msgspec.structs import replace

from bot.notice_buttons import buttons_of
from engine.facade.news import RoleEnded
from engine.requests.alerts import ActOnAlerts
from tests.bot import samples
from tests.bot.alerts.makers import back, limit, lost, unkilled
from tests.bot.conftest import Chat
from tests.telegram.chats import Entry


async def told(chat: Chat, text: str) -> Entry:
    """Wait until the newest message that has a text is there."""
    found: list[Entry] = []

    def is_told() -> bool:
        found[:] = [one for one in chat.emulator.chats.from_bot() if text in one.text]
        return bool(found)

    await chat.emulator.wait_until(is_told)
    return found[-1]


def labels(entry: Entry) -> list[list[str]]:
    return [[button["text"] for button in row] for row in entry.buttons]


async def test_an_alert_is_one_message_from_its_firing_to_its_end(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(lost())
        fired = await told(chat, "gemini is out")
        assert labels(fired) == [["Ack", "1 h", "4 h"], ["Venues", "Venue off"]]
        chat.facade.tell(lost(), lost())
        await told(chat, "\N{MULTIPLICATION SIGN}3, last")
        chat.facade.tell(back())
        await told(chat, "gemini is back")

    (entry,) = chat.emulator.chats.from_bot()[1:]
    assert labels(entry) == [["Venues"]]
    assert not entry.is_silent


async def test_a_tap_acknowledges_and_stops_the_chain(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.killed())
        await told(chat, "KILLED")
        chat.clock.advance(61)
        await chat.emulator.wait_until(
            lambda: sum("KILLED" in text for text in chat.emulator.transcript()) == 2
        )
        await chat.tap("Ack")
        await told(chat, "Acknowledged: killed")
        chat.clock.advance(3_600)
        await chat.say("/alerts")

    assert sum("\u2716 KILLED" in text for text in chat.emulator.transcript()) == 2
    assert "1a killed" in chat.emulator.transcript()[-1]


async def test_a_button_under_an_old_message_does_nothing_to_a_new_alert(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.killed())
        first = await told(chat, "KILLED")
        payload = first.buttons[0][0]["callback_data"]
        chat.facade.tell(unkilled())
        await told(chat, "Over: KILLED")
        chat.facade.tell(samples.killed())
        await chat.emulator.wait_until(lambda: "KILLED: no plans" in chat.emulator.transcript()[-1])
        chat.emulator.tap_raw(first, payload)
        await told(chat, "That one is over")

    assert chat.facade.count(ActOnAlerts) == 0


async def test_what_was_acknowledged_and_set_survives_a_restart(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.killed(), lost())
        await told(chat, "gemini is out")
        await chat.say("/ack killed")
        await chat.say("/mute limit 2h")
        await chat.say("/quiet 23-07")
        await chat.wait_until(lambda: b'"acked"' in chat_state(chat, "alert/killed"))
    before = len(chat.emulator.transcript())
    async with chat.start():
        chat.facade.tell(limit(), back())
        ended = await told(chat, "gemini is back")
        text = await chat.say("/alerts")

    assert len(chat.emulator.transcript()) == before + 1, "only the answer is a new message"
    assert ended.edits > 0
    assert "1a killed" in text
    assert "Muted: limit until" in text
    assert "Quiet 23-07 UTC" in text


def chat_state(chat: Chat, name: str) -> bytes:
    return next((v for (_, n), v in chat.facade.states.items() if n == name), b"")


async def test_an_alert_that_fired_while_the_chat_was_away_is_told_after_a_restart(
    chat: Chat,
) -> None:
    async with chat.start():
        await chat.say("/start")
    chat.emulator.block()
    async with chat.start():
        chat.facade.tell(samples.killed())
        await chat.wait_until(lambda: b'"firing"' in chat_state(chat, "alert/killed"))
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram-alerts") == 1)
    chat.emulator.block(is_blocked=False)

    async with chat.start():
        await told(chat, "KILLED")


async def test_a_critical_alert_waits_for_no_ordinary_message(chat: Chat) -> None:
    async with chat.start_with(chat_sends_per_s=0.01, chat_send_burst=1):
        await chat.say("/start")
        chat.facade.tell(*(samples.seen(number=number) for number in range(3)), lost())
        chat.facade.tell(samples.killed())
        await told(chat, "KILLED")


async def test_an_acknowledgement_holds_while_the_ledger_is_away_and_says_so(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.is_ledger_away = True
        chat.news.put_nowait(RoleEnded("ledger", "no space left"))
        await told(chat, "The ledger has ended for good")
        await chat.tap("Ack")
        text = (await told(chat, "Acknowledged: away:ledger")).text

    assert "stored once it is back" in text


async def test_an_act_in_another_chat_counts_here_too(chat: Chat) -> None:
    act: Any = samples.all_notices()[-1]
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.killed())
        await told(chat, "KILLED")
        chat.clock.advance(1)
        chat.facade.tell(type(act)(**{**_fields(act), "at_ns": chat.clock(), "by": "terminal"}))
        entry = await told(chat, "by terminal")

    assert labels(entry) == [[button.label for button in buttons_of(samples.killed())[0]]]


def _fields(act: Any) -> dict[str, Any]:
    return {name: getattr(act, name) for name in act.__struct_fields__}


async def test_muted_news_is_not_told_and_quiet_hours_hold_for_it(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/mute opportunity 1h")
        chat.facade.tell(samples.seen(number=1))
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram", 0) >= 2)
        await chat.say("/unmute opportunity")
        await chat.say("/threshold opportunity 100")
        chat.facade.tell(
            samples.seen(number=2, profit_usd=99), samples.seen(number=3, profit_usd=101)
        )
        await told(chat, "r7-3")
        await chat.say("/quiet 0-23")
        chat.facade.tell(samples.seen(number=4, profit_usd=101))
        entry = await told(chat, "r7-4")

    assert entry.is_silent
    assert not any(
        f"r7-{number}" in text for number in (1, 2) for text in chat.emulator.transcript()
    )


async def test_what_cannot_be_done_is_declined_with_what_would_be_right(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.killed())
        await told(chat, "KILLED")
        for line, why in (
            ("/hush killed 4h", "critical is never silenced"),
            ("/mute kill 4h", "is unknown"),
            ("/mute venue 4", "written as 30m"),
            ("/mute venue 400d", "up to 30d"),
            ("/quiet 25-7", "written as 23-07"),
            ("/quiet 7-7", "written as 23-07"),
            ("/ack killed 7", "over"),
        ):
            assert why in await chat.say(line)

    assert chat.facade.count(ActOnAlerts) == 0


async def test_alerts_void_no_second_step(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")
        await chat.say("/mute venue 1h")
        await chat.tap("Resume")
        await chat.wait_until(lambda: "resume" in chat.facade.effects)


async def test_a_kill_that_this_chat_asked_for_is_told_and_not_repeated(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(replace(samples.killed(), by="telegram:4242"))
        entry = await told(chat, "KILLED")
        chat.clock.advance(3_600)
        await chat.say("/alerts")

    assert labels(entry) == [["Status"]]
    assert sum("KILLED" in text for text in chat.emulator.transcript()) == 1


async def test_a_part_that_a_former_process_told_to_be_away_is_told_to_be_back(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.news.put_nowait(RoleEnded("engine", "test"))
        await told(chat, "The engine has ended for good")
        await chat.wait_until(lambda: b'"is_told":true' in chat_state(chat, "alert/away:engine"))
    async with chat.start_with(health_s=0.02):
        await told(chat, "The engine answers again")
