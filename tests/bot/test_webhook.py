"""Telegram posts what is written: nothing is lost, strangers get silence, a kill goes first."""

import asyncio
import io
import socket
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest

from bot.telegram.receiver import BYTES_MAX, SECRET_HEADER
from engine.requests.chat import PutInbox
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill, Pause, Resume
from tests.bot.conftest import Chat
from tests.bot.test_durable_inbox import crash
from tests.telegram.faults import Fault, Kind


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Posted:
    """A chat whose updates are posted."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/telegram"

    def start(self, **changes: Any) -> AbstractAsyncContextManager[asyncio.Task[None]]:
        changes = {"telegram_webhook_url": self.url, **changes}
        return self.chat.start_with(telegram_webhook_port=self.port, **changes)

    async def until_set(self) -> None:
        emulator = self.chat.emulator
        await emulator.wait_until(
            lambda: emulator._webhook is not None and emulator._webhook.url == self.url
        )

    @property
    def secret(self) -> str:
        webhook = self.chat.emulator._webhook
        assert webhook is not None
        assert webhook.secret is not None
        return webhook.secret

    async def post(self, body: bytes, *, secret: str | None) -> int:
        headers = {} if secret is None else {SECRET_HEADER: secret}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=io.BytesIO(body), headers=headers) as answer,
        ):
            return answer.status

    def said(self, text: str) -> bool:
        return any(text in one for one in self.chat.emulator.transcript())


@pytest.fixture
def posted(chat: Chat) -> Posted:
    return Posted(chat)


async def test_what_is_written_is_posted_stored_and_only_then_taken_off(posted: Posted) -> None:
    chat = posted.chat
    async with posted.start():
        await posted.until_set()
        gate = chat.facade.gates[PutInbox] = asyncio.Event()
        polls = [name for name, _ in chat.emulator.calls].count("getUpdates")
        number = chat.emulator.person_writes("/pause")
        await chat.facade.wait_until_entered(PutInbox, 1)
        assert chat.emulator.unconfirmed() == [number]
        gate.set()
        await chat.emulator.wait_until(lambda: chat.emulator.unconfirmed() == [])
        assert number in chat.facade.inbox
        await chat.emulator.wait_until(lambda: posted.said("Paused"))
        assert [name for name, _ in chat.emulator.calls].count("getUpdates") == polls

    asked = next(p for name, p in chat.emulator.calls if name == "setWebhook")
    assert asked["allowed_updates"] == '["message", "callback_query"]'
    assert asked.get("drop_pending_updates") != "true"
    assert chat.facade.effects == ["pause"]


async def test_taps_work_and_an_answer_that_was_lost_has_no_second_effect(posted: Posted) -> None:
    chat = posted.chat
    async with posted.start():
        await posted.until_set()
        chat.emulator.duplicate_next(2)
        await chat.say("/resume")
        await chat.tap("Resume")
        await chat.wait_until(lambda: chat.facade.count(Resume) == 1)
        await chat.emulator.wait_until(lambda: chat.emulator.unconfirmed() == [])

    assert chat.facade.count(Resume) == 1
    assert len(chat.emulator.posts) == 4


async def test_what_waited_is_fetched_before_anything_is_posted_its_kill_first(
    posted: Posted,
) -> None:
    chat = posted.chat
    for _ in range(150):
        chat.emulator.person_writes("/status")
    chat.emulator.person_writes("KILL")

    async with posted.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 151)
        await posted.until_set()
        assert posted.said("Killed")
        assert "Killed" not in await chat.say("/version")

    kinds = [type(command) for command in chat.facade.asked]
    assert kinds.index(Kill) < kinds.index(GetStatus)
    assert len(chat.emulator.posts) == 1


async def test_without_the_ledger_a_kill_works_and_telegram_keeps_what_is_not_answered(
    posted: Posted,
) -> None:
    chat = posted.chat
    async with posted.start() as serving:
        await posted.until_set()
        chat.facade.is_ledger_away = True
        chat.emulator.script("sendMessage", *[Fault(Kind.SERVER_ERROR)] * 50)
        number = chat.emulator.person_writes("/kill")
        await chat.emulator.wait_until(lambda: (number, 503) in chat.emulator.posts)
        assert chat.facade.is_killed
        assert chat.emulator.unconfirmed() == [number]
        assert chat.facade.count(Kill) == 1
        await crash(serving)
    chat.emulator.forget_faults()
    chat.facade.is_ledger_away = False

    async with posted.start():
        await chat.emulator.wait_until(lambda: posted.said("Killed"))
        await chat.emulator.wait_until(lambda: chat.emulator.unconfirmed() == [])


async def test_what_is_answered_though_it_could_not_be_stored_does_not_hold_up_what_follows(
    posted: Posted,
) -> None:
    chat = posted.chat
    async with posted.start():
        await posted.until_set()
        chat.facade.is_ledger_away = True
        chat.emulator.person_writes("/resume")
        await chat.emulator.wait_until(lambda: posted.said("Not done: the ledger is away"))
        assert "Killed" in await chat.say("/kill")
        await chat.emulator.wait_until(lambda: chat.emulator.unconfirmed() == [])
        chat.facade.is_ledger_away = False
        chat.facade.notify()

    assert chat.facade.count(Resume) == 0
    assert chat.facade.count(Kill) == 1


async def test_who_does_not_know_the_secret_is_told_nothing_and_not_read(posted: Posted) -> None:
    chat = posted.chat
    update = b'{"update_id": 1, "message": {"text": "/kill"}}'
    async with posted.start():
        await posted.until_set()
        for secret in (None, "", posted.secret[:-1], "\N{LATIN SMALL LETTER E WITH ACUTE}" * 43):
            assert await posted.post(update, secret=secret) == 404
        assert await posted.post(b"x" * (BYTES_MAX + 1), secret="wrong") == 404
        assert len(posted.secret) >= 32
        first = posted.secret
        await chat.say("/version")
    assert chat.facade.inbox.keys() == {100_001}

    async with posted.start():
        await posted.until_set()
        assert posted.secret != first


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"update_id": "1"}', b"[" * 500_000, b"x" * (BYTES_MAX + 1)],
    ids=["nothing", "a list", "no id", "text id", "deep", "large"],
)
async def test_what_cannot_be_read_is_taken_off_so_that_a_kill_behind_it_comes(
    posted: Posted, body: bytes
) -> None:
    async with posted.start():
        await posted.until_set()
        assert await posted.post(body, secret=posted.secret) == 200
        assert "Killed" in await posted.chat.say("/kill")


async def test_who_has_the_updates_sent_elsewhere_is_told_and_loosens_nothing(
    posted: Posted,
) -> None:
    chat = posted.chat
    async with posted.start():
        await posted.until_set()
        await chat.say("/version")
        await chat.emulator._set_webhook({"url": "https://thief.example.org/"})
        await chat.emulator.wait_until(lambda: posted.said("Another program"))
        await posted.until_set()
        assert "Not done: /resume" in await chat.say("/resume")
        assert "Paused" in await chat.say("/pause")

    assert chat.facade.count(Resume) == 0
    assert chat.facade.count(Pause) == 1


async def test_a_webhook_that_somebody_removed_is_told_too(posted: Posted) -> None:
    chat = posted.chat
    async with posted.start():
        await posted.until_set()
        await chat.say("/version")
        await chat.emulator._end_webhook()
        await chat.emulator.wait_until(lambda: posted.said("Another program"))
        await posted.until_set()


async def test_somebody_elses_webhook_at_the_start_is_told_and_replaced(posted: Posted) -> None:
    await posted.chat.emulator._set_webhook({"url": "https://thief.example.org/"})
    posted.chat.emulator.person_writes("/version")
    async with posted.start():
        await posted.chat.emulator.wait_until(lambda: posted.said("Another program"))
        await posted.until_set()


async def test_a_way_in_that_is_broken_is_told_and_what_was_written_is_fetched(
    posted: Posted,
) -> None:
    chat = posted.chat
    async with posted.start(telegram_webhook_url=f"http://127.0.0.1:{free_port()}/"):
        await chat.emulator.wait_until(lambda: chat.emulator._webhook is not None)
        chat.emulator.person_writes("/kill")
        await chat.emulator.wait_until(lambda: posted.said("Killed"))
        await chat.emulator.wait_until(lambda: posted.said("The webhook does not work"))
        assert posted.said("Telegram cannot post to it: Connection refused")
        assert "Commit" in await chat.say("/version"), "it is polled from then on"

    assert not posted.said("Another program")
    assert not posted.said("You could not be reached")


@pytest.mark.parametrize("fault", ["port", "url"])
async def test_what_cannot_be_set_up_is_told_and_polled(posted: Posted, fault: str) -> None:
    chat = posted.chat
    chat.emulator.person_writes("/version")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", posted.port))
        taken.listen()
        if fault == "url":
            posted.port = free_port()
        url = "http://example.org/" if fault == "url" else posted.url
        async with posted.start(telegram_webhook_url=url):
            await chat.emulator.wait_until(lambda: posted.said("The webhook does not work"))
            assert "Killed" in await chat.say("/kill")

    why = "an https url must be provided" if fault == "url" else f"port {posted.port} cannot be had"
    assert posted.said(why)
    assert chat.emulator._webhook is None


async def test_going_back_to_polling_removes_the_webhook_and_loses_nothing(
    posted: Posted,
) -> None:
    chat = posted.chat
    async with posted.start():
        await posted.until_set()
    assert chat.emulator._webhook is None
    chat.emulator.person_writes("/pause")

    async with chat.start():
        await chat.emulator.wait_until(lambda: posted.said("Paused"))
    assert not posted.said("Another program")


async def test_a_telegram_that_is_away_for_a_while_makes_no_conflict(posted: Posted) -> None:
    chat = posted.chat
    for method in ("getWebhookInfo", "setWebhook", "deleteWebhook", "getUpdates"):
        chat.emulator.script(
            method, Fault(Kind.SERVER_ERROR), Fault(Kind.TOO_MANY, retry_after_s=0)
        )
    async with posted.start():
        await posted.until_set()
        chat.emulator.script("getWebhookInfo", Fault(Kind.SERVER_ERROR), Fault(Kind.GARBAGE))
        await chat.emulator.wait_until(lambda: not chat.emulator._scripts["getWebhookInfo"])
        assert "Killed" in await chat.say("/kill")

    assert len(chat.emulator.transcript()) == 1
