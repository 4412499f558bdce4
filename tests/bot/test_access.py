"""Nobody but the operator, and only by an original message or tap in the private chat."""

import logging
from typing import Any

import pytest

from bot.command_table import COMMANDS
from tests.bot.conftest import Chat
from tests.bot.fake_facade import CODE
from tests.bot.test_commands_end_to_end import EXAMPLES
from tests.telegram.emulator import OPERATOR_ID

STRANGER = 666
GROUP = -100200
_BOT_USER = {"id": 55, "is_bot": True, "first_name": "Other", "username": "other_bot"}
_ORIGIN = {"type": "hidden_user", "sender_user_name": "x", "date": 1_600_000_000}

MESSAGES: dict[str, dict[str, Any]] = {
    "stranger": {"person_id": STRANGER},
    "anonymous admin": {"person_id": 1087968824, "chat_id": GROUP, "chat_type": "supergroup"},
    "operator in a group": {"chat_id": GROUP, "chat_type": "group"},
    "stranger in the operator's chat": {"person_id": STRANGER, "chat_id": OPERATOR_ID},
    "operator in a stranger's chat": {"chat_id": STRANGER},
    "forwarded": {"fields": {"forward_origin": _ORIGIN}},
    "forwarded by itself": {"fields": {"is_automatic_forward": True}},
    "via a bot": {"fields": {"via_bot": _BOT_USER}},
    "edited": {"kind": "edited_message", "fields": {"edit_date": 1_790_000_001}},
    "edited, sent as a message": {"fields": {"edit_date": 1_790_000_001}},
    "channel post": {"kind": "channel_post", "chat_id": GROUP, "chat_type": "channel"},
    "edited channel post": {"kind": "edited_channel_post", "fields": {"edit_date": 1_790_000_001}},
    "business message": {"kind": "business_message", "fields": {"business_connection_id": "b"}},
    "edited business message": {"kind": "edited_business_message"},
    "business fields": {"fields": {"business_connection_id": "b"}},
    "sent by a business bot": {"fields": {"sender_business_bot": _BOT_USER}},
    "on behalf of a chat": {
        "fields": {"sender_chat": {"id": GROUP, "type": "channel", "title": "c"}}
    },
    "another bot": {"fields": {"from": {**_BOT_USER, "id": OPERATOR_ID}}},
    "without a sender": {"fields": {"from": None}},
    "scheduled": {"fields": {"is_from_offline": True}},
}

OTHER_UPDATES: dict[str, dict[str, Any]] = {
    "inline query": {
        "inline_query": {
            "id": "1",
            "from": {"id": OPERATOR_ID, "is_bot": False, "first_name": "O"},
            "query": "/kill",
            "offset": "",
        }
    },
    "poll": {
        "poll": {
            "id": "1",
            "question": "/kill",
            "options": [],
            "total_voter_count": 0,
            "is_closed": False,
            "is_anonymous": True,
            "type": "regular",
            "allows_multiple_answers": False,
        }
    },
    "unknown kind": {"something_new": {"text": "/kill"}},
    "broken message": {"message": {"text": "/kill"}},
    "message of the wrong type": {"message": [1, 2]},
    "nothing": {},
}


def lines() -> list[str]:
    return [EXAMPLES[entry.name][0] for entry in COMMANDS] + ["KILL"]


@pytest.mark.parametrize("case", MESSAGES)
async def test_no_command_is_executed_from_elsewhere(chat: Chat, case: str) -> None:
    chat.emulator.ignores_allowed_updates = True

    async with chat.start():
        for line in lines():
            chat.emulator.person_writes(line, **MESSAGES[case])
        await chat.say("/version")

    assert chat.facade.effects == []
    assert chat.emulator.transcript()[1:] == []
    assert len(chat.facade.inbox) == 1, "only the operator's own message is stored"


@pytest.mark.parametrize("case", OTHER_UPDATES)
async def test_other_updates_do_nothing_and_hold_up_nothing(chat: Chat, case: str) -> None:
    chat.emulator.ignores_allowed_updates = True

    async with chat.start():
        chat.emulator.push(OTHER_UPDATES[case])
        text = await chat.say("/version")

    assert "Syndicate 0.1.0" in text
    assert chat.facade.effects == []


async def test_a_stranger_is_logged_by_id_once_and_never_answered(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with chat.start():
            for _ in range(50):
                chat.emulator.person_writes("/kill the secret words", person_id=STRANGER)
            await chat.say("/version")

    told = [
        record.getMessage() for record in caplog.records if str(STRANGER) in record.getMessage()
    ]
    assert len(told) == 1
    assert "secret words" not in caplog.text
    assert [entry.chat_id for entry in chat.emulator.chats.from_bot()] == [OPERATOR_ID]


@pytest.mark.parametrize(
    "fields",
    [
        {"inline_message_id": "i-1", "message": None},
        {"message": None},
        {"data": None, "game_short_name": "g"},
    ],
)
async def test_taps_without_their_message_do_nothing(chat: Chat, fields: dict[str, Any]) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.emulator.person_taps("KILL", fields=fields)
        await chat.say("/version")

    assert chat.facade.effects == []


async def test_a_stranger_cannot_tap_the_operators_buttons(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")
        chat.emulator.person_taps("Resume", person_id=STRANGER)
        await chat.say("/version")
        assert chat.facade.effects == []

        await chat.tap("Resume")

    assert chat.facade.effects == ["resume"], "the stranger's tap has not used the nonce up"


async def test_forged_callback_data_does_nothing(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")
        prompt = chat.emulator.chats.from_bot()[-1]
        for payload in (
            "c:AAAAAAAAAAAA:y",
            "c::y",
            "m:/unkill " + CODE,
            "m:resume",
            "x",
            "c:" + "A" * 55 + ":y",
        ):
            before = len(chat.emulator.tap_answers)
            chat.emulator.tap_raw(prompt, payload)
            await chat.emulator.wait_until(
                lambda before=before: len(chat.emulator.tap_answers) > before  # type: ignore[misc]
            )

    assert chat.facade.effects == []


async def test_a_kill_button_of_a_deleted_message_still_kills(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        gone = {"chat": {"id": OPERATOR_ID, "type": "private"}, "message_id": 2, "date": 0}
        chat.emulator.person_taps("KILL", fields={"message": gone})
        await chat.wait_until(lambda: chat.facade.is_killed)


@pytest.mark.parametrize("label", ["Paper…", "KILL", "System"])
async def test_a_strangers_tap_on_the_menu_does_nothing(chat: Chat, label: str) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.emulator.person_taps(label, person_id=STRANGER)
        await chat.say("/version")

    assert chat.facade.effects == []
    assert len(chat.emulator.transcript()) == 2


async def test_a_tap_on_an_inline_message_does_nothing(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.emulator.person_taps("KILL", fields={"inline_message_id": "i-1"})
        await chat.say("/version")

    assert chat.facade.effects == []
