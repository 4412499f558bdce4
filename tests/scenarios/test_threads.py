"""A trade stays one message though its chat is killed between found and realised."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.bus.notices import Notice
from engine.bus.records import NoticeRecord
from engine.bus.reports import NoticesReport
from engine.bus.unix_socket import open_server
from engine.domain.errors import FatalError, TransientError
from engine.operate.clock import make_clock
from engine.requests.chat import GetKept, GetNotices
from engine.requests.request_list import requests_of
from engine.storage.ledger import Ledger, open_ledger
from engine.storage.ledger_settings import LedgerSettings
from engine.wiring.paths import prepare
from tests.bot import samples
from tests.bot.alerts.makers import unkilled
from tests.bot.test_notices import traded
from tests.patience import PATIENCE_S
from tests.scenarios.rig import command, environment
from tests.storage.asking import append
from tests.telegram.emulator import OPERATOR_ID, TelegramEmulator

pytestmark = pytest.mark.slow


@asynccontextmanager
async def chat_role(
    data_dir: Path, phone: TelegramEmulator, *, has_card: bool = False
) -> AsyncIterator[None]:
    """Run a chat as a process; its end is a SIGKILL."""
    own = environment(
        data_dir,
        TELEGRAM_BOT_TOKEN=phone.token,
        TELEGRAM_OPERATOR_ID=str(OPERATOR_ID),
        SYNDICATE_TELEGRAM_BASE_URL=phone.base_url,
        SYNDICATE_TELEGRAM_HAS_CARD=str(has_card).lower(),
    )
    process = await asyncio.create_subprocess_exec(
        *command("-m", "bot"), cwd=data_dir.parent, env=own, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def tell(ledger: Ledger, notice: Notice) -> None:
    """Store a notice, and wait until the chat has confirmed it."""
    await append(ledger, NoticeRecord(record_id=type(notice).__name__, notice=notice))
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await ledger.answer(GetNotices(reader="telegram"))
            assert isinstance(report, NoticesReport)
            if report.delivered_seq == report.newest_seq:
                return
            await asyncio.sleep(0.05)


async def test_a_chat_that_was_killed_after_found_edits_its_message_to_realised(
    tmp_path: Path,
) -> None:
    paths = prepare(str(tmp_path / "var"))
    settings = LedgerSettings(data_dir=paths.data_dir)
    broken: list[FatalError] = []
    async with (
        TelegramEmulator().serve() as phone,
        open_ledger(settings, clock=make_clock()) as ledger,
        open_server(paths.ledger_socket, requests_of("ledger"), ledger, on_fatal=broken.append),
    ):
        phone.person_writes("/start")
        async with chat_role(paths.data_dir, phone):
            await phone.wait_until(lambda: len(phone.transcript()) == 1)
            await tell(ledger, samples.seen())
        async with chat_role(paths.data_dir, phone):
            await tell(ledger, traded())

        (found,) = (one for one in phone.chats.from_bot() if "r7-12" in one.text)
        assert "Paper trade +$1.19" in found.text
        assert found.edits == 1
    assert broken == []


class Starting:
    """An engine that answers nothing yet and says so: for one that is away a chat waits long."""

    async def answer(self, request: Any, /) -> Any:
        raise TransientError(f"{type(request).__name__}: the engine starts")


@pytest.mark.campaign
async def test_a_chat_that_was_killed_goes_on_with_its_pinned_card(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "var"))
    settings = LedgerSettings(data_dir=paths.data_dir)
    broken: list[FatalError] = []
    async with (
        TelegramEmulator().serve() as phone,
        open_ledger(settings, clock=make_clock()) as ledger,
        open_server(paths.ledger_socket, requests_of("ledger"), ledger, on_fatal=broken.append),
        open_server(paths.engine_socket, requests_of("engine"), Starting(), on_fatal=broken.append),
    ):
        phone.person_writes("/nothing")
        async with chat_role(paths.data_dir, phone, has_card=True):
            await phone.wait_until(lambda: any(one.is_pinned for one in phone.chats.from_bot()))
        (card,) = (one for one in phone.chats.from_bot() if one.is_pinned)
        async with chat_role(paths.data_dir, phone, has_card=True):
            await phone.wait_until(lambda: card.edits == 1)

        assert sum("valid until" in one.text for one in phone.chats.from_bot()) == 1
    assert broken == []


async def until_kept(ledger: Ledger, chat: str, name: str, words: bytes) -> None:
    """Wait until a chat keeps something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await ledger.answer(GetKept(chat=chat))
            if any(one.name == name and words in (one.value or b"") for one in report.states):
                return
            await asyncio.sleep(0.05)


async def test_an_alert_stays_one_message_and_acknowledged_though_its_chat_is_killed(
    tmp_path: Path,
) -> None:
    paths = prepare(str(tmp_path / "var"))
    settings = LedgerSettings(data_dir=paths.data_dir)
    broken: list[FatalError] = []
    async with (
        TelegramEmulator().serve() as phone,
        open_ledger(settings, clock=make_clock()) as ledger,
        open_server(paths.ledger_socket, requests_of("ledger"), ledger, on_fatal=broken.append),
    ):
        chat = f"telegram-{phone.token.partition(':')[0]}-{OPERATOR_ID}"
        phone.person_writes("/start")
        async with chat_role(paths.data_dir, phone):
            await tell(ledger, samples.killed())
            await phone.wait_until(lambda: any("KILLED" in text for text in phone.transcript()))
            await until_kept(ledger, chat, "alert/killed", b'"is_told":true')
            phone.person_writes("/ack killed")
            await phone.wait_until(lambda: "Acknowledged: killed" in phone.transcript()[-1])
        async with chat_role(paths.data_dir, phone):
            phone.person_writes("/alerts")
            await phone.wait_until(lambda: "Alerts: 1 firing" in phone.transcript()[-1])
            assert "1a killed" in phone.transcript()[-1]
            await tell(ledger, unkilled())
            await phone.wait_until(lambda: any("Over: KILLED" in t for t in phone.transcript()))

        assert sum("KILLED" in text for text in phone.transcript()) == 1
    assert broken == []
