"""Telegram being slow, away, strict or held by somebody else: nothing is lost, nothing hangs."""

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest

from bot.telegram.poller import Poller
from engine.domain.errors import FatalError
from engine.requests.safety import Resume
from tests.bot import samples
from tests.bot.conftest import Chat
from tests.patience import PATIENCE_S
from tests.telegram.emulator import TOKEN, TelegramEmulator
from tests.telegram.faults import Fault, Kind


class Expected(logging.Handler):
    """Waits for a log line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self._text in record.getMessage():
            self._event.set()

    async def seen(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._event.wait()


FAULTS = [
    Fault(Kind.SERVER_ERROR, status=500),
    Fault(Kind.SERVER_ERROR, status=502),
    Fault(Kind.CUT),
    Fault(Kind.LOST_REPLY),
    Fault(Kind.GARBAGE),
    Fault(Kind.TOO_MANY, retry_after_s=1),
    Fault(Kind.HANG),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.kind.name}-{f.status}")
async def test_an_answer_survives_a_failing_send(chat: Chat, fault: Fault) -> None:
    chat.emulator.script("sendMessage", fault)

    async with chat.start_with(send_s=0.4):
        text = await chat.say("/version")
        await chat.wait_until(lambda: chat.facade.undone() == [])

    assert "Syndicate 0.1.0" in text


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.kind.name}-{f.status}")
async def test_a_command_survives_a_failing_poll(chat: Chat, fault: Fault) -> None:
    async with chat.start_with(send_s=0.4):
        await chat.say("/version")
        chat.emulator.script("getUpdates", fault)
        await chat.say("/pause")
        await chat.say("/version")

    assert chat.facade.effects == ["pause"]


@pytest.mark.parametrize("fault", FAULTS[3:], ids=lambda f: f.kind.name)
async def test_a_notice_survives_a_failing_send_with_its_number(chat: Chat, fault: Fault) -> None:
    async with chat.start_with(send_s=0.4):
        await chat.say("/start")
        chat.emulator.script("sendMessage", fault, fault)
        chat.facade.tell(samples.seen(number=1), samples.seen(number=2))
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == 2)

    said = chat.emulator.transcript()[1:]
    assert any("#1 " in text for text in said)
    assert any("#2 " in text for text in said)
    if fault.kind is Kind.LOST_REPLY:
        assert len(said) > 2, "what may have been lost is sent again, recognisable by its number"


@pytest.mark.parametrize(
    ("fault", "copies"), [(Fault(Kind.LOST_REPLY), 2), (Fault(Kind.TOO_MANY), 1)], ids=str
)
async def test_an_answer_that_may_have_arrived_says_so_when_it_is_sent_again(
    chat: Chat, fault: Fault, copies: int
) -> None:
    chat.emulator.script("sendMessage", fault)

    async with chat.start_with(send_s=0.4):
        await chat.say("/version")
        await chat.wait_until(lambda: chat.facade.undone() == [])

    said = [text for text in chat.emulator.transcript() if "Syndicate 0.1.0" in text]
    assert ["Sent again" in text for text in said] == [False, True][:copies]


async def test_a_retry_after_lets_a_kill_go_first(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.emulator.script("sendMessage", Fault(Kind.TOO_MANY, retry_after_s=1))
        for _ in range(5):
            chat.emulator.person_writes("/version")
        await chat.emulator.wait_until(
            lambda: sum(name == "sendMessage" for name, _ in chat.emulator.calls) == 2
        )
        chat.emulator.person_writes("/kill")
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 7)

    assert "Killed" in chat.emulator.transcript()[1]


async def test_a_kill_is_answered_beside_a_call_that_hangs(chat: Chat) -> None:
    async with chat.start_with(send_s=10_000.0):
        await chat.say("/start")
        chat.emulator.script("sendMessage", Fault(Kind.HANG))
        chat.emulator.person_writes("/version")
        await chat.emulator.wait_until(
            lambda: sum(name == "sendMessage" for name, _ in chat.emulator.calls) == 2
        )
        chat.emulator.person_writes("/kill")
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)

    assert "Killed" in chat.emulator.transcript()[1]


async def test_the_chats_own_limit_is_kept_to_and_nothing_is_lost(chat: Chat) -> None:
    real = TelegramEmulator()
    chat.emulator.clock = real.clock
    chat.emulator.chat_limit = (5, 0.5)

    async with chat.start():
        for _ in range(12):
            chat.emulator.person_writes("/version")
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 12)

    assert chat.facade.undone() == []


async def test_refused_markup_is_sent_as_plain_text(chat: Chat) -> None:
    chat.emulator.script("sendMessage", Fault(Kind.BAD_MARKUP))

    async with chat.start():
        text = await chat.say("/status")

    assert "This run +$12.35" in text
    assert "<" not in text
    assert chat.emulator.chats.from_bot()[-1].spans == []


async def test_a_failing_edit_is_sent_as_a_new_message(chat: Chat) -> None:
    chat.emulator.script("editMessageText", Fault(Kind.BAD_MARKUP))

    async with chat.start():
        await chat.say("/resume")
        await chat.tap("Resume")
        await chat.emulator.wait_until(lambda: "Resumed" in chat.emulator.transcript()[-1])

    assert chat.facade.count(Resume) == 1


async def test_a_failing_tap_answer_never_gates_the_decision(chat: Chat) -> None:
    chat.emulator.script("answerCallbackQuery", Fault(Kind.BAD_MARKUP))

    async with chat.start():
        await chat.say("/resume")
        chat.emulator.person_taps("Resume")
        await chat.emulator.wait_until(lambda: "Resumed" in chat.emulator.transcript()[-1])


async def test_a_blocked_bot_keeps_its_notices_until_it_is_unblocked(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.emulator.block()
        chat.facade.tell(samples.seen())
        await chat.emulator.wait_until(
            lambda: sum(name == "sendMessage" for name, _ in chat.emulator.calls) >= 2
        )
        assert "telegram" not in chat.facade.delivered
        chat.emulator.block(is_blocked=False)
        chat.emulator.person_writes("/version")
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == 1)


async def test_a_wedged_poll_gets_a_new_client(chat: Chat) -> None:
    poller = Poller(
        token=TOKEN,
        base_url=chat.emulator.base_url,
        poll_s=0,
        send_s=0.3,
        on_success=lambda: None,
        on_conflict=lambda _: None,
        on_refused=asyncio.Event().wait,
    )
    chat.emulator.person_writes("a")
    await poller.fetch()
    first = poller._request
    chat.emulator.script("getUpdates", *[Fault(Kind.HANG)] * 4)

    assert len(await poller.fetch()) == 1

    assert poller._request is not first
    await poller.close()


async def test_an_answer_that_cannot_be_delivered_for_long_is_dropped_and_told(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.outbox.ANSWER_AGE_S_MAX", 0.05)
    chat.emulator.script("sendMessage", *[Fault(Kind.SERVER_ERROR)] * 3)

    async with chat.start():
        chat.emulator.person_writes("/limits")
        await chat.emulator.wait_until(
            lambda: "Answers dropped: 1" in str(chat.emulator.transcript())
        )

    assert not any("Limits" in text for text in chat.emulator.transcript())


async def test_no_network_at_start_is_survived(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = TelegramEmulator(clock=chat.clock.seconds)
    async with elsewhere.serve():
        pass
    unreachable = Expected("cannot be reached")
    logging.getLogger("bot.telegram.poller").addHandler(unreachable)
    with caplog.at_level(logging.WARNING):
        async with AsyncExitStack() as stack:
            base = f"http://127.0.0.1:{elsewhere.port}/bot"
            await stack.enter_async_context(chat.start_with(telegram_base_url=base))
            await unreachable.seen()
            elsewhere._closing.clear()
            await stack.enter_async_context(elsewhere.serve())
            elsewhere.person_writes("/version")
            await elsewhere.wait_until(lambda: len(elsewhere.transcript()) == 1)


async def test_another_poller_leaves_only_protective_commands_until_it_is_gone(
    chat: Chat,
) -> None:
    async with chat.start_with(conflict_s=1.5):
        await chat.say("/version")
        chat.emulator.script("getUpdates", Fault(Kind.CONFLICT), Fault(Kind.CONFLICT))
        await chat.emulator.wait_until(lambda: "Another program" in chat.emulator.transcript()[-1])
        (row,) = chat.emulator.chats.from_bot()[-1].buttons
        assert [button["text"] for button in row] == ["Pause"]
        assert "Another program uses" in await chat.say("/status")
        assert "Another program uses" in await chat.say("/resume")
        assert "Paused" in await chat.say("/pause")
        assert "Killed" in await chat.say("/kill")
        gone = asyncio.get_running_loop().time() + 1.6
        while asyncio.get_running_loop().time() < gone:
            await chat.say("/version")
        assert "Mode     observe" in await chat.say("/status")


async def test_two_pollers_on_one_token_are_noticed(chat: Chat) -> None:
    chat.emulator.person_writes("/version")
    async with chat.start(), chat.start():
        await chat.emulator.wait_until(
            lambda: (
                any("Another program" in text for text in chat.emulator.transcript())
                or chat.emulator.conflicts > 0
            )
        )

    assert chat.emulator.conflicts > 0


async def test_a_foreign_webhook_is_removed_and_told(chat: Chat) -> None:
    chat.emulator.person_writes("/version")
    await chat.emulator._set_webhook({"url": "http://127.0.0.1:9/stolen"})

    async with chat.start():
        await chat.emulator.wait_until(
            lambda: any("Another program" in text for text in chat.emulator.transcript())
        )
        await chat.emulator.wait_until(lambda: chat.emulator._webhook is None)


@pytest.mark.parametrize("token", [TOKEN[:-3] + "xyz", "not-a-token"])
async def test_a_wrong_token_ends_with_one_sentence_that_says_what_to_do(
    chat: Chat, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(FatalError) as caught:
        async with chat.start_with(telegram_token=token) as serving, asyncio.timeout(PATIENCE_S):
            await asyncio.wait({serving})

    assert "TELEGRAM_BOT_TOKEN" in str(caught.value)
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("method", ["getUpdates", "sendMessage"])
async def test_a_single_401_ends_nothing(chat: Chat, method: str) -> None:
    async with chat.start_with(token_refusals_max=2):
        await chat.say("/version")
        chat.emulator.script(method, Fault(Kind.UNAUTHORISED))
        await chat.say("/pause")
        assert "Killed" in await chat.say("/kill")


async def test_refusals_that_get_me_does_not_confirm_end_nothing(chat: Chat) -> None:
    async with chat.start_with(token_refusals_max=2):
        await chat.say("/version")
        chat.emulator.script("getUpdates", *[Fault(Kind.UNAUTHORISED)] * 5)
        await chat.say("/pause")
        assert "Killed" in await chat.say("/kill")


async def revoke_while_serving(chat: Chat) -> None:
    async with chat.start_with(send_s=0.5, token_refusals_max=3) as serving:
        await chat.say("/version")
        chat.emulator.token = "1:revoked"
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({serving})


async def test_a_token_revoked_while_serving_ends_it(chat: Chat) -> None:
    with pytest.raises(FatalError, match="TELEGRAM_BOT_TOKEN"):
        await revoke_while_serving(chat)


async def test_more_answers_than_the_queue_holds_are_dropped_and_told(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.outbox.WAITING_MAX", 5)
    chat.emulator.script("sendMessage", *[Fault(Kind.SERVER_ERROR)] * 3)

    async with chat.start():
        for _ in range(20):
            chat.emulator.person_writes("/version")
        chat.emulator.person_writes("/kill")
        await chat.emulator.wait_until(
            lambda: any("Answers dropped" in text for text in chat.emulator.transcript())
        )
        (told,) = [one for one in chat.emulator.chats.from_bot() if "Answers dropped" in one.text]
        assert [button["text"] for row in told.buttons for button in row] == ["Status"]

    assert any("Killed" in text for text in chat.emulator.transcript())
    assert chat.facade.undone() == []


async def test_the_menu_waits_as_long_as_telegram_asks(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telegram.introduction.RETRY_S", 0.0)
    chat.emulator.script("setMyCommands", Fault(Kind.TOO_MANY, retry_after_s=600))

    async with chat.start():
        await chat.say("/version")
        await chat.say("/version")

    assert sum(name == "setMyCommands" for name, _ in chat.emulator.calls) == 1
